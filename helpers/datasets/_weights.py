"""What VGG16 and MobileNet learnt on ImageNet, both without their tops (lesson 6)."""

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers import CourseError
from helpers.datasets._common import IN_SAMPLE, DatasetInfo, NotHere, local_places, plain
from helpers.datasets._download import fetch_files


@dataclass(frozen=True)
class FoundWeights:
    """Weights for a network of the lesson.

    Attributes:
        path: the file they are read from; None for random ones.
        kind: ``"imagenet"`` or ``"random"``.
        note: one printed line that says so.
        info: where the file lies.
    """

    path: Path | None
    kind: str
    note: str
    info: DatasetInfo | None = None

    def load_into(self, network: Any) -> None:
        """Copy the weights into a network's layers of the same names; random ones change nothing.

        Raises:
            CourseError: a layer of the network is not in the file, or has another shape there.
        """
        arrays = read_layers(self.path) if self.path else {}
        for layer in network.layers if self.path else ():
            try:
                layer.set_weights(arrays.get(layer.name, []))
            except ValueError:
                raise CourseError(f"{self.path.name} has no weights for the layer {layer.name!r}") from None


@dataclass(eq=False)
class Network:
    """The published weights of one network; looked for as a set of pictures is, hence the same names."""

    NAME: str
    TITLE: str
    FOLDER: str  # Keras's file
    CHECKSUM: str  # MD5 of the file, or SHA-256 of the numbers in these layers
    LAYERS: tuple[str, ...] = ()
    URL: str = ""
    MEGABYTES: int = 0
    PART: str = ""  # a file of just these layers, which serves as well

    def look(self, folder: Path, where: str) -> FoundWeights:
        """Find a file, and accept it by what it holds; the stand-in is what a network starts with."""
        if where == IN_SAMPLE:
            info = DatasetInfo(self.NAME, self.TITLE, {}, {}, where, "RANDOM, nothing learnt yet")
            return FoundWeights(None, "random", f"{self.TITLE}: {info.note}.", info)
        folders = (self.NAME, "weights", "", "vgg16", "models")  # the first is the course's, the last Keras's
        paths = [folder / below / name for below in folders for name in (self.FOLDER, self.PART)]
        paths = [path for path in paths if path.is_file()]
        for path in paths:
            if self.checksum(path) == self.CHECKSUM:
                info = DatasetInfo(self.NAME, self.TITLE, {}, {}, where)
                return FoundWeights(path, "imagenet", f"{self.TITLE}: learnt on ImageNet.", info)
        raise NotHere(f"{paths[0].name} is damaged, or another file" if paths else "")

    def checksum(self, path: Path) -> str:
        """What tells the published weights from all others; Keras, which takes seconds, is not needed."""
        if not self.LAYERS:
            return hashlib.md5(path.read_bytes()).hexdigest()
        try:
            arrays, numbers = read_layers(path), hashlib.sha256()
            for array in (array for layer in self.LAYERS for array in arrays[layer]):
                numbers.update(np.ascontiguousarray(array))
            return numbers.hexdigest()
        except Exception as error:  # a damaged file may raise anything
            return plain(error)

    def download(self, folder: Path) -> None:
        """Fill a folder."""
        fetch_files({self.FOLDER: (self.URL, None)}, folder, self.TITLE, self.MEGABYTES)


def read_layers(path: Path) -> dict[str, list[np.ndarray]]:
    """Read the weights of each layer, in Keras's order, from a file of Keras's or of MobileNet's part."""
    import h5py

    with h5py.File(path) as file:
        if "layer_names" in file.attrs:  # how Keras's published files are laid out
            groups = [file[name] for name in file.attrs["layer_names"]]
            return {g.name[1:]: [g[name][()] for name in g.attrs["weight_names"]] for g in groups}
        arrays, kinds = {}, []
        for name in MOBILENET.LAYERS:  # numbered in their order, for each kind of layer
            kind = "depthwise_conv2d" if "_dw_" in name else "conv2d"
            kind = "batch_normalization" if "_bn" in name else kind
            number = f"_{kinds.count(kind)}" if kind in kinds else ""
            variables = file[f"layers/{kind}{number}/vars"]
            arrays[name] = [variables[str(k)][()] for k in range(len(variables))]
            kinds.append(kind)
        return arrays


def vgg16_first_kernels() -> np.ndarray | None:
    """The 64 kernels of VGG16's first layer, learnt on ImageNet; None where no file on this machine has them.

    Returns:
        float32, shape (3, 3, 3, 64): rows, columns, channels, kernels.

    Raises:
        CourseError: their own file, ``weights/vgg16-block1_conv1-kernel.npy``, is damaged.
    """
    for where, folder in local_places():
        try:
            return np.load(KERNELS.look(folder, where).path, allow_pickle=False)
        except NotHere as reason:
            if str(reason):
                raise CourseError(f"{where}: {reason}: replace it.") from None
        with contextlib.suppress(NotHere):
            return read_layers(VGG16.look(folder, where).path)["block1_conv1"][0]
    return None


KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
VGG16 = Network(
    NAME="vgg16-weights",
    TITLE="VGG16 weights",
    FOLDER="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    MEGABYTES=59,
    URL=f"{KERAS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    CHECKSUM="6d6bbae143d832006294945121d1f1fc",
)
KERNELS = Network(
    NAME="vgg16-kernels",
    TITLE="VGG16's first kernels",
    FOLDER="vgg16-block1_conv1-kernel.npy",
    CHECKSUM="e41116ef669d8b7f064d3e9befd8e103",
)
PAIRS = ("conv1", *(f"conv_{kind}_{block}" for block in range(1, 13) for kind in ("dw", "pw")))
MOBILENET = Network(
    NAME="mobilenet-weights",
    TITLE="MobileNet weights",
    FOLDER="mobilenet_1_0_224_tf_no_top.h5",
    MEGABYTES=17,
    URL=f"{KERAS}/mobilenet/mobilenet_1_0_224_tf_no_top.h5",
    CHECKSUM="9b569e7c7754ab013e57ae12e131977c706d6bae2db2610b2282a22aac6f7c76",
    LAYERS=tuple(name for pair in PAIRS for name in (pair, f"{pair}_bn")),
    PART="mobilenet_1_0-to-block-12.weights.h5",
)
NETWORKS = {"vgg16": VGG16, "mobilenet": MOBILENET}

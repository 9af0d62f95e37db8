"""Weights for lesson 6's VGG16 base without its top."""

import hashlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from helpers import CourseError
from helpers.datasets._common import is_file, local_places, path_of, plain, source_in_use
from helpers.datasets._download import DownloadFailed, downloading, fetch_files

NAME, TITLE, MEGABYTES = "vgg16-weights", "VGG16's ImageNet weights", 59
FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{FILE}"
MD5 = "6d6bbae143d832006294945121d1f1fc"


@dataclass(frozen=True)
class FoundWeights:
    """Weights for the VGG16 base without its top.

    Attributes:
        path: file to give to ``keras.applications.VGG16(weights=path, include_top=False)``; None for random.
        kind: ``"imagenet"``, ``"random"`` or ``"file"``.
        note: one printed line on where they come from.
    """

    path: str | None
    kind: str
    note: str


def find_vgg16_weights(weights: str = "imagenet", data_source: str = "auto") -> FoundWeights:
    """Find weights for lesson 6's VGG16 base without its top, and print what was found.

    Args:
        weights: ``"imagenet"`` (downloaded once into Keras's own cache, 59 MB; a copy in ``COURSE_DATA_DIR``
            also serves), ``"random"``, or the path of a weights file (``.weights.h5`` or ``.h5``).
        data_source: with ``"auto"``, random weights take the place of ImageNet's that are unavailable; with
            ``"sample"`` nothing is downloaded; with ``"real"`` there is no fall-back.

    Raises:
        CourseError: the file does not exist or does not hold these weights; ImageNet's weights are
            unavailable and ``data_source`` is ``"real"``.
    """
    source = source_in_use(data_source)
    if weights == "random":
        found = FoundWeights(None, "random", "VGG16 weights: RANDOM, nothing learnt yet.")
    else:
        found = _imagenet(source) if weights == "imagenet" else _weights_file(weights)
    print(found.note)
    return found


def places() -> list[tuple[str, Path, str]]:
    """Where ImageNet weights may lie: (place, file, ``"complete"``, ``"wrong"`` or ``"missing"``)."""
    keras_home = path_of(os.environ.get("KERAS_HOME") or "~/.keras")  # as Keras documents it
    folders = [(where, base) for where, folder in local_places()[:-1] for base in (folder, folder / "vgg16")]
    found = [(where, folder / FILE) for where, folder in folders if is_file(folder / FILE)]
    found.append(("Keras's cache", keras_home / "models" / FILE))
    return [(where, path, _state(path)) for where, path in found]


def _state(path: Path) -> str:
    if not is_file(path):
        return "missing"
    return "complete" if hashlib.md5(path.read_bytes()).hexdigest() == MD5 else "wrong"


def _imagenet(source: str) -> FoundWeights:
    note = "VGG16 weights: learnt on ImageNet."
    for _, path, state in places():
        if state == "complete":
            return FoundWeights(str(path), "imagenet", note)
    try:
        if source == "sample":
            raise DownloadFailed("data_source is sample, so nothing is downloaded")
        with downloading(TITLE, URL, MEGABYTES, source == "real", "Keras's cache", "KERAS_HOME"):
            fetch_files({FILE: (URL, f"md5:{MD5}")}, path.parent, "VGG16 weights", MEGABYTES)
    except DownloadFailed as failure:
        if source == "real":
            remedy = f"{failure.remedy}, put {FILE} into COURSE_DATA_DIR, or use weights='random'"
            raise CourseError(f"{TITLE} are unavailable ({failure}): {remedy}.") from None
        note = f"VGG16 weights: RANDOM, not ImageNet's, which are unavailable here ({failure})."
        return FoundWeights(None, "random", note)
    return FoundWeights(str(path), "imagenet", note)


def _weights_file(name: str) -> FoundWeights:
    path = path_of(name)
    if not is_file(path) or path.suffix != ".h5":
        raise CourseError(f"weights={name!r} is neither 'imagenet', 'random' nor a file ending in .h5.")
    import keras

    try:
        # The one sure way to know is to load them. Keras warns at length before it raises.
        with warnings.catch_warnings(action="ignore"):
            keras.applications.VGG16(weights=str(path), include_top=False, input_shape=(32, 32, 3))
    except Exception as error:
        what = f"weights={name!r} does not hold VGG16 without its top"
        raise CourseError(f"{what} (cut short, or another network: {plain(error)}): replace it.") from None
    return FoundWeights(str(path), "file", f"VGG16 weights: from the file {path.name}.")

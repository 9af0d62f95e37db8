"""Find, download, verify and describe the pictures of the course.

Every finder looks, in this order, at the folder that the variable ``COURSE_DATA_DIR`` names, at the
course's own cache, and at the public source; when nothing answers within ten seconds and
``data_source`` is ``"auto"``, at the built-in sample. What was found is always printed, and a sample is
never called anything else. How a lesson preprocesses its pictures is not decided here.

Variables of the environment (all optional):

``COURSE_DATA_DIR``
    a folder that holds ``mnist/``, ``intel-scenes/`` and/or ``car-plane/``; it is only read
``COURSE_CACHE_DIR``
    where downloads are kept, in place of the per-user cache folder
``COURSE_DATA_SOURCE``
    ``auto``, ``real`` or ``sample``: what ``data_source="auto"`` means today
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import errno
import hashlib
import http.client
import io
import logging
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from helpers import CourseError

if TYPE_CHECKING:
    from PIL import Image

# ---------------------------------------------------------------------------------------------------
# What the sets are, and where the public keeps them. Tests point the addresses at a server of their own.

SCENE_CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")
CAR_PLANE_CLASSES = ("cars", "planes")

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_FILE_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
# SHA-256 of each array's bytes: the same for every honest copy, however the file was compressed.
MNIST_ARRAY_SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
CAR_PLANE_URL = (
    "https://raw.githubusercontent.com/katelynrwalker/image-recognition-with-keras-convolutional-neural-networks/"
    "2b97c10f44aa57d4f74044f4bfaa7838c87b39b8/data/"
)
KAGGLE_URL = "https://www.kaggle.com/"
INTEL_HANDLE = "puneet6060/intel-image-classification"
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
VGG16_MD5 = "6d6bbae143d832006294945121d1f1fc"

FULL_COUNTS = {
    "mnist": {"train": 60_000, "test": 10_000},
    "intel-scenes": {"train": 14_034, "test": 3_000},
    "car-plane": {"train": 160, "validation": 40, "test": 15},
}

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"
SAMPLES_FOLDER = DATA_FOLDER / "samples"
CAR_PLANE_CHECKSUMS = DATA_FOLDER / "car-plane-sha256.txt"
CAR_PLANE_LABELS = DATA_FOLDER / "car-plane-test-labels.csv"

IN_DATA_DIR = "COURSE_DATA_DIR"
IN_CACHE = "the course's cache"
IN_SAMPLE = "built-in sample"

# Seconds that all public sources together may keep silent before the built-in sample is taken.
ANSWER_SECONDS = 8.0
# How long this process remembers that a source did not answer: a second cell does not wait again,
# and a student who has put the cable back in a minute later is not turned away.
REMEMBER_SECONDS = 60.0
RETRIES = 2

# What both Keras's folder reader accepts and TensorFlow decodes.
PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
DECODED_BY_TENSORFLOW = ("BMP", "GIF", "JPEG", "MPO", "PNG")
MODES = {
    "1": "black and white",
    "L": "grey",
    "I;16": "grey",
    "P": "palette",
    "LA": "transparent",
    "RGBA": "transparent",
}


# ---------------------------------------------------------------------------------------------------
# What callers get


@dataclass(frozen=True)
class DatasetInfo:
    """Which pictures a lesson works on.

    Attributes:
        name: name of the set, ``"mnist"``, ``"intel-scenes"`` or ``"car-plane"``.
        kind: ``"complete"``, ``"partial"`` (real pictures, but not the published set) or ``"sample"``.
        counts: number of pictures in each part, for example ``{"train": 60000, "test": 10000}``.
        where: ``"COURSE_DATA_DIR"``, ``"the course's cache"`` or ``"built-in sample"``; never a path.
        note: one more fact worth saying, or nothing.
    """

    name: str
    kind: str
    counts: dict[str, int]
    where: str
    note: str = ""

    def describe(self) -> str:
        """One line that says what these pictures are; a sample is never mistaken for the real set."""
        title = SETS[self.name].title
        full = FULL_COUNTS[self.name]
        if self.kind == "partial":
            parts = " + ".join(f"{n:,} of {full[part]:,} {part}" for part, n in self.counts.items())
        else:
            parts = " + ".join(f"{n:,} {part}" for part, n in self.counts.items())
        if self.kind == "sample":
            line = f"Pictures: BUILT-IN SAMPLE, not the real set: {title}, {parts}"
        elif self.kind == "partial":
            line = f"Pictures: {title}, PARTIAL set from {self.where}: {parts}"
        else:
            line = f"Pictures: {title}, complete set from {self.where}: {parts}"
        return f"{line} ({self.note})." if self.note else f"{line}."


@dataclass(frozen=True, eq=False)
class Mnist:
    """Handwritten digits.

    Attributes:
        x_train, x_test: pictures, uint8, shape (pictures, 28, 28), 0 (paper) to 255 (ink).
        y_train, y_test: digits, uint8, shape (pictures,), 0 to 9.
        info: what they are. A sample or a partial set is smaller than the real one: a lesson that shows
            picture 7777 asks for ``min(7777, len(x_train) - 1)``.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    info: DatasetInfo


@dataclass(frozen=True)
class ImageFolders:
    """Folders of pictures, one folder a class, in a training and a test part."""

    train: Path
    test: Path
    class_names: tuple[str, ...]
    info: DatasetInfo


@dataclass(frozen=True)
class CarPlane:
    """Cars and planes: two folders with a folder a class, and one of test pictures without classes.

    ``test_labels`` maps the file name of a test picture to 0 (cars) or 1 (planes), in the order of the names.
    """

    train: Path
    validation: Path
    test: Path
    class_names: tuple[str, ...]
    test_labels: dict[str, int]
    info: DatasetInfo


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


@dataclass(frozen=True)
class PictureReport:
    """Pictures that can be streamed, and what was wrong with the others.

    Attributes:
        folder: the folder to stream from: the one that was given if all in it is well, otherwise a
            private one of links and converted copies that vanishes with the process.
        counts: usable pictures in each class, by class name.
        problems: one line for each file or folder that was converted or left out.
    """

    folder: Path
    counts: dict[str, int]
    problems: list[str] = field(default_factory=list)

    def describe(self, most: int = 10) -> str:
        """The counts, and the first few problems, one a line."""
        return _report(f"{sum(self.counts.values()):,} usable pictures", self.problems, most)


def _report(what: str, problems: list[str], most: int) -> str:
    lines = [f"{what}; {len(problems):,} problems"]
    lines += [f"  {problem}" for problem in problems[:most]]
    if len(problems) > most:
        lines.append(f"  ... and {len(problems) - most:,} more")
    return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class OwnPhotographs:
    """A student's own photographs, ready for a network, and what was wrong with the others.

    Attributes:
        names: file names, sorted.
        pictures: uint8, shape (photographs, height, width, 3), RGB, 0 to 255, in the order of the names.
        problems: one line for each file or folder that was converted, left out or ignored.
    """

    names: list[str]
    pictures: np.ndarray
    problems: list[str] = field(default_factory=list)

    def describe(self, most: int = 10) -> str:
        """The number of photographs, and the first few problems, one a line."""
        return _report(f"{len(self.names):,} of your own photographs", self.problems, most)


@dataclass(frozen=True)
class Place:
    """One row of :func:`status`: what is found of a set in one place.

    ``found`` is ``"complete"``, ``"partial"``, ``"sample"``, ``"random"`` (weights), ``"not asked"`` (the
    public source; its size is in ``detail``), ``"wrong"`` (something is there, and cannot be used) or
    ``"missing"``.
    """

    name: str
    place: str
    found: str
    detail: str


class _NotHere(Exception):
    """A place does not hold the set; the text says what is there instead, if anything is."""


class _DownloadFailed(Exception):
    """A public source did not give what it was asked for: one reason, one remedy."""

    def __init__(self, reason: str, remedy: str = ""):
        super().__init__(reason)
        self.remedy = remedy


# ---------------------------------------------------------------------------------------------------
# The three sets


def load_mnist(data_source: str = "auto") -> Mnist:
    """Load the MNIST digits of lesson 4 and print what was found.

    Args:
        data_source: ``"auto"``, ``"real"`` (no fall-back) or ``"sample"``.

    Returns:
        Arrays of uint8, see :class:`Mnist`. The built-in sample is scikit-learn's handwritten digits
        (8 x 8), enlarged to 28 x 28.

    Raises:
        CourseError: nothing real can be had and ``data_source`` is ``"real"``; ``COURSE_DATA_DIR`` does not
            exist or is empty, or its ``mnist.npz`` is damaged or holds something else.
    """
    return _find("mnist", data_source)


def find_intel_scenes(data_source: str = "auto") -> ImageFolders:
    """Find the Intel scenes of lesson 5 (150 x 150 RGB, six classes) and print what was found.

    Args and errors as for :func:`load_mnist`. The built-in sample is drawn by ``data/make_samples.py``.
    """
    return _find("intel-scenes", data_source)


def find_car_plane(data_source: str = "auto") -> CarPlane:
    """Find the cars and planes of lesson 6 (RGB, sizes vary) and print what was found.

    Args and errors as for :func:`load_mnist`. The built-in sample is drawn by ``data/make_samples.py``.
    """
    return _find("car-plane", data_source)


def source_in_use(data_source: str) -> str:
    """What ``data_source`` means here: ``"auto"`` becomes the value of ``COURSE_DATA_SOURCE``, if it is set.

    Raises:
        CourseError: either is not ``auto``, ``real`` or ``sample``.
    """
    allowed = ("auto", "real", "sample")
    if data_source not in allowed:
        raise CourseError(f"data_source={data_source!r} is not known: choose auto, real or sample.")
    if data_source != "auto":
        return data_source
    from_environment = os.environ.get("COURSE_DATA_SOURCE", "").strip() or "auto"
    if from_environment not in allowed:
        raise CourseError(
            f"COURSE_DATA_SOURCE={from_environment!r} is not known: set auto, real or sample, or unset it."
        )
    return from_environment


def status(name: str) -> list[Place]:
    """What is found of one set in each place, without asking the network.

    Args:
        name: one of :data:`NAMES`.

    Raises:
        CourseError: no such set; ``COURSE_DATA_DIR`` does not exist or is empty.
    """
    if name == VGG16:
        return _vgg16_status()
    the_set = _set_named(name)
    rows = []
    if not os.environ.get("COURSE_DATA_DIR", "").strip():
        rows.append(Place(name, IN_DATA_DIR, "missing", "the variable is not set"))
    for where, folder in _local_places():
        try:
            info = _look_in(the_set, folder, where).info
            detail = f"{_counts_in_words(info)} ({info.note})" if info.note else _counts_in_words(info)
            rows.append(Place(name, where, info.kind, detail))
        except _NotHere as reason:
            rows.append(Place(name, where, "wrong" if str(reason) else "missing", str(reason)))
        except CourseError as reason:
            rows.append(Place(name, where, "wrong", str(reason)))
    host = urllib.parse.urlsplit(the_set.address()).hostname
    rows.append(Place(name, "public source", "not asked", f"{host}, {the_set.megabytes:,} MB to download"))
    rows.append(Place(name, IN_SAMPLE, "sample", _counts_in_words(the_set.sample().info)))
    return rows


def fetch(name: str) -> DatasetInfo | FoundWeights:
    """Bring one set into the course's cache, unless a complete one is there or in ``COURSE_DATA_DIR``.

    Args:
        name: one of :data:`NAMES`.

    Returns:
        What there is now; it is printed, too.

    Raises:
        CourseError: no such set, or it could not be had: one line with the reason and the remedy.
    """
    if name == VGG16:
        return find_vgg16_weights("imagenet", "real")
    the_set = _set_named(name)
    for where, folder in _local_places():
        with contextlib.suppress(_NotHere, CourseError):
            found = _look_in(the_set, folder, where)
            if found.info.kind == "complete":
                print(found.info.describe())
                return found.info
    try:
        found = _download(the_set, patient=True)
    except _DownloadFailed as failure:
        raise CourseError(
            f"{the_set.title} cannot be fetched ({failure}): {_remedy(failure, the_set.folder)}."
        ) from None
    print(found.info.describe())
    return found.info


def _find(name: str, data_source: str) -> Mnist | ImageFolders | CarPlane:
    """Search the places in their order; print what was found, and why it was not the first choice."""
    source = source_in_use(data_source)
    the_set = SETS[name]
    if source == "sample":
        return _announced(the_set.sample())

    reasons = []
    for where, folder in _local_places():
        try:
            return _announced(_look_in(the_set, folder, where))
        except _NotHere as reason:
            reasons.append(f"{where}: {reason}" if str(reason) else f"not in {where}")
        except CourseError as reason:
            # A damaged file in the user's folder is theirs to mend; one in the cache is ours to replace.
            if where == IN_DATA_DIR:
                raise
            reasons.append(str(reason).partition(":")[0])
    try:
        return _announced(_download(the_set, patient=source == "real"))
    except _DownloadFailed as failure:
        why = "; ".join([*reasons, str(failure)])
        remedy = _remedy(failure, the_set.folder)
    if source == "real":
        raise CourseError(f"{the_set.title} cannot be had ({why}): {remedy}, or use data_source='sample'.")
    print(f"{the_set.title}: the real set cannot be had ({why}). To have it, {remedy}.")
    return _announced(the_set.sample())


def _announced(found: Mnist | ImageFolders | CarPlane) -> Mnist | ImageFolders | CarPlane:
    print(found.info.describe())
    return found


def _look_in(the_set: _Set, folder: Path, where: str) -> Mnist | ImageFolders | CarPlane:
    """Look for a set in one local place; raises _NotHere, or CourseError for a damaged file."""
    try:
        return the_set.inspect(folder, where)
    except OSError as error:
        raise _NotHere(f"{the_set.folder} cannot be read ({_plain(error)})") from None


def _remedy(failure: _DownloadFailed, folder: str) -> str:
    ours = f"set COURSE_DATA_DIR to a folder that holds {folder}"
    return failure.remedy or f"connect to the network, or {ours}"


def _local_places() -> list[tuple[str, Path]]:
    """The local places to look at, in order, as (name to print, folder)."""
    places = []
    named = os.environ.get("COURSE_DATA_DIR", "").strip()
    if named:
        folder = Path(named).expanduser()
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "does not exist"
            raise CourseError(
                f"COURSE_DATA_DIR={named!r} {what}: correct it, or unset it to use the public sources."
            )
        try:
            empty = next(folder.iterdir(), None) is None
        except OSError as error:
            raise CourseError(
                f"COURSE_DATA_DIR={named!r} cannot be read ({error.strerror}): correct it."
            ) from None
        if empty:
            raise CourseError(
                f"COURSE_DATA_DIR={named!r} is empty: correct it, or unset it to use the public sources."
            )
        places.append((IN_DATA_DIR, folder))
    places.append((IN_CACHE, cache_folder()))
    return places


def cache_folder() -> Path:
    """The folder in which downloads are kept (it need not exist yet)."""
    named = os.environ.get("COURSE_CACHE_DIR", "").strip()
    if named:
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("image-classification-course"))


def _counts_in_words(info: DatasetInfo) -> str:
    return " + ".join(f"{n:,} {part}" for part, n in info.counts.items())


# --- MNIST


def _inspect_mnist(folder: Path, where: str) -> Mnist:
    for path in (folder / "mnist" / "mnist.npz", folder / "mnist.npz"):
        if path.is_file():
            return _read_mnist(path, where)
    raise _NotHere("")


def _read_mnist(path: Path, where: str) -> Mnist:
    """Read an ``.npz`` and accept it by what its arrays hold."""
    name = f"mnist.npz in {where}"
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for key in MNIST_ARRAY_SHA256:
                if key not in archive.files:
                    raise CourseError(
                        f"{name} has no array {key!r} (it holds {', '.join(archive.files)}): replace it."
                    )
                arrays[key] = archive[key]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
        raise CourseError(
            f"{name} cannot be read (cut short or damaged: {_plain(error)}): replace it."
        ) from None

    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.ndim != 3 or x.shape[1:] != (28, 28) or len(x) == 0:
            raise CourseError(
                f"{name}: array 'x_{part}' is {x.dtype} of shape {x.shape}, "
                "not uint8 of (pictures, 28, 28): replace it."
            )
        if y.dtype != np.uint8 or y.shape != (len(x),):
            raise CourseError(
                f"{name}: array 'y_{part}' is {y.dtype} of shape {y.shape}, "
                f"not uint8 of ({len(x)},): replace it."
            )
        if y.max() > 9:
            raise CourseError(
                f"{name}: array 'y_{part}' holds the label {y.max()}, but digits are 0 to 9: replace it."
            )

    counts = {"train": len(arrays["x_train"]), "test": len(arrays["x_test"])}
    published = all(
        hashlib.sha256(np.ascontiguousarray(arrays[key]).data).hexdigest() == wanted
        for key, wanted in MNIST_ARRAY_SHA256.items()
    )
    note = ""
    if not published and counts == FULL_COUNTS["mnist"]:
        note = "as many pictures as the published set, but not the same ones"
    info = DatasetInfo("mnist", "complete" if published else "partial", counts, where, note)
    return Mnist(**arrays, info=info)


def _download_mnist(cache: Path) -> None:
    _fetch_files(
        MNIST_URL.rsplit("/", 1)[0] + "/",
        {MNIST_URL.rsplit("/", 1)[1]: MNIST_FILE_SHA256},
        cache / "mnist",
        title="MNIST digits",
    )


def _sample_mnist() -> Mnist:
    """scikit-learn's 1,797 handwritten digits, enlarged; every fifth of each digit is a test picture."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = np.zeros((len(digits.images), 28, 28), np.uint8)
    for picture, small in zip(pictures, digits.images, strict=True):
        # MNIST draws a digit 20 pixels tall in the middle of 28; 0..16 becomes 0..255.
        grey = Image.fromarray(np.rint(small * (255 / 16)).astype(np.uint8))
        picture[4:24, 4:24] = np.asarray(grey.resize((20, 20), Image.Resampling.BICUBIC))
    labels = digits.target.astype(np.uint8)
    is_test = np.zeros(len(labels), bool)
    for digit in range(10):
        is_test[np.flatnonzero(labels == digit)[4::5]] = True
    counts = {"train": int((~is_test).sum()), "test": int(is_test.sum())}
    info = DatasetInfo("mnist", "sample", counts, IN_SAMPLE, "scikit-learn's 8x8 digits, enlarged to 28x28")
    return Mnist(pictures[~is_test], labels[~is_test], pictures[is_test], labels[is_test], info)


# --- Intel scenes


def _inspect_intel(folder: Path, where: str) -> ImageFolders:
    for base in (folder / "intel-scenes", folder):
        if (
            (base / "seg_train").is_dir()
            or (base / "seg_test").is_dir()
            or base.name == "intel-scenes"
            and base.is_dir()
        ):
            break
    else:
        raise _NotHere("")
    parts = {}
    for part in ("seg_train", "seg_test"):
        if not (base / part).is_dir():
            raise _NotHere(f"intel-scenes has no folder {part}")
        # The public archive repeats the folder's name: seg_train/seg_train/<class>.
        inner = base / part / part
        parts[part] = inner if inner.is_dir() else base / part
    ignored: list[str] = []
    train = _count_classes(parts["seg_train"], SCENE_CLASSES, "intel-scenes/seg_train", ignored)
    test = _count_classes(parts["seg_test"], SCENE_CLASSES, "intel-scenes/seg_test", ignored)
    counts = {"train": sum(train.values()), "test": sum(test.values())}
    kind = "complete" if counts == FULL_COUNTS["intel-scenes"] else "partial"
    info = DatasetInfo("intel-scenes", kind, counts, where, _ignored_note(ignored))
    return ImageFolders(parts["seg_train"], parts["seg_test"], SCENE_CLASSES, info)


def _download_intel(cache: Path) -> None:
    """Through kagglehub, into a folder of its own until it has been verified."""
    staging = cache / "kagglehub.part"
    # kagglehub takes its folder from the environment, tells the log where it writes, and draws on stderr.
    for_kagglehub = {"KAGGLEHUB_CACHE": str(staging), "KAGGLEHUB_VERBOSITY": "error"}
    with _environment(for_kagglehub), contextlib.redirect_stderr(sys.stdout):
        import kagglehub

        logging.getLogger("kagglehub").setLevel(logging.ERROR)
        unpacked = Path(kagglehub.dataset_download(INTEL_HANDLE))

    print("Checking every picture ...", flush=True)
    try:
        found = _inspect_intel(unpacked, IN_CACHE)
        if found.info.kind != "complete":
            raise _NotHere(f"{_counts_in_words(found.info)} pictures in place of 14,034 train + 3,000 test")
        for part in (found.train, found.test):
            problems = usable_pictures(part, SCENE_CLASSES, not_rgb="skip").problems
            if problems:
                raise _NotHere(problems[0])
    except (_NotHere, CourseError) as reason:
        shutil.rmtree(staging, ignore_errors=True)
        raise _DownloadFailed(f"what Kaggle sent is not the published set: {reason}", _LATER) from None

    target = cache / "intel-scenes"
    if staging in unpacked.parents:
        _replace_folder(unpacked, target)
        shutil.rmtree(staging, ignore_errors=True)
    else:
        # Colab and Kaggle mount the set read-only at a place of their own.
        target.symlink_to(unpacked, target_is_directory=True)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _sample_intel() -> ImageFolders:
    found = _drawn_sample(_inspect_intel)
    info = DatasetInfo("intel-scenes", "sample", found.info.counts, IN_SAMPLE, "drawn, not photographed")
    return ImageFolders(found.train, found.test, found.class_names, info)


def _drawn_sample(inspect: Callable[[Path, str], ImageFolders | CarPlane]) -> ImageFolders | CarPlane:
    try:
        return inspect(SAMPLES_FOLDER, IN_SAMPLE)
    except (_NotHere, OSError):
        raise CourseError(
            "the built-in samples are not beside the course: draw them with python data/make_samples.py."
        ) from None


# --- Cars and planes


def _inspect_car_plane(folder: Path, where: str) -> CarPlane:
    for base in (folder / "car-plane", folder):
        if (base / "training_set").is_dir() or base.name == "car-plane" and base.is_dir():
            break
    else:
        raise _NotHere("")
    for part in ("training_set", "val_set", "test"):
        if not (base / part).is_dir():
            raise _NotHere(f"car-plane has no folder {part}")
    ignored: list[str] = []
    train = _count_classes(base / "training_set", CAR_PLANE_CLASSES, "car-plane/training_set", ignored)
    validation = _count_classes(base / "val_set", CAR_PLANE_CLASSES, "car-plane/val_set", ignored)

    own_labels = base / "test-labels.csv"
    labels = _read_labels(own_labels if own_labels.is_file() else CAR_PLANE_LABELS)
    there = sorted(path.name for path in _pictures_in(base / "test"))
    test_labels = {name: labels[name] for name in there if name in labels}
    if not test_labels:
        raise _NotHere("car-plane/test holds no picture whose label is known")
    ignored += [f"car-plane/test/{name}" for name in there if name not in labels]

    counts = {"train": sum(train.values()), "validation": sum(validation.values()), "test": len(test_labels)}
    kind = "partial"
    note = _ignored_note(ignored)
    if counts == FULL_COUNTS["car-plane"]:
        changed = [name for name, wanted in _car_plane_checksums().items() if _sha256(base / name) != wanted]
        if changed:
            note = f"not as published: {changed[0]}" + (
                f" and {len(changed) - 1} more" if changed[1:] else ""
            )
        else:
            kind = "complete"
    info = DatasetInfo("car-plane", kind, counts, where, note)
    return CarPlane(
        base / "training_set", base / "val_set", base / "test", CAR_PLANE_CLASSES, test_labels, info
    )


def _read_labels(path: Path) -> dict[str, int]:
    """File name -> class number, from a table with the columns file, label, class."""
    with path.open(encoding="utf-8", newline="") as table:
        return {row["file"]: int(row["label"]) for row in csv.DictReader(table)}


def _car_plane_checksums() -> dict[str, str]:
    """Relative file name -> SHA-256, from the lines ``<sha256>  <name>`` that sha256sum reads and writes."""
    lines = CAR_PLANE_CHECKSUMS.read_text(encoding="utf-8").splitlines()
    return {line[66:]: line[:64] for line in lines if line}


def _download_car_plane(cache: Path) -> None:
    # File by file into a folder of its own, renamed when all are there: an interrupted download goes on
    # where it stopped, and is never taken for the set.
    staging = cache / "car-plane.part"
    _fetch_files(CAR_PLANE_URL, _car_plane_checksums(), staging, title="Cars and planes")
    _replace_folder(staging, cache / "car-plane")


def _sample_car_plane() -> CarPlane:
    found = _drawn_sample(_inspect_car_plane)
    info = DatasetInfo("car-plane", "sample", found.info.counts, IN_SAMPLE, "drawn, not photographed")
    return CarPlane(found.train, found.validation, found.test, found.class_names, found.test_labels, info)


@dataclass(frozen=True)
class _Set:
    """How one set is found, downloaded and replaced."""

    title: str
    folder: str  # its name inside COURSE_DATA_DIR
    megabytes: int
    address: Callable[[], str]  # asked before a download: does anybody answer there?
    inspect: Callable[[Path, str], Mnist | ImageFolders | CarPlane]
    download: Callable[[Path], None]
    sample: Callable[[], Mnist | ImageFolders | CarPlane]


SETS = {
    "mnist": _Set(
        title="MNIST digits",
        folder="mnist/mnist.npz",
        megabytes=11,
        address=lambda: MNIST_URL,
        inspect=_inspect_mnist,
        download=_download_mnist,
        sample=_sample_mnist,
    ),
    "intel-scenes": _Set(
        title="Intel scenes",
        folder="intel-scenes/",
        megabytes=360,
        address=lambda: KAGGLE_URL,
        inspect=_inspect_intel,
        download=_download_intel,
        sample=_sample_intel,
    ),
    "car-plane": _Set(
        title="Cars and planes",
        folder="car-plane/",
        megabytes=16,
        address=lambda: CAR_PLANE_URL + urllib.parse.quote(next(iter(_car_plane_checksums()))),
        inspect=_inspect_car_plane,
        download=_download_car_plane,
        sample=_sample_car_plane,
    ),
}
VGG16 = "vgg16-weights"
NAMES = (*SETS, VGG16)


def _set_named(name: str) -> _Set:
    if name not in NAMES:
        raise CourseError(f"there is no set named {name!r}: choose {', '.join(NAMES)}.")
    return SETS[name]


# ---------------------------------------------------------------------------------------------------
# Folders of pictures


def usable_pictures(
    folder: Path | str,
    class_names: Sequence[str],
    *,
    unusable: str = "skip",
    not_rgb: str = "convert",
) -> PictureReport:
    """Look at every picture, and give a folder that Keras's ``image_dataset_from_directory`` can stream.

    Every file is decoded once: one damaged picture would otherwise stop a training run half-way, with an
    error that does not name the file. Nothing in ``folder`` is changed.

    Args:
        folder: holds one folder for each class; other folders in it are reported and ignored.
        class_names: the classes, as ``image_dataset_from_directory(class_names=...)`` gets them; an empty
            sequence means that the pictures lie directly in ``folder``.
        unusable: what to do with a file that is no picture, is cut short or is less than two pixels wide or
            high: ``"skip"`` leaves it out, ``"error"`` raises.
        not_rgb: what to do with a picture that is not RGB (grey, CMYK, palette, transparent) or that
            TensorFlow cannot decode (WebP, TIFF): ``"convert"`` puts an RGB copy in its place (transparent
            pixels become white), ``"skip"`` leaves it out.

    Returns:
        A report with the folder to stream from, the usable pictures of each class and the problems.

    Raises:
        CourseError: the folder or a class folder is missing, a class has no usable picture, or a file
            cannot be used and ``unusable`` is ``"error"``.
    """
    if unusable not in ("skip", "error"):
        raise CourseError(f"unusable={unusable!r} is not known: choose skip or error.")
    if not_rgb not in ("convert", "skip"):
        raise CourseError(f"not_rgb={not_rgb!r} is not known: choose convert or skip.")
    folder = Path(folder)
    if not folder.is_dir():
        raise CourseError(f"the picture folder {folder.name!r} does not exist: check the path.")
    problems: list[str] = []
    if class_names:
        missing = [name for name in class_names if not (folder / name).is_dir()]
        if missing:
            raise CourseError(
                f"{folder.name} has no class folder {', '.join(missing)}: add it or check the path."
            )
        for entry in sorted(folder.iterdir()):
            if entry.name not in class_names:
                what = "unexpected folder" if entry.is_dir() else "unexpected file"
                problems.append(f"{entry.name}: {what}, ignored")

    inside: list[tuple[str, Path]] = []
    for name in class_names or ("",):
        for entry in sorted((folder / name).iterdir()):
            if entry.is_dir():
                problems.append(f"{_inside(name, entry)}: unexpected folder, ignored")
            else:
                inside.append((name, entry))

    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 2)) as pool:
        warnings.simplefilter("ignore")
        verdicts = list(pool.map(_look_at, (path for _, path in inside), chunksize=1))

    counts = dict.fromkeys(class_names or ("pictures",), 0)
    kept: list[tuple[str, Path, bool]] = []
    for (name, path), (verdict, reason) in zip(inside, verdicts, strict=True):
        label = _inside(name, path)
        if verdict == "unusable":
            if unusable == "error":
                raise CourseError(f"{label} {reason}: replace it, remove it, or leave such files out.")
            problems.append(f"{label}: {reason}, left out")
            continue
        if verdict == "not rgb":
            if not_rgb == "skip":
                problems.append(f"{label}: {reason}, left out")
                continue
            problems.append(f"{label}: {reason}, converted to RGB")
        kept.append((name, path, verdict == "not rgb"))
        counts[name or "pictures"] += 1
    for name, count in counts.items():
        if count == 0:
            raise CourseError(
                f"{folder.name} has no usable picture of class {name!r}: add some or check the path."
            )
    if not problems:
        return PictureReport(folder, counts, problems)

    private = Path(tempfile.mkdtemp(prefix="course-pictures-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    for name in class_names:
        (private / name).mkdir()
    for name, path, convert in kept:
        if convert:
            _write_rgb(path, private / name)
        else:
            _link(path.resolve(), private / name / path.name)
    return PictureReport(private, counts, problems)


def _inside(name: str, path: Path) -> str:
    return f"{name}/{path.name}" if name else path.name


def _look_at(path: Path) -> tuple[str, str]:
    """Decode one picture: ("good" | "not rgb" | "unusable", reason)."""
    from PIL import Image, UnidentifiedImageError

    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return "unusable", "is no picture by its name"
    if not path.is_file():  # a broken link; or a pipe, which would be waited for
        return "unusable", "is no file"
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as picture:
            mode, form, size = picture.mode, picture.format, picture.size
            transparent = "transparency" in picture.info
            # A JPEG can be decoded at an eighth of its size; that still reads the file to its end.
            picture.draft(None, (max(1, size[0] // 8), max(1, size[1] // 8)))
            picture.load()
    except UnidentifiedImageError:
        return "unusable", "is no picture" if content else "is empty"
    except Image.DecompressionBombError:
        return "unusable", "is too large to decode safely"
    except Exception as error:  # a damaged file may make a decoder raise anything
        return "unusable", f"is cut short or damaged ({_plain(error)})"
    # Pillow forgives a missing end, TensorFlow does not.
    if not _has_its_end(content, form):
        return "unusable", "is cut short (its end is missing)"
    if min(size) < 2:
        return "unusable", f"is only {size[0]}x{size[1]} pixels"
    if form not in DECODED_BY_TENSORFLOW:
        return "not rgb", f"is stored as {form}"
    if mode != "RGB" or transparent:
        return "not rgb", f"is {'transparent' if transparent else MODES.get(mode, mode)}, not RGB"
    return "good", ""


# A JPEG is a row of marked segments; 0xFF followed by one of these does not mark one.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")


def _has_its_end(content: bytes, form: str | None) -> bool:
    """Whether a JPEG or PNG reaches its own end; a camera may hang a film behind it."""
    if form == "PNG":
        return b"IEND\xaeB`\x82" in content
    if form not in ("JPEG", "MPO"):
        return True
    position = 2
    while marker := _JPEG_MARKER.search(content, position):
        position = marker.end()
        if content[position - 1] == 0xD9:
            return True
        # Over the segment, with the thumbnail that may lie in it; what follows a scan is searched.
        position += int.from_bytes(content[position : position + 2], "big")
    return False


def _write_rgb(path: Path, folder: Path) -> None:
    """Write an RGB copy into ``folder``; white behind transparent pixels."""
    from PIL import Image

    with Image.open(path) as picture:
        rgb = _on_white(_eight_bits(picture))
        # The whole old name stays in the new one: a.jpg and a.png must not meet.
        rgb.save(folder / f"{path.name}.png")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale a grey picture of 16 or 32 bits to 0..255: Pillow would clip at 255 what reaches to 65,535."""
    from PIL import Image

    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;"):
        return picture
    values = np.asarray(picture, dtype=np.float32)
    top = 65535 if picture.mode.startswith("I;") or values.max() > 255 else 255
    return Image.fromarray(np.clip(values * (255 / top), 0, 255).astype(np.uint8))


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB, white behind its transparent pixels."""
    from PIL import Image

    if _is_transparent(picture):
        with_alpha = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), with_alpha)
    return picture.convert("RGB")


def _link(source: Path, target: Path) -> None:
    """A link where the system allows one, else a copy."""
    for make in (os.symlink, os.link, shutil.copyfile):
        try:
            make(source, target)
            return
        except OSError:
            if make is shutil.copyfile:
                raise


def _pictures_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())


def _count_classes(
    folder: Path, class_names: Sequence[str], label: str, ignored: list[str]
) -> dict[str, int]:
    """Pictures in each class; strays go to ``ignored``; a missing or empty class means: not this set."""
    strays = sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name not in class_names
    )
    missing = [name for name in class_names if not (folder / name).is_dir()]
    if missing:
        found = f" (it holds {', '.join(strays)})" if strays else ""
        raise _NotHere(f"{label} lacks the class folders {', '.join(missing)}{found}")
    counts = {name: sum(1 for _ in _pictures_in(folder / name)) for name in class_names}
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        raise _NotHere(f"{label} has no pictures in {', '.join(empty)}")
    ignored += [f"{label}/{name}" for name in strays]
    return counts


def _ignored_note(ignored: list[str]) -> str:
    if not ignored:
        return ""
    more = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
    return f"ignored: {', '.join(ignored[:3])}{more}"


# ---------------------------------------------------------------------------------------------------
# A student's own photographs

MOST_PHOTOGRAPHS = 200
# Decoded in memory: 40 million pixels are 120 MB in RGB, 320 MB if they are transparent. Only a JPEG can be
# decoded at an eighth of its size.
MOST_MEGAPIXELS, MOST_MEGAPIXELS_JPEG = 40, 150
NO_PHOTOGRAPHS = ("desktop.ini", "thumbs.db")  # what systems put into folders unasked
NOT_READ_HERE = {
    ".heic": "is a HEIC photograph, which cannot be read here: save it as JPEG",
    ".heif": "is a HEIF photograph, which cannot be read here: save it as JPEG",
    ".mov": "is a film",
    ".mp4": "is a film",
}


def own_photographs(folder: Path | str, size: tuple[int, int] = (150, 150)) -> OwnPhotographs:
    """Read a student's own photographs from one folder (lessons 5 and 6).

    Every picture that Pillow reads is taken, whatever its name says: turned upright by its EXIF data,
    converted to RGB, transparent pixels laid on white, and stretched to ``size``; nothing is cropped, as with
    the course's own pictures. A larger photograph is made smaller by averaging over all its pixels, as
    ``tf.image.resize(..., antialias=True)`` does. Plain ``tf.image.resize`` looks at four pixels for
    each of its own: of a telephone's photograph a network of 150 x 150 would see one pixel in a hundred, and
    speckle where there was grass. A smaller picture, where there is nothing to average, comes out as plain
    ``tf.image.resize`` makes it. Nothing in the folder is changed.

    Args:
        folder: holds the photographs; hidden files are skipped, folders in it are named and not opened.
        size: height and width of the result in pixels.

    Returns:
        Names, pictures and problems, see :class:`OwnPhotographs`. Left out and named: what is no picture, is
        cut short, less than two pixels wide or high, or too large to decode safely, and whatever comes after
        the first 200.

    Raises:
        CourseError: the folder is missing, is a file, or has no photograph that can be used.
    """
    named = str(folder)
    place = Path(named)
    with contextlib.suppress(RuntimeError):  # no such user, so no such folder either
        place = place.expanduser()
    height, width = size
    if not named.strip():
        raise CourseError("no folder of photographs is named: give its path.")
    if not place.is_dir():
        what = "is a file: name the folder that it lies in"
        if not place.exists():
            start = "" if place.is_absolute() else f", which starts in the folder {Path.cwd().name!r}"
            what = f"does not exist: check the path{start}"
        raise CourseError(f"the folder of photographs {named!r} {what}.")
    try:
        entries = sorted(entry for entry in place.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise CourseError(
            f"the folder {named!r} cannot be read ({_plain(error)}): check its rights."
        ) from None
    entries = [entry for entry in entries if entry.name.lower() not in NO_PHOTOGRAPHS]

    names: list[str] = []
    pictures: list[np.ndarray] = []
    problems: list[str] = []
    for position, entry in enumerate(entries):
        if len(names) == MOST_PHOTOGRAPHS:
            rest = len(entries) - position
            problems.append(
                f"{entry.name} and all after it ({rest:,}): left out, {MOST_PHOTOGRAPHS} are the most"
            )
            break
        if entry.is_dir():
            problems.append(f"{entry.name}: is a folder, ignored")
            continue
        pixels, remark = _read_photograph(entry, (width, height))
        if remark:
            problems.append(f"{entry.name}: {remark}")
        if pixels is not None:
            names.append(entry.name)
            pictures.append(pixels)
    if not names:
        more = f"; and {len(problems) - 1:,} more" if problems[1:] else ""
        found = f" ({problems[0]}{more})" if problems else ", it is empty"
        raise CourseError(
            f"the folder {named!r} has no photograph that can be used{found}: put JPEG or PNG files into it."
        )
    return OwnPhotographs(names, np.stack(pictures), problems)


def _read_photograph(path: Path, size: tuple[int, int]) -> tuple[np.ndarray | None, str]:
    """Read one photograph at (width, height): its pixels, or None, and what is to be said about it."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if path.suffix.lower() in NOT_READ_HERE:
        return None, f"{NOT_READ_HERE[path.suffix.lower()]}, left out"
    if not path.is_file():  # a broken link; or a pipe, which would be waited for
        return None, "is no file, left out"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                across, down = picture.size
                # All coefficients of a progressive JPEG lie in memory, however small it is decoded.
                scalable = picture.format in ("JPEG", "MPO") and not picture.info.get("progressive")
                if across * down > 1e6 * (MOST_MEGAPIXELS_JPEG if scalable else MOST_MEGAPIXELS):
                    return None, f"has {across:,} x {down:,} pixels, too large to decode safely, left out"
                if min(across, down) < 2:
                    return None, f"is only {across}x{down} pixels, left out"
                mode = "transparent" if _is_transparent(picture) else MODES.get(picture.mode, picture.mode)
                picture.draft(None, (2 * max(size), 2 * max(size)))  # a JPEG is decoded smaller at once
                picture.load()
                with contextlib.suppress(Exception):  # damaged EXIF data do not spoil the picture
                    ImageOps.exif_transpose(picture, in_place=True)
                # Resized before it is laid on white: Pillow weighs colours by their opacity.
                kind = "RGBA" if _is_transparent(picture) else "RGB"
                whole = _eight_bits(picture)
                whole = whole if whole.mode == kind else whole.convert(kind)  # which would copy
                pixels = np.asarray(_on_white(whole.resize(size, Image.Resampling.BILINEAR)))
    except UnidentifiedImageError:
        return None, "is no picture that can be read here, left out"
    except Image.DecompressionBombError:
        return None, "is too large to decode safely, left out"
    except PermissionError as error:
        return None, f"cannot be read ({_plain(error)}), left out"
    except Exception as error:  # a damaged file may make a decoder raise anything
        return None, f"is cut short or damaged ({_plain(error)}), left out"
    return pixels, "" if mode == "RGB" else f"is {mode}, not RGB, converted"


# ---------------------------------------------------------------------------------------------------
# Downloads

_LATER = "try again later, or set COURSE_DATA_DIR to a folder that holds the set"
_silent: dict[str, tuple[float, str]] = {}  # address -> (when it kept silent, what was seen)
_waited = 0.0  # seconds that this process has waited for silent sources


def _download(the_set: _Set, patient: bool) -> Mnist | ImageFolders | CarPlane:
    """Bring a set into the cache and read it there; every failure is a _DownloadFailed of one line."""
    host = _ask(the_set.address(), patient)
    cache = cache_folder()
    print(
        f"Downloading {the_set.title} from {host} into the course's cache: {the_set.megabytes:,} MB ...",
        flush=True,
    )
    with _failures_in_words(host, the_set.megabytes):
        cache.mkdir(parents=True, exist_ok=True)
        the_set.download(cache)
    try:
        return _look_in(the_set, cache, IN_CACHE)
    except (_NotHere, CourseError) as reason:
        raise _DownloadFailed(f"what {host} sent is not the set ({reason})", _LATER) from None


def _ask(address: str, patient: bool) -> str:
    """Ask a source whether it answers; return its host name.

    A patient caller (``data_source="real"``) always asks anew, with the whole time.
    """
    global _waited
    silent_since, seen = _silent.get(address, (float("-inf"), ""))
    if not patient and time.monotonic() - silent_since < REMEMBER_SECONDS:
        raise _DownloadFailed(seen)

    host = urllib.parse.urlsplit(address).hostname or address
    limit = ANSWER_SECONDS if patient else max(1.0, ANSWER_SECONDS - _waited)
    answer: list[_DownloadFailed | None] = []
    # Beside the caller, because looking up a name has no time limit of its own.
    question = threading.Thread(target=lambda: answer.append(_head(address, host, limit)), daemon=True)
    started = time.monotonic()
    question.start()
    question.join(limit)
    failure = answer[0] if answer else _DownloadFailed(f"no answer from {host} in {limit:.0f} seconds")
    if failure:
        _waited += time.monotonic() - started
        _silent[address] = (time.monotonic(), str(failure))
        raise failure
    _silent.pop(address, None)
    return host


def _head(address: str, host: str, limit: float) -> _DownloadFailed | None:
    request = urllib.request.Request(
        address, method="HEAD", headers={"User-Agent": "image-classification-course"}
    )
    try:
        with urllib.request.urlopen(request, timeout=limit):
            return None
    except urllib.error.HTTPError as error:
        # Whatever Kaggle says to a program that asks for its front page, it is there.
        if address == KAGGLE_URL or error.code in (405, 501):
            return None
        return _DownloadFailed(f"{host} answered {error.code} for {_file_of(address)}", _LATER)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _DownloadFailed(f"no answer from {host}: {_plain(getattr(error, 'reason', error))}")


@contextlib.contextmanager
def _failures_in_words(host: str, megabytes: int) -> Iterator[None]:
    """Turn what downloaders raise into a _DownloadFailed that names the thing and the remedy."""
    import requests

    try:
        yield
    except _DownloadFailed:
        raise
    except requests.HTTPError as error:
        if error.response is None:
            raise _DownloadFailed(f"{host} refused: {_plain(error)}", _LATER) from None
        file = _file_of(error.response.url)
        raise _DownloadFailed(f"{host} answered {error.response.status_code} for {file}", _LATER) from None
    except requests.RequestException:
        raise _DownloadFailed(f"the connection to {host} was cut", _LATER) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            reason, remedy = "the disk is full", f"free {2 * megabytes:,} MB"
        else:
            reason, remedy = f"the course's cache cannot be written: {_plain(error)}", "make it writable"
        raise _DownloadFailed(reason, f"{remedy}, or set COURSE_CACHE_DIR to another folder") from None
    except Exception as error:
        # pooch raises ValueError("SHA256 hash of downloaded file (...) does not match ..."); kagglehub has a
        # family of errors of its own.
        if "hash" in str(error) or type(error).__name__ == "DataCorruptionError":
            reason = f"wrong checksum: what {host} sent is damaged or has been replaced"
        else:
            reason = f"{host}: {type(error).__name__}: {_plain(error)}"
        raise _DownloadFailed(reason, _LATER) from None


def _fetch_files(base_url: str, checksums: dict[str, str], folder: Path, title: str) -> None:
    """Download files that are not there yet, each checked and then renamed into its place (by pooch)."""
    import pooch
    from tqdm import tqdm

    pooch.get_logger().setLevel("WARNING")  # it tells stderr about each file
    manager = pooch.create(
        path=folder,
        base_url=base_url,
        registry=checksums,
        urls={name: base_url + urllib.parse.quote(name) for name in checksums},
        retry_if_failed=RETRIES,
    )
    alone = len(checksums) == 1

    def download(url: str, output_file: str, manager: pooch.Pooch) -> None:
        if not alone:
            pooch.HTTPDownloader(chunk_size=65_536, timeout=(5, 15))(url, output_file, manager)
            return
        # pooch sets the total; a bar without one would count as no bar.
        with tqdm(desc=title, total=1, file=sys.stdout, unit="B", unit_scale=True, ncols=79) as bar:
            pooch.HTTPDownloader(progressbar=bar, chunk_size=65_536, timeout=(5, 15))(
                url, output_file, manager
            )

    if alone:
        manager.fetch(next(iter(checksums)), downloader=download)
        return
    for name in checksums:
        # Four threads of pooch would trip over each other in making the same folder.
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    with (
        ThreadPoolExecutor(4) as pool,
        tqdm(total=len(checksums), desc=title, file=sys.stdout, unit="file", ncols=79) as bar,
    ):
        jobs = [pool.submit(manager.fetch, name, downloader=download) for name in checksums]
        try:
            for job in jobs:
                job.result()
                bar.update()
        except BaseException:
            # Ctrl-C too: what has not begun is not begun any more.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _replace_folder(source: Path, target: Path) -> None:
    """Rename a finished folder into its place; one that is there already makes way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.with_name(f"{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    source.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _sha256(path: Path) -> str:
    """SHA-256 of a file's bytes; empty if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _file_of(address: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(address).path.rsplit("/", 1)[-1]) or "its front page"


def _plain(error: object) -> str:
    """The first line of what an error says, without its number."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")


# ---------------------------------------------------------------------------------------------------
# Weights for VGG16


def find_vgg16_weights(weights: str = "imagenet", data_source: str = "auto") -> FoundWeights:
    """Find weights for lesson 6's VGG16 base without its top, and print what was found.

    Args:
        weights: ``"imagenet"`` (downloaded once through Keras into its own cache, 59 MB; a copy in
            ``COURSE_DATA_DIR`` serves, too), ``"random"``, or the path of a weights file (``.weights.h5`` or
            ``.h5``) for VGG16 without its top.
        data_source: with ``"auto"``, random weights take the place of ImageNet's that cannot be had; with
            ``"sample"`` nothing is downloaded; with ``"real"`` there is no fall-back.

    Returns:
        What to give to Keras, see :class:`FoundWeights`.

    Raises:
        CourseError: the file does not exist or does not hold these weights; ImageNet's weights cannot be
            had and ``data_source`` is ``"real"``.
    """
    source = source_in_use(data_source)
    if weights == "random":
        found = FoundWeights(None, "random", "VGG16 weights: RANDOM, nothing learnt yet.")
    elif weights != "imagenet":
        found = _weights_file(weights)
    else:
        try:
            path = _imagenet_weights(source)
            found = FoundWeights(path, "imagenet", "VGG16 weights: learnt on ImageNet.")
        except _DownloadFailed as failure:
            if source == "real":
                remedy = failure.remedy or f"connect to the network, or put {VGG16_FILE} into COURSE_DATA_DIR"
                raise CourseError(
                    f"VGG16's ImageNet weights cannot be had ({failure}): {remedy}, or use weights='random'."
                ) from None
            note = f"VGG16 weights: RANDOM, not ImageNet's, which cannot be had here ({failure})."
            found = FoundWeights(None, "random", note)
    print(found.note)
    return found


def _vgg16_places() -> list[tuple[str, Path]]:
    """Where a file of ImageNet weights may lie on this machine."""
    places = [("Keras's cache", _keras_folder() / "models" / VGG16_FILE)]
    if os.environ.get("COURSE_DATA_DIR", "").strip():
        folder = _local_places()[0][1]
        at_top = folder / VGG16_FILE
        places.insert(0, (IN_DATA_DIR, at_top if at_top.is_file() else folder / "vgg16" / VGG16_FILE))
    return places


def _vgg16_status() -> list[Place]:
    rows = []
    for where, path in _vgg16_places():
        if not path.is_file():
            rows.append(Place(VGG16, where, "missing", ""))
        elif _md5(path) == VGG16_MD5:
            rows.append(Place(VGG16, where, "complete", "learnt on ImageNet"))
        else:
            rows.append(Place(VGG16, where, "wrong", f"{VGG16_FILE} has the wrong checksum"))
    rows.append(Place(VGG16, "public source", "not asked", "storage.googleapis.com, 59 MB to download"))
    rows.append(Place(VGG16, "stand-in", "random", "random weights, marked as such"))
    return rows


def _vgg16_module() -> ModuleType:
    """The module of Keras that knows the address of the weights."""
    import keras

    return sys.modules[keras.applications.VGG16.__module__]


def _keras_folder() -> Path:
    """Keras's own cache, by the rule that its documentation gives."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def _weights_file(name: str) -> FoundWeights:
    path = Path(name).expanduser()
    if not path.is_file():
        raise CourseError(f"weights={name!r} is neither 'imagenet', 'random' nor a file that exists.")
    if path.suffix != ".h5":
        raise CourseError(f"weights={name!r} is no weights file: its name must end in .weights.h5 or .h5.")
    import keras

    try:
        # The one sure way to know is to load them. Keras warns at length before it raises.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            keras.applications.VGG16(weights=str(path), include_top=False, input_shape=(32, 32, 3))
    except Exception as error:
        raise CourseError(
            f"weights={name!r} does not hold the weights of VGG16 without its top "
            f"(cut short, or of another network: {_plain(error)}): replace it."
        ) from None
    return FoundWeights(str(path), "file", f"VGG16 weights: from the file {path.name}.")


def _imagenet_weights(source: str) -> str:
    """Path of the verified ImageNet weights; raises _DownloadFailed."""
    for _, path in _vgg16_places():
        if path.is_file() and _md5(path) == VGG16_MD5:
            return str(path)
    if source == "sample":
        raise _DownloadFailed("data_source is sample, so nothing is downloaded")

    import keras

    address = _vgg16_module().WEIGHTS_PATH_NO_TOP
    host = _ask(address, patient=source == "real")
    print(f"Downloading VGG16 weights from {host} into Keras's cache: 59 MB ...", flush=True)
    later = f"try again later, or put {VGG16_FILE} into COURSE_DATA_DIR"
    failure = _DownloadFailed("")
    unwritable = "free 120 MB, or set KERAS_HOME to another folder"
    try:
        _keras_folder().mkdir(parents=True, exist_ok=True)  # or Keras takes a folder below /tmp
    except OSError as error:
        raise _DownloadFailed(f"Keras's cache cannot be written: {_plain(error)}", unwritable) from None
    for attempt in range(RETRIES + 1):
        time.sleep(attempt)
        # Keras sets no time limit of its own: without one, a silent server would hold a class for ever.
        limit_before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(15)
        try:
            return keras.utils.get_file(
                VGG16_FILE,
                address,
                cache_dir=str(_keras_folder()),
                cache_subdir="models",
                file_hash=VGG16_MD5,
            )
        except Exception as error:  # Keras raises a plain Exception for an address that fails
            if isinstance(error, ValueError) and "hash" in str(error):
                (_keras_folder() / "models" / VGG16_FILE).unlink(missing_ok=True)  # Keras leaves it behind
                reason = f"wrong checksum: what {host} sent is damaged or has been replaced"
                failure = _DownloadFailed(reason, later)
            elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
                reason = f"Keras's cache cannot be written: {_plain(error)}"
                raise _DownloadFailed(reason, unwritable) from None
            else:
                failure = _DownloadFailed(f"the download from {host} failed: {_plain(error)}", later)
        finally:
            socket.setdefaulttimeout(limit_before)
    raise failure


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()

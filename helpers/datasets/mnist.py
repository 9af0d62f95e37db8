"""The MNIST digits: one file of arrays, from the Keras bucket."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import CourseError
from helpers.datasets._common import IN_SAMPLE, DatasetInfo, NotHere, is_file, plain
from helpers.datasets._download import fetch_files

NAME, TITLE, FOLDER, MEGABYTES = "mnist", "MNIST digits", "mnist/mnist.npz", 11
PUBLISHED = {"train": 60_000, "test": 10_000}
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
FILE_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
# SHA-256 of each array's bytes: the same for every honest copy, however the file was compressed.
ARRAY_SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


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


def look(folder: Path, where: str) -> Mnist:
    """Read ``mnist.npz``, and accept it by what its arrays hold."""
    path = next((p for p in (folder / "mnist" / "mnist.npz", folder / "mnist.npz") if is_file(p)), None)
    if path is None:
        raise NotHere("")
    try:
        arrays = _read(path)
    except Exception as error:  # a damaged archive may raise anything, MemoryError too
        raise CourseError(f"mnist.npz in {where} cannot be used ({plain(error)}): replace it.") from None
    counts = {part: len(arrays[f"x_{part}"]) for part in PUBLISHED}
    as_published = all(hashlib.sha256(arrays[key]).hexdigest() == sha for key, sha in ARRAY_SHA256.items())
    note = "" if as_published or counts != PUBLISHED else "as many pictures as published, but not the same"
    return Mnist(**arrays, info=DatasetInfo(NAME, TITLE, counts, PUBLISHED, where, note))


def _read(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a zip file of arrays")
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: np.ascontiguousarray(archive[key]) for key in ARRAY_SHA256}
    for part in PUBLISHED:
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        for key, array, shape in ((f"x_{part}", x, (len(y), 28, 28)), (f"y_{part}", y, (len(y),))):
            if array.dtype != np.uint8 or array.shape != shape:
                raise ValueError(f"{key} is {array.dtype} of shape {array.shape}, not uint8 of {shape}")
        if y.max() > 9:
            raise ValueError(f"y_{part} holds the label {y.max()}, but digits are 0 to 9")
    return arrays


def download(cache: Path) -> None:
    """Bring the file into the cache."""
    fetch_files({"mnist.npz": (URL, FILE_SHA256)}, cache / "mnist", TITLE, MEGABYTES)


def sample() -> Mnist:
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
    note = "scikit-learn's 8x8 digits, enlarged to 28x28"
    info = DatasetInfo(NAME, TITLE, counts, PUBLISHED, IN_SAMPLE, note)
    return Mnist(pictures[~is_test], labels[~is_test], pictures[is_test], labels[is_test], info)

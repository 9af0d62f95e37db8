"""The MNIST digits: one file of arrays, from the Keras bucket."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import CourseError
from helpers.datasets._common import IN_SAMPLE, DatasetInfo, NotHere, plain
from helpers.datasets._download import fetch_files

NAME, TITLE, FOLDER, MEGABYTES = "mnist", "MNIST digits", "mnist/mnist.npz", 11
PUBLISHED = {"train": 60_000, "test": 10_000}
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
FILE_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
# SHA-256 of all arrays' bytes in this order: the same however the file was compressed.
KEYS = ("x_train", "y_train", "x_test", "y_test")
ARRAYS_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


@dataclass(frozen=True, eq=False)
class Mnist:
    """Handwritten digits.

    Attributes:
        x_train, x_test: pictures, uint8, shape (pictures, 28, 28), 0 (paper) to 255 (ink).
        y_train, y_test: digits, uint8, shape (pictures,), 0 to 9.
        info: what they are. A sample or a partial set is smaller than the real one.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    info: DatasetInfo


def look(folder: Path, where: str) -> Mnist:
    """Read ``mnist.npz``, and accept it by what its arrays hold."""
    if where == IN_SAMPLE:
        return _sample()
    path = next((p for p in (folder / "mnist" / "mnist.npz", folder / "mnist.npz") if p.is_file()), None)
    if path is None:
        raise NotHere("")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a zip file of arrays")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: np.ascontiguousarray(archive[key]) for key in KEYS}
        for part in PUBLISHED:
            x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
            found = f"x_{part} is {x.dtype} of shape {x.shape}, y_{part} is {y.dtype} of shape {y.shape}"
            if x.dtype != np.uint8 or y.dtype != np.uint8 or x.shape != (len(y), 28, 28) or y.ndim != 1:
                raise ValueError(f"{found}; digits are uint8 of shape (pictures, 28, 28) and (pictures,)")
            if y.max() > 9:
                raise ValueError(f"y_{part} holds the label {y.max()}, but digits are 0 to 9")
    except Exception as error:  # a damaged archive may raise anything, MemoryError too
        raise CourseError(f"mnist.npz in {where} cannot be used ({plain(error)}): replace it.") from None
    counts = {part: len(arrays[f"x_{part}"]) for part in PUBLISHED}
    checksum = hashlib.sha256()
    for array in arrays.values():
        checksum.update(array)
    other = counts == PUBLISHED and checksum.hexdigest() != ARRAYS_SHA256
    note = "as many pictures as published, but not the same" if other else ""
    return Mnist(**arrays, info=DatasetInfo(NAME, TITLE, counts, PUBLISHED, where, note))


def download(folder: Path) -> None:
    """Fill a folder."""
    fetch_files({"mnist.npz": (URL, FILE_SHA256)}, folder, TITLE, MEGABYTES)


def _sample() -> Mnist:
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

"""Cars and planes: 215 photographs, file by file from GitHub."""

import csv
import hashlib
import urllib.parse
from pathlib import Path

from helpers import CourseError
from helpers.datasets import _common
from helpers.datasets._common import IN_SAMPLE, DatasetInfo, ImageFolders, NotHere, count_classes
from helpers.datasets._download import fetch_files

NAME, TITLE, FOLDER, MEGABYTES = "car-plane", "Cars and planes", "car-plane/", 16
PUBLISHED = {"train": 160, "validation": 40, "test": 15}
URL = (
    "https://raw.githubusercontent.com/katelynrwalker/image-recognition-with-keras-convolutional-neural-networks/"
    "2b97c10f44aa57d4f74044f4bfaa7838c87b39b8/data/"
)
CHECKSUMS = _common.DATA_FOLDER / "car-plane-sha256.txt"
LABELS = _common.DATA_FOLDER / "car-plane-test-labels.csv"
CLASSES = ("cars", "planes")


def look(folder: Path, where: str) -> ImageFolders:
    """Find the three parts and the labels of the test pictures; compare all files with those published."""
    base = _common.base_of(folder, NAME, ("training_set", "val_set", "test"))
    train, validation, test = base / "training_set", base / "val_set", base / "test"
    own = base / "test-labels.csv"
    labels = read_labels(own, f"{NAME}/{own.name} in {where}") if own.is_file() else read_labels(LABELS)
    names = [path.name for path in _common.pictures_in(test) if path.name in labels]
    if not names:
        raise NotHere(f"{NAME}/test holds no picture whose label is known")

    numbers = count_classes(train, CLASSES), count_classes(validation, CLASSES), len(names)
    counts = dict(zip(PUBLISHED, numbers, strict=True))
    note = "drawn, not photographed" if where == IN_SAMPLE else ""
    if counts == PUBLISHED:
        sums = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in base.glob("*/**/*") if p.is_file()}
        changed = [name for name, sha in published_files().items() if sums.get(base / name) != sha]
        note = f"{len(changed)} not as published, the first is {changed[0]}" if changed else ""
    info = DatasetInfo(NAME, TITLE, counts, PUBLISHED, where, note)
    return ImageFolders(train, test, CLASSES, info, validation, {name: labels[name] for name in names})


def read_labels(path: Path, name: str = LABELS.name) -> dict[str, int]:
    """File name -> 0 (cars) or 1 (planes), from a CSV table; a CourseError says what is wrong with it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # Excel writes a mark before the first line
            return {row["file"]: {"0": 0, "1": 1}[row["label"]] for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        reason = f"{error} is wrong or missing" if isinstance(error, KeyError) else _common.plain(error)
    remedy = "save it as CSV in UTF-8 with the columns file,label, where a label is 0 (cars) or 1 (planes)"
    raise CourseError(f"{name} cannot be used ({reason}): {remedy}.")


def published_files() -> dict[str, str]:
    """Relative file name -> SHA-256, from the lines ``<sha256>  <name>`` that sha256sum reads and writes."""
    return {line[66:]: line[:64] for line in CHECKSUMS.read_text(encoding="utf-8").splitlines() if line}


def download(folder: Path) -> None:
    """Fill a folder."""
    files = {name: (URL + urllib.parse.quote(name), sha) for name, sha in published_files().items()}
    fetch_files(files, folder, TITLE, MEGABYTES)

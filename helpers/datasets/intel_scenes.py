"""The Intel scenes: photographs in folders of six classes, from Kaggle."""

import zipfile
from pathlib import Path

from helpers import CourseError
from helpers.datasets._common import IN_SAMPLE, DatasetInfo, ImageFolders, base_of, count_classes
from helpers.datasets._download import fetch_files
from helpers.datasets._folders import usable_pictures

NAME, TITLE, FOLDER, MEGABYTES = "intel-scenes", "Intel scenes", "intel-scenes/", 360
PUBLISHED = {"train": 14_034, "test": 3_000}
URL = "https://www.kaggle.com/api/v1/datasets/download/puneet6060/intel-image-classification"
CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")


def look(folder: Path, where: str) -> ImageFolders:
    """Find both parts and count their pictures by their names."""
    base = base_of(folder, NAME, ("seg_train", "seg_test"))
    # The public archive repeats the folder's name: seg_train/seg_train/<class>.
    parts = [base / part / part for part in ("seg_train", "seg_test")]
    parts = [part if part.is_dir() else part.parent for part in parts]
    counts = {name: count_classes(part, CLASSES) for name, part in zip(PUBLISHED, parts, strict=True)}
    note = "drawn, not photographed" if where == IN_SAMPLE else ""
    return ImageFolders(*parts, CLASSES, DatasetInfo(NAME, TITLE, counts, PUBLISHED, where, note))


def download(folder: Path) -> None:
    """Fill a folder; Kaggle publishes no checksum, so every picture is looked at."""
    fetch_files({"archive.zip": (URL, None)}, folder.parent, TITLE, MEGABYTES)
    with zipfile.ZipFile(folder.parent / "archive.zip") as archive:
        archive.extractall(folder)
    print("Checking every picture ...", flush=True)
    found = look(folder, "")
    for part in (found.train, found.test):
        if problems := usable_pictures(part, CLASSES).problems:
            raise CourseError(problems[0])

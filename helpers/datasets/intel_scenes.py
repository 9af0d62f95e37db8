"""The Intel scenes: photographs in folders of six classes, from Kaggle."""

import contextlib
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from helpers import CourseError
from helpers.datasets._common import IN_CACHE, IN_SAMPLE, SAMPLES_FOLDER, DatasetInfo, base_of, count_classes
from helpers.datasets._download import DownloadFailed, install, staging_folder
from helpers.datasets._folders import usable_pictures

NAME, TITLE, FOLDER, MEGABYTES = "intel-scenes", "Intel scenes", "intel-scenes/", 360
PUBLISHED = {"train": 14_034, "test": 3_000}
URL = "https://www.kaggle.com/"
HANDLE = "puneet6060/intel-image-classification"
CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")


@dataclass(frozen=True)
class ImageFolders:
    """Folders of pictures, one folder a class, in a training and a test part."""

    train: Path
    test: Path
    class_names: tuple[str, ...]
    info: DatasetInfo


def look(folder: Path, where: str) -> ImageFolders:
    """Find both parts and count their pictures by their names."""
    base = base_of(folder, NAME, ("seg_train", "seg_test"))
    # The public archive repeats the folder's name: seg_train/seg_train/<class>.
    parts = [base / part / part for part in ("seg_train", "seg_test")]
    parts = [part if part.is_dir() else part.parent for part in parts]
    counts = {name: count_classes(part, CLASSES) for name, part in zip(PUBLISHED, parts, strict=True)}
    note = "drawn, not photographed" if where == IN_SAMPLE else ""
    return ImageFolders(*parts, CLASSES, DatasetInfo(NAME, TITLE, counts, PUBLISHED, where, note))


def download(cache: Path) -> None:
    """Bring the set into the cache through kagglehub, and look at every picture before it counts."""
    with staging_folder(cache, NAME) as staging:
        # kagglehub takes its folder from the environment, tells the log where it writes, draws on stderr.
        for_kagglehub = {"KAGGLEHUB_CACHE": str(staging), "KAGGLEHUB_VERBOSITY": "error"}
        with mock.patch.dict(os.environ, for_kagglehub), contextlib.redirect_stderr(sys.stdout):
            import kagglehub

            logging.getLogger("kagglehub").setLevel(logging.ERROR)
            unpacked = Path(kagglehub.dataset_download(HANDLE))
        print("Checking every picture ...", flush=True)
        try:
            found = look(unpacked, IN_CACHE)
            problems = [] if found.info.kind == "complete" else [f"it has {found.info.in_words()} pictures"]
            for part in (found.train, found.test):
                problems += usable_pictures(part, CLASSES).problems
        except CourseError as reason:
            problems = [reason]
        if problems:
            raise DownloadFailed(f"what Kaggle sent is not the published set: {problems[0]}")
        install(unpacked, cache / NAME, staging, look)


def sample() -> ImageFolders:
    """The course's own drawings."""
    return look(SAMPLES_FOLDER, IN_SAMPLE)

"""The Intel scenes: photographs in folders of six classes, from Kaggle."""

import contextlib
import logging
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from helpers import CourseError
from helpers.datasets._common import IN_CACHE, IN_SAMPLE, SAMPLES_FOLDER, DatasetInfo, NotHere, count_classes
from helpers.datasets._download import LATER, DownloadFailed, install, staging_folder
from helpers.datasets._folders import usable_pictures

NAME, TITLE, FOLDER, megabytes = "intel-scenes", "Intel scenes", "intel-scenes/", 360
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
    base = folder / NAME if (folder / NAME).is_dir() else folder
    outer = [base / "seg_train", base / "seg_test"]
    if missing := [part.name for part in outer if not part.is_dir()]:
        raise NotHere("" if base == folder and missing[1:] else f"{NAME} has no folder {missing[0]}")
    # The public archive repeats the folder's name: seg_train/seg_train/<class>.
    parts = [part / part.name if (part / part.name).is_dir() else part for part in outer]
    counts = {
        name: count_classes(part, CLASSES, f"{NAME}/{part.name}")
        for name, part in zip(PUBLISHED, parts, strict=True)
    }
    kind = "complete" if counts == PUBLISHED else "partial"
    return ImageFolders(*parts, CLASSES, DatasetInfo(NAME, TITLE, kind, counts, PUBLISHED, where))


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
            if found.info.kind != "complete":
                raise NotHere(f"it has {found.info.in_words()} pictures")
            for part in (found.train, found.test):
                if problems := usable_pictures(part, CLASSES, not_rgb="skip").problems:
                    raise NotHere(problems[0])
        except (NotHere, CourseError) as reason:
            raise DownloadFailed(f"what Kaggle sent is not the published set: {reason}", LATER) from None
        install(unpacked, cache / NAME, staging, look)


def sample() -> ImageFolders:
    """The course's own drawings."""
    found = look(SAMPLES_FOLDER, IN_SAMPLE)
    return replace(found, info=replace(found.info, kind="sample", note="drawn, not photographed"))

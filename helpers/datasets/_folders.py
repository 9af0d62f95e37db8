"""Folders of pictures: a folder a class for training, and a student's own photographs."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers import CourseError
from helpers.datasets._common import PICTURE_SUFFIXES, entries_of, plain, printable
from helpers.datasets._pictures import Unreadable, colours_of, opened, read_picture, without_warnings

DECODED_BY_TENSORFLOW = ("BMP", "GIF", "JPEG", "MPO", "PNG")
MOST_PHOTOGRAPHS = 200


@dataclass(frozen=True)
class PictureReport:
    """Pictures that can be streamed, and what was wrong with the others.

    Attributes:
        folder: the folder to stream from: the one that was given if all in it is well, otherwise a
            private copy of what can be used, which vanishes with the process.
        counts: usable pictures in each class, by class name.
        problems: one line for each file or folder that was left out.
    """

    folder: Path
    counts: dict[str, int]
    problems: list[str]

    def describe(self, most: int = 10) -> str:
        """How many can be used, and the first few problems, one a line."""
        return _described(f"{sum(self.counts.values()):,} usable pictures", self.problems, most)


@dataclass(frozen=True, eq=False)
class OwnPhotographs:
    """A student's own photographs, ready for a network, and what was wrong with the others.

    Attributes:
        names: file names, sorted.
        pictures: uint8, shape (photographs, height, width, 3), RGB, 0 to 255, in the order of the names.
        problems: one line for each file or folder that was converted or left out.
    """

    names: list[str]
    pictures: np.ndarray
    problems: list[str]

    def describe(self, most: int = 10) -> str:
        """How many there are, and the first few problems, one a line."""
        return _described(f"{len(self.names):,} of your own photographs", self.problems, most)


def _described(what: str, problems: list[str], most: int) -> str:
    lines = [f"{what}; {len(problems):,} problems", *(f"  {line}" for line in problems[:most])]
    return "\n".join(lines + [f"  ... and {len(problems) - most:,} more"] * (len(problems) > most))


def usable_pictures(folder: Path | str, class_names: Sequence[str]) -> PictureReport:
    """Look at every picture, and give a folder that Keras's ``image_dataset_from_directory`` can stream.

    Pillow opens and TensorFlow decodes every file once. One that is damaged, that is not RGB (grey, CMYK,
    palette, transparent), or that TensorFlow does not decode (WebP, TIFF, some BMP) is named and left out.

    Args:
        folder: holds one folder for each class; other folders in it are reported and ignored.
        class_names: the classes, as ``image_dataset_from_directory(class_names=...)`` gets them; an empty
            sequence means that the pictures lie directly in ``folder``.

    Raises:
        CourseError: a folder is missing or cannot be read, or a class has no usable picture.
    """
    folder, problems = Path(folder), []
    try:
        if class_names:
            others = sorted(path.name for path in folder.iterdir() if path.name not in class_names)
            problems = [f"{printable(name)}: unexpected, ignored" for name in others]
        paths = [path for name in class_names or [""] for path in sorted((folder / name).iterdir())]
    except OSError as error:
        name = Path(error.filename or folder).name
        raise CourseError(f"the folder {name!r} cannot be read ({plain(error)}): check the path.") from None

    from helpers.training import quiet_import

    with quiet_import():
        import tensorflow  # noqa: F401  not in a thread, where importing is slow
    with without_warnings(), ThreadPoolExecutor(min(4, (os.cpu_count() or 1) + 1)) as pool:
        faults = list(pool.map(_fault, paths))
    for path, fault in zip(paths, faults, strict=True):
        if fault:
            problems.append(f"{printable(path.relative_to(folder).as_posix())}: {fault}, left out")
    usable = [path for path, fault in zip(paths, faults, strict=True) if not fault]
    counts = {name: sum(path.parent == folder / name for path in usable) for name in class_names}
    counts = counts or {"pictures": len(usable)}
    if empty := [name for name, count in counts.items() if not count]:
        raise CourseError(f"{folder.name} has no usable picture of class {empty[0]!r}: add some.")
    return PictureReport(_copied(usable, folder) if problems else folder, counts, problems)


def _fault(path: Path) -> str:
    """Return why a picture cannot be streamed, or nothing."""
    import tensorflow as tf

    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return "is not a picture by its name"
    try:
        str(path).encode()
        with opened(path) as picture:
            if picture.format not in DECODED_BY_TENSORFLOW:
                return f"is stored as {picture.format}"
            if colours := colours_of(picture):
                return f"is {colours}, not RGB"
        tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
    except Unreadable as reason:
        return str(reason)
    except UnicodeEncodeError:
        return "has a name that is not UTF-8"
    except Exception:  # TensorFlow's errors, or the disk's
        return "is damaged, or of a kind that TensorFlow does not decode"
    return ""


def _copied(paths: list[Path], folder: Path) -> Path:
    """Copy pictures into a private folder, laid out as theirs; it vanishes with the process."""
    try:
        private = Path(tempfile.mkdtemp(prefix="course-pictures-"))
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        for path in paths:
            target = private / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
    except OSError as error:
        remedy = "free some space, or set TMPDIR to another folder"
        raise CourseError(f"the temporary folder cannot be written ({plain(error)}): {remedy}.") from None
    return private


@without_warnings()
def own_photographs(folder: Path | str, size: tuple[int, int] = (150, 150)) -> OwnPhotographs:
    """Read a student's own photographs from one folder (lessons 5 and 6), at most 200.

    Every picture that can be read is taken, whatever its name says: turned upright by its EXIF data,
    converted to RGB, transparent pixels laid on white, and stretched to ``size`` (height, width) by averaging
    over all its pixels, as ``tf.image.resize(..., antialias=True)`` does. Hidden files are skipped, folders
    named and not opened.

    Raises:
        CourseError: the folder is missing, is a file, or has no photograph that can be used.
    """
    folders, files = entries_of(folder, "the folder of photographs")
    names, pictures, problems = [], [], []
    for entry in sorted(folders + files):
        name = printable(entry.name)
        if len(names) == MOST_PHOTOGRAPHS:
            problems.append(f"{name} and all after it: left out, {MOST_PHOTOGRAPHS} are the most")
            break
        try:
            picture, colours = read_picture(entry, size)
        except Unreadable as reason:
            problems.append(f"{name}: {reason}, left out")
            continue
        if colours:
            problems.append(f"{name}: is {colours}, not RGB, converted")
        names.append(name)
        pictures.append(np.asarray(picture))
    if not names:
        found = f"{problems[0]}; {len(problems)} problems in all" if problems else "it is empty"
        what = f"the folder of photographs {str(folder)!r} has none that can be used ({found})"
        raise CourseError(f"{what}: put JPEG or PNG files into it.")
    return OwnPhotographs(names, np.stack(pictures), problems)

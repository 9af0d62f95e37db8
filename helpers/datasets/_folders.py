"""Folders of pictures: a folder a class for training, and a student's own photographs."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers import CourseError
from helpers.datasets import _pictures
from helpers.datasets._common import PICTURE_SUFFIXES, path_of, plain, printable
from helpers.datasets._pictures import Unreadable, read_picture

DECODED_BY_TENSORFLOW = ("BMP", "GIF", "JPEG", "MPO", "PNG")
MOST_PHOTOGRAPHS = 200
NOT_PHOTOGRAPHS = ("desktop.ini", "thumbs.db")  # what systems put into folders unasked


class _Report:
    def describe(self, most: int = 10) -> str:
        """What was found, and the first few problems, one a line."""
        lines = [f"{self}; {len(self.problems):,} problems", *(f"  {line}" for line in self.problems[:most])]
        more = len(self.problems) - most
        return "\n".join([*lines, f"  ... and {more:,} more"] if more > 0 else lines)


@dataclass(frozen=True)
class PictureReport(_Report):
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

    def __str__(self) -> str:
        return f"{sum(self.counts.values()):,} usable pictures"


@dataclass(frozen=True, eq=False)
class OwnPhotographs(_Report):
    """A student's own photographs, ready for a network, and what was wrong with the others.

    Attributes:
        names: file names, sorted.
        pictures: uint8, shape (photographs, height, width, 3), RGB, 0 to 255, in the order of the names.
        problems: one line for each file or folder that was converted, left out or ignored.
    """

    names: list[str]
    pictures: np.ndarray
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{len(self.names):,} of your own photographs"


def usable_pictures(
    folder: Path | str, class_names: Sequence[str], *, not_rgb: str = "convert"
) -> PictureReport:
    """Look at every picture, and give a folder that Keras's ``image_dataset_from_directory`` can stream.

    TensorFlow decodes every file once: a damaged one would otherwise stop a training run half-way, without a
    name. Nothing in ``folder`` is changed.

    Args:
        folder: holds one folder for each class; other folders in it are reported and ignored.
        class_names: the classes, as ``image_dataset_from_directory(class_names=...)`` gets them; an empty
            sequence means that the pictures lie directly in ``folder``.
        not_rgb: what to do with a picture that is not RGB (grey, CMYK, palette, transparent) or that
            TensorFlow cannot decode (WebP, TIFF, some BMP): ``"convert"`` puts an RGB copy in its place
            (transparent pixels become white), ``"skip"`` leaves it out.

    Raises:
        CourseError: a folder is missing or cannot be read, or a class has no usable picture.
    """
    if not_rgb not in ("convert", "skip"):
        raise CourseError(f"not_rgb={not_rgb!r} is not known: choose convert or skip.")
    folder = Path(folder)
    if not folder.is_dir():
        raise CourseError(f"the picture folder {folder.name!r} does not exist: check the path.")
    if missing := [name for name in class_names if not (folder / name).is_dir()]:
        raise CourseError(f"{folder.name} has no class folder {', '.join(missing)}: add it or mend the path.")
    problems, files = [], []
    try:
        for path in sorted(folder.iterdir()) if class_names else ():
            if path.name not in class_names:
                what = "folder" if path.is_dir() else "file"
                problems.append(f"{printable(path.name)}: unexpected {what}, ignored")
        for name in class_names or ("",):
            for path in sorted((folder / name).iterdir()):
                if path.is_dir():
                    problems.append(f"{_label(name, path)}: unexpected folder, ignored")
                else:
                    files.append((name, path))
    except OSError as error:
        raise CourseError(f"{folder.name} cannot be read ({plain(error)}): check its rights.") from None

    from helpers.training import quiet_import

    with quiet_import():
        import tensorflow  # noqa: F401  not in a thread, where importing is slow
    counts = dict.fromkeys(class_names or ("pictures",), 0)
    with _pictures.without_warnings():
        with ThreadPoolExecutor(min(4, (os.cpu_count() or 1) + 1)) as pool:
            verdicts = list(pool.map(_judge, (path for _, path in files)))
        clean = not problems and not any(verdicts) and _is_utf8(str(folder))
        streamed = folder if clean else _private_folder(class_names)
        for number, ((name, path), verdict) in enumerate(zip(files, verdicts, strict=True)):
            try:
                if isinstance(verdict, Unreadable) or (verdict and not_rgb == "skip"):
                    raise Unreadable(str(verdict))
                if not clean:
                    _put(path, streamed / name, number, convert=bool(verdict))
                if verdict:
                    problems.append(f"{_label(name, path)}: {verdict}, converted to RGB")
                counts[name or "pictures"] += 1
            except Unreadable as reason:
                problems.append(f"{_label(name, path)}: {reason}, left out")
    if empty := [name for name, count in counts.items() if not count]:
        raise CourseError(f"{folder.name} has no usable picture of class {empty[0]!r}: add some.")
    return PictureReport(streamed, counts, problems)


def _label(name: str, path: Path) -> str:
    return f"{name}/{printable(path.name)}" if name else printable(path.name)


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)  # so Python holds any other bytes


def _judge(path: Path) -> str | Unreadable:
    """Return nothing for a good picture, why it has to be converted, or why it cannot be used."""
    import tensorflow as tf

    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return Unreadable("is not a picture by its name")
    try:
        with _pictures.opened(path) as picture:
            if picture.format not in DECODED_BY_TENSORFLOW:
                return f"is stored as {picture.format}"
            if colours := _pictures.colours_of(picture):
                return f"is {colours}, not RGB"
        tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
    except Unreadable as reason:
        return reason
    except Exception:  # TensorFlow's errors, or the disk's: reading it with Pillow names the reason
        return "is damaged, or of a kind that TensorFlow does not decode"
    return "" if _is_utf8(path.name) else "has a name that is not UTF-8"


def _private_folder(class_names: Sequence[str]) -> Path:
    private = Path(tempfile.mkdtemp(prefix="course-pictures-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    for name in class_names:
        (private / name).mkdir()
    return private


def _put(path: Path, folder: Path, number: int, convert: bool) -> None:
    """Link a picture into a private folder, or write an RGB copy; never over anything that is there."""
    target = folder / printable(path.name)
    if os.path.lexists(target):  # a.jpg and A.jpg, where the disk takes them for one
        target = folder / f"{number:06}-{target.name}"
    if convert:
        picture, _ = read_picture(path, upright=False)
        with target.open("xb") as file:
            picture.save(file, "PNG")  # whatever its name ends in: both readers look at the content
        return
    try:
        target.symlink_to(path.resolve())
    except OSError:  # as Windows forbids it
        shutil.copyfile(path, target)


@_pictures.without_warnings()
def own_photographs(folder: Path | str, size: tuple[int, int] = (150, 150)) -> OwnPhotographs:
    """Read a student's own photographs from one folder (lessons 5 and 6).

    Every picture that can be read is taken, whatever its name says: turned upright by its EXIF data,
    converted to RGB, transparent pixels laid on white, and stretched to ``size`` by averaging over all its
    pixels, as ``tf.image.resize(..., antialias=True)`` does: without, the network would see one pixel in a
    hundred of a telephone's photograph. Nothing is cropped, and nothing in the folder is changed.

    Args:
        folder: holds the photographs; hidden files are skipped, folders in it are named and not opened.
        size: height and width of the result in pixels.

    Returns:
        Names, pictures and problems, see :class:`OwnPhotographs`; at most 200 photographs are taken.

    Raises:
        CourseError: the folder is missing, is a file, or has no photograph that can be used.
    """
    named, place = str(folder), path_of(folder)
    try:
        if not named.strip():
            raise CourseError("no folder of photographs is named: give its path.")
        entries = sorted(entry for entry in place.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        start = "" if place.is_absolute() else f", which starts in the folder {Path.cwd().name!r}"
        raise CourseError(
            f"the folder of photographs {named!r} does not exist: check the path{start}."
        ) from None
    except NotADirectoryError:
        raise CourseError(f"{named!r} is a file: name the folder that it lies in.") from None
    except (OSError, ValueError) as error:
        raise CourseError(
            f"the folder {named!r} cannot be read ({plain(error)}): check its path and rights."
        ) from None

    names, pictures, problems = [], [], []
    for entry in (entry for entry in entries if entry.name.lower() not in NOT_PHOTOGRAPHS):
        name = printable(entry.name)
        if len(names) == MOST_PHOTOGRAPHS:
            problems.append(f"{name} and all after it: left out, {MOST_PHOTOGRAPHS} are the most")
            break
        if entry.is_dir():
            problems.append(f"{name}: is a folder, ignored")
            continue
        try:
            picture, colours = read_picture(entry, (size[1], size[0]), enough=max(size))
        except Unreadable as reason:
            heic = entry.suffix.lower() in (".heic", ".heif")
            problems.append(f"{name}: {reason}, left out" + (": save it as JPEG" if heic else ""))
            continue
        if colours:
            problems.append(f"{name}: is {colours}, not RGB, converted")
        names.append(name)
        pictures.append(np.asarray(picture))
    if not names:
        found = f" ({problems[0]}; {len(problems)} problems in all)" if problems else ", it is empty"
        raise CourseError(
            f"the folder {named!r} has no photograph that can be used{found}: put JPEG or PNG files into it."
        )
    return OwnPhotographs(names, np.stack(pictures), problems)

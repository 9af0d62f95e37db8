"""The one place that opens picture files: class folders, a student's own photographs, and digits."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import CourseError
from helpers.datasets._common import PICTURE_SUFFIXES, is_file, path_of, plain, printable

if TYPE_CHECKING:
    from PIL import Image

# Nothing else is ever opened: Pillow hands EPS to another program, whatever the file's name says.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
DECODED_BY_TENSORFLOW = ("BMP", "GIF", "JPEG", "MPO", "PNG")
MODES = {"1": "black and white", "L": "grey", "I;16": "grey", "I;16B": "grey", "I": "grey", "P": "palette"}
# 40 million pixels are 120 MB in RGB; only a JPEG can be decoded at a fraction of its size.
MOST_MEGAPIXELS, MOST_MEGAPIXELS_JPEG = 40, 150
MOST_PHOTOGRAPHS = 200
NOT_PHOTOGRAPHS = ("desktop.ini", "thumbs.db")  # what systems put into folders unasked


class Unreadable(Exception):
    """A picture cannot be used; the text goes on after its name: ``"is cut short"``."""


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


def _report(what: str, problems: list[str], most: int) -> str:
    rest = [f"  ... and {len(problems) - most:,} more"] if len(problems) > most else []
    return "\n".join(
        [f"{what}; {len(problems):,} problems", *(f"  {line}" for line in problems[:most]), *rest]
    )


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Pillow warns on stderr of what is said here in one line; around all threads that read pictures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _opened(path: Path, least: int = 2, scaled: bool = False) -> Iterator[Image.Image]:
    """Open a picture whose header says that it can be decoded safely; every failure is Unreadable."""
    from PIL import Image, UnidentifiedImageError

    if not is_file(path):  # a broken link; or a pipe, which would be waited for
        raise Unreadable("is not a file")
    try:
        if not path.stat().st_size:
            raise Unreadable("is empty")
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            # All coefficients of a progressive JPEG lie in memory, however small it is decoded.
            scaled = scaled and picture.format in ("JPEG", "MPO") and not picture.info.get("progressive")
            if width * height > 1e6 * (MOST_MEGAPIXELS_JPEG if scaled else MOST_MEGAPIXELS):
                raise Unreadable(f"has {width:,} x {height:,} pixels, too large to decode safely")
            if min(width, height) < least:
                raise Unreadable(f"has only {width} x {height} pixels")
            yield picture
    except UnidentifiedImageError:
        raise Unreadable("is not a picture that can be read here") from None
    except Image.DecompressionBombError:
        raise Unreadable("is too large to decode safely") from None
    except PermissionError as error:
        raise Unreadable(f"cannot be read ({plain(error)})") from None
    except Unreadable:
        raise
    except Exception as error:  # a damaged file may make a decoder raise anything
        raise Unreadable(f"is cut short or damaged ({plain(error)})") from None


def read_picture(
    path: Path, size: tuple[int, int] | None = None, *, enough: int = 0, least: int = 2, upright: bool = True
) -> tuple[Image.Image, str]:
    """Read a picture file as RGB, white behind its transparent pixels.

    Args:
        path: BMP, GIF, JPEG, PNG, TIFF or WebP, whatever its name says.
        size: (width, height) to stretch it to, averaging over all pixels; None leaves it as it is.
        enough: a side in pixels that will do: a JPEG is then decoded at a fraction of its size.
        least: fewest pixels a side.
        upright: turn it as its EXIF data say.

    Returns:
        The picture, and what colours it had if it was not RGB: ``"grey"``, ``"transparent"``, ...

    Raises:
        Unreadable: the file is missing, not a picture, damaged, or too large or too small.
    """
    from PIL import Image, ImageOps

    with _opened(path, least, scaled=enough > 0) as picture:
        colours = _colours(picture)
        if enough:
            picture.draft(None, (2 * enough, 2 * enough))
        picture.load()
        if upright:
            with contextlib.suppress(Exception):  # damaged EXIF data do not spoil the picture
                ImageOps.exif_transpose(picture, in_place=True)
        kind = "RGBA" if colours == "transparent" else "RGB"
        whole = _eight_bits(picture)
        whole = whole if whole.mode == kind else whole.convert(kind)
        if size:  # before it is laid on white: Pillow weighs colours by their opacity
            whole = whole.resize(size, Image.Resampling.BILINEAR)
        if kind == "RGBA":
            whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")
        return whole, colours


def _colours(picture: Image.Image) -> str:
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return "transparent"
    return "" if picture.mode == "RGB" else MODES.get(picture.mode, picture.mode)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale a grey picture of 16 or 32 bits to 0..255: Pillow would clip at 255 what reaches to 65,535."""
    from PIL import Image

    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;"):
        return picture
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    top = 65535 if picture.mode.startswith("I;") or values.max() > 255 else 255
    return Image.fromarray(np.clip(values * (255 / top), 0, 255).astype(np.uint8))


def usable_pictures(
    folder: Path | str, class_names: Sequence[str], *, not_rgb: str = "convert"
) -> PictureReport:
    """Look at every picture, and give a folder that Keras's ``image_dataset_from_directory`` can stream.

    TensorFlow decodes every file once: one damaged picture would otherwise stop a training run half-way,
    with an error that does not name the file. Nothing in ``folder`` is changed.

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
        raise CourseError(
            f"{folder.name} has no class folder {', '.join(missing)}: add it or check the path."
        )
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
    with without_warnings():
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
        raise CourseError(
            f"{folder.name} has no usable picture of class {empty[0]!r}: add some or check the path."
        )
    return PictureReport(streamed, counts, problems)


def _label(name: str, path: Path) -> str:
    return f"{name}/{printable(path.name)}" if name else printable(path.name)


def _is_utf8(name: str) -> bool:
    with contextlib.suppress(UnicodeEncodeError):
        return bool(name.encode())
    return False


def _judge(path: Path) -> str | Unreadable:
    """Return nothing for a good picture, why it has to be converted, or why it cannot be used."""
    import tensorflow as tf

    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return Unreadable("is not a picture by its name")
    try:
        with _opened(path) as picture:
            if picture.format not in DECODED_BY_TENSORFLOW:
                return f"is stored as {picture.format}"
            if colours := _colours(picture):
                return f"is {colours}, not RGB"
        tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
    except Unreadable as reason:
        return reason
    except Exception:  # TensorFlow's errors, or the disk's: reading it with Pillow names the reason
        return "is damaged, or of a kind that TensorFlow does not decode"
    return "" if _is_utf8(str(path)) else "has a name that is not UTF-8"


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


@without_warnings()
def own_photographs(folder: Path | str, size: tuple[int, int] = (150, 150)) -> OwnPhotographs:
    """Read a student's own photographs from one folder (lessons 5 and 6).

    Every picture that can be read is taken, whatever its name says: turned upright by its EXIF data,
    converted to RGB, transparent pixels laid on white, and stretched to ``size``; nothing is cropped, as with
    the course's own pictures. A larger photograph is made smaller by averaging over all its pixels, as
    ``tf.image.resize(..., antialias=True)`` does: plain ``tf.image.resize`` would show the network one pixel
    in a hundred of a telephone's photograph. Nothing in the folder is changed.

    Args:
        folder: holds the photographs; hidden files are skipped, folders in it are named and not opened.
        size: height and width of the result in pixels.

    Returns:
        See :class:`OwnPhotographs`. Left out and named: what is not a picture, is cut short, or too small or
        too large to decode safely, and whatever comes after the first 200.

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

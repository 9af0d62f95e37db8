"""The one place that opens picture files: for class folders, own photographs and digits."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers import CourseError
from helpers.datasets._common import plain

# Nothing else is ever opened: Pillow hands EPS to another program, whatever the file's name says.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
MODES = {"1": "black and white", "L": "grey", "I;16": "grey", "P": "palette"}
# 40 million pixels are 120 MB in RGB; only a JPEG can be decoded at a fraction of its size.
MOST_MEGAPIXELS, MOST_MEGAPIXELS_JPEG = 40, 150


class Unreadable(Exception):
    """A picture cannot be used; the text goes on after its name: ``"is not a file"``."""


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Pillow warns on stderr of what is said here in one line; around all threads that read pictures."""
    with warnings.catch_warnings(action="ignore"):
        yield


@contextlib.contextmanager
def opened(path: Path, least: int = 2, scaled: bool = False) -> Iterator[Image.Image]:
    """Open a picture whose header says that it can be decoded safely; every failure is Unreadable."""
    try:
        if not path.is_file():  # a folder, a broken link; or a pipe, which would be waited for
            raise Unreadable("is not a file")
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            scaled = scaled and picture.format in ("JPEG", "MPO")
            if width * height > 1e6 * (MOST_MEGAPIXELS_JPEG if scaled else MOST_MEGAPIXELS):
                raise Unreadable(f"has {width:,} x {height:,} pixels, too large to decode safely")
            if min(width, height) < least:
                raise Unreadable(f"has only {width} x {height} pixels")
            yield picture
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("is not a picture that can be read here (save HEIC as JPEG)") from None
    except Exception as error:  # a damaged file may make a decoder raise anything
        raise Unreadable(f"cannot be read ({plain(error)})") from None


def read_picture(
    path: Path, size: tuple[int, int] | None = None, enough: int = 0, least: int = 2
) -> tuple[Image.Image, str]:
    """Read a picture file as RGB, upright, white behind its transparent pixels; raises Unreadable.

    Args:
        path: BMP, GIF, JPEG, PNG, TIFF or WebP, whatever its name says.
        size: (height, width) to stretch it to, averaging over all pixels; None leaves it as it is.
        enough: a side in pixels that will do: a JPEG is then decoded at a fraction of its size.
        least: fewest pixels a side.

    Returns:
        The picture, and what colours it had if it was not RGB: ``"grey"``, ``"transparent"``, ...
    """
    enough = max(size or (enough,))
    with opened(path, least, scaled=enough > 0) as picture:
        colours = colours_of(picture)
        if enough:
            picture.draft(None, (2 * enough, 2 * enough))
        picture.load()
        with contextlib.suppress(Exception):  # damaged EXIF data do not spoil the picture
            ImageOps.exif_transpose(picture, in_place=True)
        kind = "RGBA" if colours == "transparent" else "RGB"
        whole = _eight_bits(picture).convert(kind)
        if size:  # before it is laid on white: Pillow weighs colours by their opacity
            whole = whole.resize(size[::-1], Image.Resampling.BILINEAR)
        if kind == "RGBA":
            whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")
        return whole, colours


@without_warnings()
def read_photographs(paths: Iterable[Path], size: tuple[int, int]) -> np.ndarray:
    """Read photographs upright, as RGB, stretched to ``size`` (height, width) by averaging over all pixels.

    Returns uint8, shape (photographs, height, width, 3). Raises CourseError naming the first it cannot read.
    """
    pictures = []
    for path in paths:
        try:
            pictures.append(read_picture(path, size)[0])
        except Unreadable as reason:
            raise CourseError(f"{path.name} {reason}: take it out of its folder.") from None
    return np.stack(pictures)


def colours_of(picture: Image.Image) -> str:
    """What colours a picture has if they are not RGB, or nothing."""
    if picture.has_transparency_data:
        return "transparent"
    return "" if picture.mode == "RGB" else MODES.get(picture.mode, picture.mode)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale a grey picture of 16 or 32 bits to 0..255: Pillow would clip at 255 what reaches to 65,535."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    top = 65535 if picture.mode.startswith("I;") or values.max() > 255 else 255
    return Image.fromarray(np.clip(values * (255 / top), 0, 255).astype(np.uint8))

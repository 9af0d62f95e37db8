"""Turn a picture file of one handwritten digit into what MNIST expects (lesson 4).

Four steps, which lesson 4 builds one by one: ink is what differs from the paper; the digit is cut out, scaled
into 20 x 20 pixels, and laid into 28 x 28 with its centre of mass in the middle. These also bear light that
falls unevenly, specks and thin pens.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from helpers import CourseError
from helpers.datasets._common import path_of, printable
from helpers.datasets._pictures import Unreadable, read_picture, without_warnings

WORKING_SIDE = 400  # pixels; more shows no more of a digit that ends as 20 x 20
BOX, FIELD = 20, 28  # MNIST's box for the digit, and its picture
LEAST_CONTRAST = 20  # of 255: less is paper without a digit
LEAST_STROKE = 2  # width of a line in pixels of the box: thinner ones would fade away


@without_warnings()
def read_digit(path: str | Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read one digit from a picture file: any size, dark on light or light on dark, on a plain ground.

    Returns:
        The digit as uint8 array of shape (28, 28), 0 (paper) to 255 (ink), as in MNIST; and the steps that
        led there, by name: uint8 arrays, "picture" of shape (height, width, 3), the others grey.

    Raises:
        CourseError: the file is missing, not a picture, damaged, huge, tiny or blank.
    """
    name = printable(path_of(path).name)
    try:
        picture, _ = read_picture(path_of(path), enough=WORKING_SIDE, least=8)
    except Unreadable as reason:
        raise CourseError(f"{name} {reason}: name a PNG or JPEG file of 8 x 8 pixels or more") from None
    picture.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    picture = np.asarray(picture, dtype=float)
    ink = _ink(picture)
    boxed = _into_box(digit := _cut_out(ink, name))
    steps = {"picture": picture, "ink": ink, "digit": digit, "box": boxed, "centred": _centre(boxed)}
    steps = {step: np.clip(np.rint(array), 0, 255).astype(np.uint8) for step, array in steps.items()}
    return steps["centred"], steps


def _ink(picture: np.ndarray) -> np.ndarray:
    """Return how far each pixel is from the paper, (height, width), 0 to 255, whatever colours both have."""
    # The paper is what a closing leaves (an opening where the ink is lighter): it wipes out all that is
    # narrower than a third of the picture, and follows light that falls unevenly.
    width = max(picture.shape) // 3
    ink = []
    for colour in np.moveaxis(ndimage.gaussian_filter(picture, (0.5, 0.5, 0)), -1, 0):  # the camera's noise
        darkest, middle, lightest = np.percentile(colour, (0.5, 50, 99.5))
        wipe = ndimage.grey_closing if middle - darkest > lightest - middle else ndimage.grey_opening
        ink.append(abs(wipe(colour, size=(width, width)) - colour))
    return np.max(ink, axis=0)


def _cut_out(ink: np.ndarray, name: str) -> np.ndarray:
    """Return the digit alone, 0 to 255, cut at its edges, thin lines made broader."""
    peak, noise = np.quantile(ink, 0.998), 2 * np.median(ink)
    if peak < max(LEAST_CONTRAST, 2 * noise):
        raise CourseError(f"{name} shows no digit: nothing stands out; write darker or with more light")
    strokes = ink > max(0.35 * peak, noise)
    pieces, number = ndimage.label(strokes, np.ones((3, 3)))
    sizes = ndimage.sum_labels(strokes, pieces, range(1, number + 1))
    rims = (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1])
    sides = np.array([sum(piece in rim for rim in rims) for piece in range(1, number + 1)])
    # What reaches three sides is a frame or the edge of the paper, if there is a digit besides.
    frame = (sides >= 3) & (sizes[sides < 3].max(initial=0) >= 0.1 * sizes)
    kept = np.flatnonzero(~frame & (sizes >= 0.1 * sizes[~frame].max()))  # the rest are specks
    strokes = np.isin(pieces, 1 + kept)
    ink = np.where(ndimage.binary_dilation(strokes, iterations=2), np.clip(ink * (255 / peak), 0, 255), 0)
    inside = ndimage.binary_erosion(np.pad(strokes, 1))
    thickness = 2 * strokes.sum() / max(1, strokes.sum() - inside.sum())
    side = np.ptp(np.argwhere(strokes), axis=0).max() + 1
    more = max(0, round(LEAST_STROKE * side / BOX - thickness))
    ink = ndimage.grey_dilation(ink, size=(more + 1, more + 1))
    return ink[ndimage.find_objects((ink > 40).astype(int))[0]]


def _into_box(digit: np.ndarray) -> np.ndarray:
    """Scale the digit so that its longer side has 20 pixels; its shape stays, its darkest ink is 255."""
    height, width = digit.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    boxed = np.asarray(Image.fromarray(digit.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    return boxed * (255 / boxed.max())


def _centre(boxed: np.ndarray) -> np.ndarray:
    """Lay the box into 28 x 28, its centre of mass at row and column 14 to the nearest pixel, as in MNIST."""
    field = np.zeros((FIELD, FIELD))
    middles = zip(boxed.shape, ndimage.center_of_mass(boxed), strict=True)
    top, left = (int(np.clip(round(FIELD / 2 - middle), 0, FIELD - side)) for side, middle in middles)
    field[top : top + boxed.shape[0], left : left + boxed.shape[1]] = boxed
    return field

"""Turn a picture file of one handwritten digit into what MNIST expects (lesson 4).

Lesson 4 builds the five steps in front of the student, on a clean drawing, and then imports `read_digit`,
which takes the same steps with more care: light that falls unevenly, coloured pens, specks, thin lines.
MNIST's own recipe is theirs: the digit is scaled into a box of 20x20 pixels, its shape kept, and laid into
28x28 so that its centre of mass is in the middle; paper is 0 and ink is 255.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from helpers import CourseError

MOST_MEGAPIXELS = 50  # decoded in memory: 150 MB in RGB
WORKING_SIDE = 400  # pixels; more shows no more of a digit that ends as 20x20
BOX, FIELD = 20, 28  # MNIST's box for the digit, and its picture
LEAST_CONTRAST = 20  # of 255: less is paper without a digit
LEAST_STROKE, WANTED_STROKE = 1.8, 2.4  # width of a line in pixels of the 20x20 box; MNIST's pens were broad


def read_digit(path: str | Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read one digit from a picture file: any size, dark on light or light on dark, grey or coloured.

    Args:
        path: a picture file that Pillow reads (PNG, JPEG, ...), upright after its EXIF orientation, with
            one digit on a ground that is plain or changes slowly.

    Returns:
        The digit as uint8 array of shape (28, 28), 0 (paper) to 255 (ink), as in MNIST; and the steps that
        led there, by name, as arrays of different shapes: "picture" (height, width, 3) and then grey ones,
        all uint8.

    Raises:
        CourseError: the file is missing, no picture, damaged, huge, tiny, wholly transparent or blank.
    """
    name = Path(path).name
    picture = _open(Path(path), name)
    ink = _ink(picture)
    digit, strokes = _cut_out(ink, name)
    boxed = _into_box(_thicken(digit, strokes))
    pixels = _centre(boxed)
    arrays = {"picture": picture, "ink": ink, "digit": digit, "box": boxed, "centred": pixels}
    steps = {step: np.clip(np.rint(array), 0, 255).astype(np.uint8) for step, array in arrays.items()}
    return steps["centred"], steps


def _open(path: Path, name: str) -> np.ndarray:
    """Return an upright RGB picture, (height, width, 3), 0 to 255, at most `WORKING_SIDE` pixels a side."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of huge pictures on stderr; the limit below says it in one line
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                megapixels = file.width * file.height / 1e6
                if megapixels > MOST_MEGAPIXELS:
                    raise CourseError(
                        f"{name} has {file.width:,} x {file.height:,} pixels, {MOST_MEGAPIXELS} million "
                        "are the most: save it smaller, or cut out the digit"
                    )
                if min(file.size) < 8:
                    raise CourseError(
                        f"{name} has only {file.width} x {file.height} pixels: use a picture of 8 x 8 or more"
                    )
                file.draft("RGB", (2 * WORKING_SIDE, 2 * WORKING_SIDE))  # a JPEG is decoded smaller at once
                picture = ImageOps.exif_transpose(file)
                return _rgb(picture, name)
    except FileNotFoundError:
        raise CourseError(f"{name} is not there: check the name of the picture file and its folder") from None
    except IsADirectoryError:
        raise CourseError(f"{name} is a folder: name one picture file") from None
    except Image.DecompressionBombError:
        raise CourseError(
            f"{name} has more pixels than can be read safely: save it smaller, or cut out the digit"
        ) from None
    except UnidentifiedImageError:
        raise CourseError(f"{name} is no picture that can be read here: save it as PNG or JPEG") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        reason = str(error).split("\n")[0]
        raise CourseError(f"{name} is damaged or cannot be read ({reason}): save the picture again") from None


def _rgb(picture: Image.Image, name: str) -> np.ndarray:
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        # 16 bits a pixel: Pillow would cut off at 255 what reaches to 65,535
        values = np.asarray(picture, dtype=float)
        values -= values.min()
        picture = Image.fromarray((values * (255 / max(values.max(), 1))).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = _on_paper(picture.convert("RGBA"), name)
    picture = picture.convert("RGB")
    picture.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(picture, dtype=np.float32)


def _on_paper(picture: Image.Image, name: str) -> Image.Image:
    """Lay a picture with transparent parts on white paper, or on black when its ink is light."""
    colours = np.asarray(picture.reduce(max(1, max(picture.size) // WORKING_SIDE)), dtype=float)
    opaque = colours[..., 3] > 127
    if not opaque.any():
        raise CourseError(f"{name} is wholly transparent: draw the digit on a white ground and save it again")
    light = not opaque.all() and colours[opaque][:, :3].mean() > 170
    paper = Image.new("RGBA", picture.size, "black" if light else "white")
    return Image.alpha_composite(paper, picture)


def _ink(picture: np.ndarray) -> np.ndarray:
    """Return how far each pixel is from the paper, (height, width), 0 to 255, whatever colours both have.

    The rim of the picture is paper. Light falls unevenly, so the paper is a smooth surface, of second
    degree in both directions, fitted to the rim and then to all pixels that lie near it.
    """
    height, width, _ = picture.shape
    picture = ndimage.gaussian_filter(picture, (max(height, width) / 400,) * 2 + (0,))  # the camera's noise
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(rows), rows, columns, rows**2, rows * columns, columns**2], axis=-1)
    step = max(1, min(height, width) // 60)
    thin_terms, thin_picture = terms[::step, ::step], picture[::step, ::step]
    rim = np.minimum(1 - abs(thin_terms[..., 1]), 1 - abs(thin_terms[..., 2])) < 0.15
    far = np.where(rim, abs(thin_picture - np.median(thin_picture[rim], axis=0)).max(axis=-1), np.inf)
    flat_terms, flat_picture = thin_terms.reshape(-1, 6), thin_picture.reshape(-1, 3)
    for round_number in range(12):
        # weights of a robust fit: what is far from the paper (the digit, specks) hardly counts
        weights = 1 / np.maximum(far.ravel(), 3.0) ** (2 if round_number else 1)
        weighted = flat_terms.T * weights
        paper = np.linalg.solve(weighted @ flat_terms + 1e-9 * np.eye(6), weighted @ flat_picture)
        far = abs(thin_picture - thin_terms @ paper).max(axis=-1)
    return abs(picture - np.clip(terms @ paper, 0, 255)).max(axis=-1)


def _cut_out(ink: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the digit alone, 0 to 255, cut at its edges, and where it has strokes (bool)."""
    count = max(6, ink.size // 500)
    peak = np.partition(ink.ravel(), -count)[-count:].mean()
    noise = 2.5 * np.quantile(ink, 0.3)  # a bold digit may fill half of a tight picture
    if peak < max(LEAST_CONTRAST, 4 * noise):
        raise CourseError(
            f"{name} shows no digit: nothing stands out from the ground; write darker or with more light"
        )
    kept = _without_specks_and_edges(ink > max(0.35 * peak, 2 * noise))
    near = ndimage.maximum_filter(kept, 2 * max(1, max(ink.shape) // 100) + 1)
    low, high = max(0.15 * peak, noise), 0.9 * peak
    digit = np.where(near, np.clip((ink - low) / (high - low), 0, 1) * 255, 0)
    rows, columns = (np.flatnonzero((digit > 40).any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return digit[box], kept[box]


def _without_specks_and_edges(strokes: np.ndarray) -> np.ndarray:
    """Keep the pieces that belong to the digit: no specks, no frame and no edge of the paper."""
    pieces, number = ndimage.label(strokes, np.ones((3, 3)))
    sizes = ndimage.sum_labels(strokes, pieces, range(1, number + 1))
    rims = (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1])
    sides = np.array([sum(piece in rim for rim in rims) for piece in range(1, number + 1)])
    inside = sizes[sides < 3].max(initial=0)
    # a digit may touch the rim, too: then there is nothing else of its size
    edges = (sides >= 3) & (inside >= 0.1 * sizes)
    largest = sizes[~edges].max()
    return np.isin(pieces, 1 + np.flatnonzero(~edges & (sizes >= 0.1 * largest)))


def _thicken(digit: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Broaden the lines of a thin pen, which would fade away in a box of 20x20."""
    inside = ndimage.binary_erosion(np.pad(strokes, 1))
    width = 2 * strokes.sum() / max(1, strokes.sum() - inside.sum())
    scale = BOX / max(digit.shape)
    missing = int(round((WANTED_STROKE - width * scale) / scale))
    if width * scale >= LEAST_STROKE or missing < 1:
        return digit
    return ndimage.grey_dilation(np.pad(digit, missing // 2 + 1), size=(missing + 1, missing + 1))


def _into_box(digit: np.ndarray) -> np.ndarray:
    """Scale the digit so that its longer side has 20 pixels; its shape stays, its darkest ink is 255."""
    height, width = digit.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(digit.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    boxed = np.clip(np.asarray(small), 0, 255)
    return boxed * (255 / boxed.max())


def _centre(boxed: np.ndarray) -> np.ndarray:
    """Lay the box into 28x28, its centre of mass at row and column 14 to the nearest pixel, as in MNIST."""
    field = np.zeros((FIELD, FIELD))
    place = []
    for side, middle in zip(boxed.shape, ndimage.center_of_mass(boxed), strict=True):
        place.append(int(np.clip(round(FIELD / 2 - middle), 0, FIELD - side)))
    top, left = place
    field[top : top + boxed.shape[0], left : left + boxed.shape[1]] = boxed
    return field

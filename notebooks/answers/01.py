"""Lesson 1: its answers, and the mistakes students typically make, each with the hint it gets."""

import numpy as np

from helpers.exercises import Guess, Task

GUESSES = {
    # The X has 13 light pixels; moved by one pixel, none of them meets another: 81 - 13 - 13 are equal.
    "least_alike": Guess(
        "shifted X",
        hints={
            "O": "a person would say so, but much of the O's background lies on background of the X.",
            "empty": "it lacks the 13 light pixels and agrees everywhere else; one picture does worse.",
            "rotated X": "its arms still lie on those of the X in part. In one picture no light pixel does.",
            "thick X": "it holds the whole X and a few pixels more. In one picture no light pixel agrees.",
            "noisy X": "only five of its pixels were changed. In one picture no light pixel agrees.",
        },
    ),
    "shifted_equal": Guess(
        55,
        hints={
            81: "it looks the same, but the computer asks for the same number in the same place.",
            68: "you took off the 13 places that the light pixels left; they also arrive at 13 new ones.",
            26: "so many are different; the question is how many are equal.",
            0: "no light pixel agrees, but much of the background does, and it counts.",
            72: "not only the column at the edge changes: look at every light pixel.",
        },
    ),
    "classification": Guess(
        "b",
        hints={
            "a": "a box says where something is: that is object detection.",
            "c": "a sentence is not on any fixed list: that is image captioning.",
            "d": "that asks for a class of every single pixel: segmentation.",
        },
    ),
    "index": Guess(
        100,
        hints={
            0: "that is tiny[2, 1]: the row comes first, then the column.",
            128: "that is row 1 and column 2 if you count from 1; Python counts from 0.",
            200: "the row is right, but columns are counted from 0 as well.",
            255: "the column is right, but rows are counted from 0 as well.",
        },
    ),
    "crop_size": Guess(
        168,
        hints={
            195: "the last row and column are not included: 8:20 has 12 rows, from 8 to 19.",
            143: "the first row and column are included: 8:20 has 12 rows, from 8 to 19.",
            26: "you added rows and columns; every row holds that many numbers, so multiply.",
            480: "20 and 24 are where the slices end, not how long they are.",
            144: "that is the crop in the figure; this one has more columns.",
        },
    ),
    "last_index": Guess(
        59_999,
        hints={
            60_000: "counting starts at 0, so there is no such index: IndexError.",
            60_001: "counting starts at 0, not at 1 or 2.",
        },
    ),
    "colour_numbers": Guess(
        819_840,
        hints={
            273_280: "those are the pixels; each of them is three numbers.",
            1_067: "you added rows and columns: multiply them, and do not forget the channels.",
            1_070: "you added rows, columns and channels: multiply them.",
        },
    ),
    "wrapped": Guess(
        44,
        hints={
            300: "so it should be, but one byte has no room for it.",
            255: "the count does not stop at the end; it starts again.",
            45: "almost: after 255 comes 0, so there are 256 different numbers, not 255.",
            -212: "a uint8 is never negative.",
        },
    ),
    "resized_pixel": Guess(
        127.5,
        hints={
            255: "that is the largest of the four; the mean is wanted.",
            0: "two of the four pixels are white.",
            510: "that is the sum of the four: divide it by four.",
            63.75: "there are two white pixels in the block, one in each row.",
        },
    ),
    "argmax": Guess(
        1,
        hints={
            0.7: "that is the largest number itself; argmax gives its place.",
            2: "places are counted from 0.",
            "sea": "that is the right class, but argmax gives its place in the list.",
        },
    ),
    # six agree and three differ: (6 - 3) / 9
    "score": Guess(
        3 / 9,
        hints={
            3: "that is the sum of the nine products; divide it by nine.",
            0.67: "you counted only what agrees; every disagreement takes 1 away.",
            6 / 9: "you counted only what agrees; every disagreement takes 1 away.",
            -0.33: "the size is right. Do more numbers agree, or more differ?",
            -3 / 9: "the size is right. Do more numbers agree, or more differ?",
            -0.11: "that is one pixel to the right; this window begins at column 3.",
            1: "it fitted perfectly before; now the window holds other numbers.",
        },
        tolerance=0.005,
    ),
    "hardest": Guess(
        "thick X",
        hints={
            "shifted X": "every piece may look one pixel further, and that is just how far the X has moved.",
            "rotated X": "its arms lie a pixel off, and the pieces may look one pixel further.",
            "noisy X": "only five pixels were changed; most of each stroke is as it was.",
        },
    ),
}


def brighten(picture, amount):
    """Change the dtype, add, clip."""
    return np.clip(picture.astype(int) + amount, 0, 255).astype("uint8")


def brighten_wraps(picture, amount):
    """Adds as uint8."""
    return (picture.astype(int) + amount) % 256


def brighten_does_not_clip(picture, amount):
    """Forgets the upper end."""
    return picture.astype(int) + amount


def brighten_leaves_the_lightest(picture, amount):
    """Leaves alone what would pass 255."""
    lighter = picture.astype(int) + amount
    return np.where(lighter > 255, picture, lighter)


def one_hot(labels, classes):
    """Write one 1 per row."""
    rows = np.zeros((len(labels), classes))
    for number, label in enumerate(labels):
        rows[number, label] = 1
    return rows


def one_hot_on_its_side(labels, classes):
    """Gives a column per label."""
    return one_hot(labels, classes).T


def one_hot_counts_from_one(labels, classes):
    """Puts label 1 into the first place."""
    return one_hot(np.asarray(labels) - 1, classes)


def one_hot_writes_the_label(labels, classes):
    """Writes the label itself instead of 1."""
    return one_hot(labels, classes) * np.asarray(labels)[:, np.newaxis]


def one_hot_in_a_single_row(labels, classes):
    """Marks all labels in one row."""
    return one_hot(labels, classes).max(axis=0)


def window_at(picture, row, column):
    """Return the 3 x 3 pixels whose first row and column are given."""
    return picture[row : row + 3, column : column + 3]


def match_at(picture, piece, row, column):
    """Multiply, add up, divide by nine."""
    return (window_at(picture, row, column) * piece).sum() / 9


def match_at_not_divided(picture, piece, row, column):
    """Adds up and stops there."""
    return (window_at(picture, row, column) * piece).sum()


def match_at_ignores_disagreements(picture, piece, row, column):
    """Counts what agrees."""
    return (window_at(picture, row, column) == piece).sum() / 9


def match_at_absolute(picture, piece, row, column):
    """Drops the sign."""
    return abs(match_at(picture, piece, row, column))


def match_at_swapped(picture, piece, row, column):
    """Takes the column for the row."""
    return match_at(picture, piece, column, row)


def match_at_in_the_corner(picture, piece, row, column):
    """Leaves the starter's window as it is."""
    return match_at(picture, piece, 0, 0)


def halve(picture):
    """Change the dtype, add the four corners of each block, divide by four."""
    numbers = picture.astype(float)
    return (numbers[0::2, 0::2] + numbers[0::2, 1::2] + numbers[1::2, 0::2] + numbers[1::2, 1::2]) / 4


def halve_overflows(picture):
    """Adds as uint8."""
    return (picture[0::2, 0::2] + picture[0::2, 1::2] + picture[1::2, 0::2] + picture[1::2, 1::2]) / 4


def halve_skips(picture):
    """Keeps every second pixel."""
    return picture[0::2, 0::2]


def halve_keeps_the_largest(picture):
    """Takes the lightest pixel of a block (lesson 2 calls this max pooling)."""
    return np.maximum(
        np.maximum(picture[0::2, 0::2], picture[0::2, 1::2]),
        np.maximum(picture[1::2, 0::2], picture[1::2, 1::2]),
    )


def halve_does_not_divide(picture):
    """Adds up and stops there."""
    return halve(picture) * 4


_chance = np.random.default_rng(1)
_small = np.array([[0, 100, 200], [255, 30, 180]], dtype="uint8")
_large = _chance.integers(0, 256, (5, 7), dtype="uint8")
_letters = [_chance.choice([-1, 1], shape) for shape in ((7, 9), (8, 6))]
_pieces = [np.array([[1, -1, -1], [1, 1, -1], [-1, -1, 1]]), np.array([[1, 1, -1], [-1, -1, -1], [-1, 1, 1]])]

TASKS = {
    "brighten": Task(
        brighten,
        mistakes=[
            (brighten_wraps, "the lightest pixels have become dark: change the dtype before you add."),
            (brighten_does_not_clip, "some pixels are above 255: np.clip helps."),
            (brighten_leaves_the_lightest, "pixels that would pass 255 stay as they were; make them 255."),
        ],
        inputs=[(_small, 100), (_large, 60), (_small, 255)],
    ),
    "one_hot": Task(
        one_hot,
        mistakes=[
            (one_hot_on_its_side, "you have one column per label; one row per label is wanted."),
            (one_hot_counts_from_one, "every 1 stands one place too far left: places are counted from 0."),
            (one_hot_writes_the_label, "you wrote the label itself; write 1 at its place."),
            (one_hot_in_a_single_row, "all labels share one row; each needs a row of its own."),
        ],
        inputs=[(np.array([2, 0, 3]), 4), (np.array([1, 2, 1, 5]), 6)],
    ),
    "match_at": Task(
        match_at,
        mistakes=[
            (match_at_not_divided, "that is the sum of the nine products: divide it by nine."),
            (match_at_ignores_disagreements, "you count what agrees; each disagreement must take 1 away."),
            (match_at_absolute, "you drop the sign: a score below zero says that more differs than agrees."),
            (match_at_swapped, "row and column are exchanged: in picture[rows, columns] rows come first."),
            (match_at_in_the_corner, "you always look at the top left corner: begin at row and column."),
        ],
        inputs=[
            (_letters[0], _pieces[0], 1, 4),
            (_letters[0], _pieces[1], 4, 3),
            (_letters[1], _pieces[0], 3, 1),
            (_letters[1], _pieces[1], 2, 0),
        ],
    ),
    "halve": Task(
        halve,
        mistakes=[
            (halve_overflows, "four pixels together pass 255: change the dtype before you add."),
            (halve_skips, "you keep one pixel of each block; the mean of all four is wanted."),
            (halve_keeps_the_largest, "you keep the lightest pixel of each block; the mean is wanted."),
            (halve_does_not_divide, "that is the sum of each block: divide it by four."),
        ],
        inputs=[(_large[:4, :6],), (_chance.integers(0, 256, (2, 8), dtype="uint8"),)],
        tolerance=0.8,  # rounding to whole numbers is right as well
    ),
}

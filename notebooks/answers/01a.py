"""Notebook 1a: its answers, and the mistakes students typically make, each with the hint it gets."""

import numpy as np

from helpers.exercises import Guess, Task

GUESSES = {
    "darkest": Guess(
        "blue",
        hints={
            "red": "orange light is mostly red, so this channel is light there.",
            "green": "orange holds some green. One colour is nearly absent.",
        },
    ),
    "axis": Guess(
        3,
        hints={
            2: "axis 0 counts the rows, and the axis that you name disappears; the columns are left.",
            1: "one number is left when no axis is named; here only the rows disappear.",
            6: "so many there were before the mean.",
        },
    ),
    "brightest": Guess(
        "green",
        hints={
            "red": "it stands out, but squint: one of the others is brighter.",
            "blue": "that is the darkest of the three.",
        },
    ),
    "unchanged": Guess(
        "green",
        hints={
            "red": "red changes places with the first of blue, green, red.",
            "blue": "blue changes places with the last of blue, green, red.",
        },
    ),
    "bright": Guess(
        "bright",
        hints={"dark": "so it looks, but the rule only asks whether 2.55 is above 0.5."},
    ),
    "transposed": Guess(
        21,
        hints={
            31: "that is last[1, 0, 1]; in the transposed array the channel comes first.",
            12: "channel 1, row 0, column 1: the tens digit is the pixel, the ones digit the channel.",
            22: "channels are counted from 0, so channel 1 has the ones digit 1.",
            11: "column 1 is the second pixel of its row.",
        },
    ),
    # 14,034 pictures x 150 x 150 x 3 numbers x 4 bytes
    "memory": Guess(
        3_789,
        hints={
            947: "that is one byte per number; float32 takes four.",
            1_263: "do not forget the three channels.",
            316: "three channels, and four bytes per number.",
            7_578: "float32 takes four bytes, not eight.",
        },
        tolerance=1,
    ),
    "view": Guess(
        99,
        hints={0: "a slice is not a copy: what you write into it, you write into the whole."},
    ),
    "smaller": Guess(
        "PNG",
        hints={"JPEG": "it is made for photographs; nine plain squares are quickly described exactly."},
    ),
}


def difference(a, b):
    """Change the dtype, subtract, drop the sign."""
    return np.abs(a.astype(int) - b.astype(int))


def difference_wraps(a, b):
    """Subtracts as uint8."""
    return a - b


def difference_keeps_the_sign(a, b):
    """Forgets np.abs."""
    return a.astype(int) - b.astype(int)


def difference_cuts_off(a, b):
    """Sets what is negative to zero."""
    return np.clip(a.astype(int) - b.astype(int), 0, 255)


WEIGHTS = np.array([0.299, 0.587, 0.114])


def to_grey(picture):
    """Add up the weighted channels, axis 2."""
    return (picture * WEIGHTS).sum(axis=2)


def to_grey_plain(picture):
    """Takes the plain mean."""
    return picture.mean(axis=2)


def to_grey_divides_again(picture):
    """Takes the mean of the weighted channels."""
    return (picture * WEIGHTS).mean(axis=2)


def to_grey_as_bgr(picture):
    """Lays the weights on blue, green, red."""
    return (picture * WEIGHTS[::-1]).sum(axis=2)


def to_grey_adds_up_everything(picture):
    """Names no axis."""
    return (picture * WEIGHTS).sum()


def to_rgb(picture):
    """Turn axis 2 round."""
    return picture[:, :, ::-1]


def mirrored(picture):
    """Turn axis 1 round."""
    return picture[:, ::-1]


def upside_down(picture):
    """Turns axis 0 round."""
    return picture[::-1]


def all_turned_round(picture):
    """Turns all axes round."""
    return picture[::-1, ::-1, ::-1]


def unchanged(picture):
    """Gives back what came in."""
    return picture


def channels_first(batch):
    """Move axis 3 to place 1."""
    return batch.transpose(0, 3, 1, 2)


def channels_first_reshaped(batch):
    """Pours the numbers into the wanted shape."""
    pictures, rows, columns, channels = batch.shape
    return batch.reshape(pictures, channels, rows, columns)


def channels_first_swapped(batch):
    """Exchanges rows and columns as well."""
    return batch.transpose(0, 3, 2, 1)


def channels_before_pictures(batch):
    """Puts the channels before the pictures."""
    return batch.transpose(3, 0, 1, 2)


_chance = np.random.default_rng(1)
_photos = [_chance.integers(0, 256, (rows, columns, 3), dtype="uint8") for rows, columns in ((4, 5), (3, 6))]

TASKS = {
    "difference": Task(
        difference,
        mistakes=[
            (difference_wraps, "3 - 5 has become 254: change the dtype before you subtract."),
            (difference_keeps_the_sign, "some results are negative: drop the sign with np.abs."),
            (difference_cuts_off, "where b is the larger you say 0; drop the sign instead of cutting off."),
        ],
        inputs=[(_photos[0], _photos[0][::-1]), (_photos[1][:, :, 0], _photos[1][:, :, 2])],
    ),
    "to_grey": Task(
        to_grey,
        mistakes=[
            (to_grey_plain, "that is the plain mean; use the weights."),
            (to_grey_divides_again, "the weights already add up to 1: take the sum, not the mean."),
            (to_grey_as_bgr, "red and blue have each other's weight."),
            (to_grey_adds_up_everything, "you added up the whole picture; name the axis of the channels."),
        ],
        inputs=[(photo,) for photo in _photos],
        tolerance=0.01,
    ),
    "to_rgb": Task(
        to_rgb,
        mistakes=[
            (mirrored, "you have mirrored the picture; the channels are the last axis."),
            (upside_down, "the picture stands on its head; the channels are the last axis."),
            (all_turned_round, "rows and columns are backwards as well; reverse only the last axis."),
            (unchanged, "the channels are still blue, green, red."),
        ],
        inputs=[(photo,) for photo in _photos],
    ),
    "channels_first": Task(
        channels_first,
        mistakes=[
            (channels_first_reshaped, "the shape is right and the pictures are mixed up: use transpose."),
            (channels_first_swapped, "rows and columns are exchanged: keep them in their order."),
            (channels_before_pictures, "the pictures must stay the first axis."),
        ],
        inputs=[(np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5),), (np.stack([_photos[0]] * 2),)],
    ),
    "mirrored": Task(
        mirrored,
        mistakes=[
            (upside_down, "that turns it upside down; the columns are axis 1."),
            (to_rgb, "that exchanges red and blue; the columns are axis 1."),
            (all_turned_round, "everything is backwards; reverse only axis 1."),
            (unchanged, "nothing has changed yet."),
        ],
        inputs=[(photo,) for photo in _photos],
    ),
}

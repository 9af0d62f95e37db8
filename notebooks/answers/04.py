"""Lesson 4, handwritten digits: the answers, and the typical mistakes with the hint for each."""

import math

import numpy as np
from scipy import ndimage

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(4)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "picture_7777": Guess(
        8,
        {
            0: "the outline is round, but follow the ink: it crosses itself half-way down.",
            6: "there is a loop at the bottom. Is there another at the top?",
            9: "there is a loop at the top. Is there another at the bottom?",
            3: "look at the left side: the ink closes two loops.",
        },
    ),
    "last_block": Guess(
        "better",
        {
            "worse": "nothing in the question says so. Run the next cell, and look at the last number.",
            "same": "that would be so if somebody had shuffled the pictures.",
        },
    ),
    "flatten_of_lecture": Guess(
        4732,
        {
            169: "that is one map, 13 x 13. There is one for each of the 28 kernels.",
            18_928: "that is 26 x 26 x 28, before pooling.",
            5488: "that is 14 x 14 x 28. A 3x3 kernel finds only 26 places along 28 pixels.",
            784: "that is the picture itself, 28 x 28.",
            21_952: "that is 28 x 28 x 28: neither the kernel's places nor the pooling are in it.",
        },
    ),
    "largest_layer": Guess(
        0.997,
        {
            0.5: "count it: 4,732 numbers go into the dense layer, and 128 come out.",
            0.002: "that is the last layer. Which one has 4,732 inputs?",
            0.0005: "that is the convolution. A kernel is used at all places, but counted once.",
            0.128: "128 is the number of its outputs. Each of them has a number for each of 4,732 inputs.",
        },
        tolerance=0.0171,
    ),
    "untrained": Guess(
        0.1,
        {
            0.0: "even a blind guess is right now and then. How often, with ten digits?",
            0.5: "that would be right for two classes. There are ten.",
            2.303: "that is the loss. The accuracy is a share, from 0 to 1.",
            10: "as a share, from 0 to 1: 10% is a tenth.",
        },
        tolerance=0.0501,
    ),
    "higher": Guess(
        "training",
        {"validation": "so it looked while it was learning. But which pictures have its weights followed?"},
    ),
    "flatten_of_assignment": Guess(
        5408,
        {
            169: "that is what the page says. It is 13 x 13: one map. How many maps are there?",
            21_632: "that is 26 x 26 x 32, before pooling.",
            6272: "that is 14 x 14 x 32. A 3x3 kernel finds only 26 places along 28 pixels.",
            4732: "that was the lecture's, with 28 kernels.",
        },
    ),
    "front_to_back": Guess(
        784,
        {
            2352: "that is 28 x 28 x 3. The filter is 3 deep, as the picture is: how many places in depth?",
            1024: "that is 32 x 32. How many places does a filter of 5 find along 32 pixels?",
            900: "that is 30 x 30, for a filter of 3x3.",
            28: "that is along one side. The filter slides along two.",
            75: "that is how many numbers the filter has. How many places does it find?",
        },
    ),
    "rounded": Guess(
        98.8,
        {
            98.7: "that is cut off, not rounded. What comes after the 7?",
            98.78: "that is exact. One decimal is asked for.",
            99: "that is rounded to a whole number.",
            0.9878: "that is the share. How many per cent is it?",
        },
    ),
    "differ": Guess(
        150,
        {
            15: "that is how far apart the two counts are. But each may be right where the other is wrong.",
            1500: "each has fewer than two hundred mistakes. Where both are right, they do not differ.",
        },
    ),
    "five_alike": Guess(
        0.0625,
        {
            0.03125: "that is five heads, 1 in 32. Five tails would be as lopsided.",
            0.5: "that is one coin. Multiply for five of them, and think of both ways to be alike.",
            0.2: "not one in five. Each further coin halves the chance.",
            0.1: "that is a half divided by five. Multiply a half by itself five times.",
        },
    ),
    "twelve_to_three": Guess(
        0.0352,
        {
            0.0176: "that is one side. It might as well have been the other way round.",
            0.0139: "that is k = 3 alone. Add k = 0, 1 and 2, and double the sum.",
            0.0278: "that is twice k = 3 alone. Add k = 0, 1 and 2 before you double.",
            0.25: "that is 3 divided by 12. How often do 15 coins fall 12 to 3, or more lopsided still?",
        },
        tolerance=0.0005,
    ),
}

# --- tasks ----------------------------------------------------------------------------------------


def tail(only_a, only_b):
    """Return the share of cases with at most as many heads as the smaller of two counts."""
    coins = only_a + only_b
    return sum(math.comb(coins, heads) for heads in range(min(only_a, only_b) + 1)) / 2**coins


def laid(boxed, top, left):
    """Return 28x28 zeros with the box in them, its upper left corner at (top, left)."""
    field = np.zeros((28, 28))
    field[top : top + boxed.shape[0], left : left + boxed.shape[1]] = boxed
    return field


def centred(boxed, convert=round):
    """Return the box laid into 28x28 by its centre of mass."""
    down, right = ndimage.center_of_mass(boxed)
    return laid(boxed, convert(14 - down), convert(14 - right))


def swapped(boxed):
    """Mistake row and column of the centre for one another."""
    right, down = ndimage.center_of_mass(boxed)
    return laid(boxed, round(14 - down), round(14 - right))


def some_ink(rows, columns, *spot):
    """Return a box of faint ink with a strong spot at (row, column, rows, columns), off its middle."""
    boxed = RNG.uniform(10, 60, (rows, columns))
    row, column, high, wide = spot
    boxed[row : row + high, column : column + wide] = 255.0
    return boxed


TASKS = {
    "my_conv_parameters": Task(
        answer=lambda side, channels, kernels: kernels * (side**2 * channels + 1),
        mistakes=[
            (
                lambda side, channels, kernels: kernels * side**2 * channels,
                "the biases are missing: one for each kernel.",
            ),
            (
                lambda side, channels, kernels: kernels * side**2 * channels + 1,
                "there is one bias for each kernel, not one for all.",
            ),
            (
                lambda side, channels, kernels: kernels * (side**2 + 1),
                "each kernel reaches through all channels of its input.",
            ),
            (
                lambda side, channels, kernels: kernels * (side * channels + 1),
                "a kernel is `side` pixels high and as many wide.",
            ),
            (
                lambda side, channels, kernels: kernels * channels * (side**2 + 1),
                "a kernel has one bias, however many channels it reaches through.",
            ),
            (
                lambda side, channels, kernels: side**2 * channels + 1,
                "that is one kernel. How many are there?",
            ),
        ],
        inputs=[(3, 1, 28), (5, 3, 1), (3, 16, 32)],
    ),
    "my_sign_test": Task(
        answer=lambda only_a, only_b: min(1.0, 2 * tail(only_a, only_b)),
        mistakes=[
            (tail, "that is one side only: double it, since it might have been the other way round."),
            (
                lambda only_a, only_b: 2 * tail(only_a, only_b),
                "right, but for equal counts it exceeds 1: take the smaller of 1 and your result.",
            ),
            (
                lambda only_a, only_b: min(
                    1.0, 2 * math.comb(only_a + only_b, min(only_a, only_b)) / 2 ** (only_a + only_b)
                ),
                "that is exactly these counts. More lopsided ones belong to it: add them up from k = 0.",
            ),
            (
                lambda only_a, only_b: min(
                    1.0,
                    2
                    * sum(math.comb(only_a + only_b, k) for k in range(min(only_a, only_b)))
                    / 2 ** (only_a + only_b),
                ),
                "the last k is missing: range(m) ends before m.",
            ),
            (
                lambda only_a, only_b: min(
                    1.0,
                    2
                    * sum(math.comb(only_a + only_b, k) for k in range(only_a + 1))
                    / 2 ** (only_a + only_b),
                ),
                "you add up to the first count. It may be the larger one: take the smaller of the two.",
            ),
        ],
        inputs=[(0, 5), (3, 9), (12, 4), (6, 6), (30, 60)],
    ),
    "my_centred": Task(
        answer=centred,
        mistakes=[
            (
                lambda boxed: laid(boxed, (28 - boxed.shape[0]) // 2, (28 - boxed.shape[1]) // 2),
                "the middle of the box is in the middle. The centre of mass is wanted: where the ink is.",
            ),
            (swapped, "rows and columns are exchanged: the centre's row comes first."),
            (
                lambda boxed: centred(boxed, int),
                "int() cuts off the fraction. Round to the nearest pixel.",
            ),
            (
                lambda boxed: laid(boxed, *map(round, ndimage.center_of_mass(boxed))),
                "that is the centre within the box. How far is it from there to row 14, column 14?",
            ),
            (lambda boxed: laid(boxed, 0, 0), "the box lies in the upper left corner."),
            (lambda boxed: np.zeros((28, 28)), "the field is empty: lay the box into it."),
        ],
        inputs=[
            (some_ink(16, 11, 2, 5, 6, 4),),
            (some_ink(12, 15, 6, 8, 5, 7),),
            (some_ink(14, 9, 8, 1, 5, 4),),
        ],
    ),
}

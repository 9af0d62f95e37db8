"""Lesson 2b, fast convolution: answers, and what typically goes wrong."""

import numpy as np

from helpers.exercises import Guess, Task

GUESSES = {
    "windows": Guess(
        425 * 425,
        {
            427 * 427: "a kernel of 3 has two places fewer than pixels along each side.",
            424 * 424: "427 - 3 counts the steps; the first place counts as well.",
            426 * 426: "one too many along each side: the kernel's end must not stick out.",
            425: "that is one side.",
            425 * 425 * 9: "those are the multiplications.",
        },
    ),
    "passes": Guess(
        9,
        {
            3: "that would do for a row of three numbers.",
            425 * 425: "that is the loop over the places; now go through the numbers of the kernel.",
            1: "each number of the kernel needs a slice of its own.",
            6: "a column and a row would need six, but not every kernel is made of these.",
        },
    ),
    "table_size": Guess(
        9,
        {
            1: "windows overlap, and each is written out in full.",
            3: "a window has rows and columns.",
            425 * 425: "that is the number of its rows.",
        },
        tolerance=0.2,
    ),
    "exercise_passes": Guess(
        81,
        {9: "that is one row of the kernel.", 18: "that is for a column and then a row."},
    ),
    "exercise_two_passes": Guess(
        18,
        {81: "that is the square at once.", 9: "that is the column alone.", 2: "count the numbers of both."},
    ),
    "exercise_table": Guess(
        112 * 112 * 9 * 64,
        {
            112 * 112 * 9: "you forgot the channels.",
            110 * 110 * 9 * 64: "with padding 1 there are as many places as pixels.",
            112 * 112 * 64: "that is the input; each of its numbers lies in several windows.",
        },
    ),
}


def by_shifts(picture, kernel):
    """Add up one shifted slice of the picture for each number of the kernel."""
    rows, columns = (p - k + 1 for p, k in zip(picture.shape, kernel.shape, strict=True))
    sums = np.zeros((rows, columns))
    for r, c in np.ndindex(kernel.shape):
        sums += kernel[r, c] * picture[r : r + rows, c : c + columns]
    return sums


dice = np.random.default_rng(2)
TASKS = {
    "by_shifts": Task(
        by_shifts,
        [
            (
                lambda picture, kernel: by_shifts(picture, kernel[::-1, ::-1]),
                "the slices move the wrong way, as if the kernel were turned round.",
            ),
            (
                lambda picture, kernel: (
                    kernel.sum() * by_shifts(picture, np.eye(1, kernel.size).reshape(kernel.shape))
                ),
                "every number of the kernel met the same slice; shift it by the number's row and column.",
            ),
            (
                lambda picture, kernel: by_shifts(picture, kernel * np.eye(*kernel.shape)),
                "you used the kernel's diagonal alone: rows and columns need every combination.",
            ),
            (
                lambda picture, kernel: (
                    kernel[-1, -1] * picture[len(kernel) - 1 :, kernel.shape[1] - 1 :].astype(float)
                ),
                "only the last product is left: add to the sums, with +=.",
            ),
        ],
        [
            (dice.integers(0, 9, (6, 8)), dice.integers(1, 6, (3, 3))),
            (dice.integers(0, 9, (7, 5)), dice.integers(1, 6, (2, 3))),
        ],
    ),
}

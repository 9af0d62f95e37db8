"""Lesson 2a, kinds of convolution: answers, and what typically goes wrong."""

import numpy as np

from helpers.convolution import correlate2d
from helpers.exercises import Guess, Task

GUESSES = {
    "places_along_a_side": Guess(
        5,
        {
            4: "padding is added on both sides: a side of 9 becomes 11.",
            9: "that would be stride 1.",
            4.5: "the stride divides the steps, not the places; count the first place too.",
            6: "the last of these would stick out.",
        },
    ),
    "dilated_sum": Guess(
        34,
        {
            22: "that is without dilation; take every second number of the signal.",
            36: "that is the first place; move everything by one.",
            26: "1, 2 and 3 belong to the numbers 3, 5 and 7 in this order; you turned the kernel round.",
        },
    ),
    "reach": Guess(
        5,
        {
            6: "one pixel too many: there is no gap after the last number.",
            3: "that is without dilation; there are gaps between.",
            7: "dilation 2 leaves one pixel between neighbours, not two.",
        },
    ),
    "even_side": Guess(
        5,
        {
            4: "that is what one would like; count the places on 1 + 4 + 1 pixels.",
            3: "that is without padding.",
            6: "count the places, not the padded pixels.",
        },
    ),
    "fewest_parameters": Guess(
        "depthwise separable",
        {
            "grouped": "4 kernels of 3x3x1 are 36; one kind needs fewer.",
            "spatially separable": "each of 4 x 2 kernels is still 3 + 3 numbers, 48 in all.",
            "dilated": "dilation changes where the numbers lie, not how many there are.",
            "standard": "it needs the most: 4 x 3 x 3 x 2 = 72.",
        },
    ),
    "exercise_reach": Guess(
        13,
        {
            15: "there is no gap after the last number.",
            17: "dilation 3 leaves two pixels between neighbours, not three.",
            9: "that would be dilation 2.",
        },
    ),
    "exercise_depthwise": Guess(
        32 * 9 + 32 * 64,
        {
            32 * 64 * 9: "that is the standard kind.",
            32 * 9: "that is the depthwise step alone; then the channels are mixed.",
            32 * 64: "that is the pointwise step alone.",
            64 * 9 + 32 * 64: "the depthwise step has one kernel for each channel that it reads.",
        },
    ),
    "exercise_blur": Guess(
        62,
        {
            961: "that is the square at once; equal numbers are a column times a row.",
            31: "a pass downwards and a pass across: both cost something.",
        },
    ),
}


def spread(kernel, gap=1):
    """Put zeros between the numbers of a kernel."""
    larger = np.zeros([(gap + 1) * (side - 1) + 1 for side in kernel.shape])
    larger[:: gap + 1, :: gap + 1] = kernel
    return larger


def depthwise(picture, kernels):
    """Slide over each channel its own kernel."""
    channels = range(picture.shape[2])
    return np.stack([correlate2d(picture[..., c], kernels[..., c]) for c in channels], axis=-1)


dice = np.random.default_rng(2)
TASKS = {
    "spread": Task(
        spread,
        [
            (
                lambda kernel: np.pad(spread(kernel), ((0, 1), (0, 1))),
                "there is no gap after the last number: 3 numbers reach over 5.",
            ),
            (lambda kernel: spread(kernel, gap=2), "dilation 2 leaves one zero between neighbours, not two."),
            (
                lambda kernel: kernel.repeat(2, axis=0).repeat(2, axis=1)[:-1, :-1],
                "you repeated the numbers; the gaps hold zeros.",
            ),
            (lambda kernel: spread(kernel)[::2], "spread the rows as well as the columns."),
        ],
        [(dice.integers(1, 9, (3, 3)),), (dice.integers(1, 9, (2, 4)),)],
    ),
    "depthwise": Task(
        depthwise,
        [
            (
                lambda picture, kernels: depthwise(picture, kernels).sum(axis=2),
                "you added the channels up; in this step they stay apart.",
            ),
            (
                lambda picture, kernels: np.moveaxis(depthwise(picture, kernels), 2, 0),
                "the channels come last: stack the maps along the last axis.",
            ),
            (
                lambda picture, kernels: depthwise(picture, np.repeat(kernels[..., :1], kernels.shape[2], 2)),
                "each channel has its own kernel; you used the first for all.",
            ),
            (
                lambda picture, kernels: depthwise(picture, kernels[::-1, ::-1]),
                "did you turn the kernels round?",
            ),
        ],
        [
            (dice.integers(0, 9, (5, 6, 2)), dice.integers(-2, 3, (3, 3, 2))),
            (dice.integers(0, 9, (4, 7, 3)), dice.integers(-2, 3, (3, 3, 3))),
        ],
    ),
}

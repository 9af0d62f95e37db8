"""Notebook 3a, backpropagation by hand: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.convolution import correlate2d
from helpers.exercises import Guess, Task

RNG = np.random.default_rng(31)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "chain_open": Guess(
        6.0,
        {
            5.0: "you have added the slopes. Along a chain they are multiplied.",
            3.0: "that is the slope of the last link (and the score itself). Multiply all three.",
            2.0: "that is the slope of the first link. Multiply all three.",
        },
    ),
    "chain_shut": Guess(
        0.0,
        {
            6.0: "2.0 times -0.5 is negative: what does ReLU do with it, and what if the weight is nudged?",
            -6.0: "the sign of the weight is not that of the slope. What does ReLU do to a negative number?",
        },
    ),
    "middle_of_kernel": Guess(
        -0.807,
        {
            -0.269: "that uses the slopes after ReLU. Where ReLU cut the number off, the slope is 0.",
            0.807: "the size is right. Both remaining pixels are 1, so the slopes keep their sign.",
            -0.538: "that is only one of the two windows that ReLU let pass.",
            0.269: "both remaining pixels are 1: add the two slopes.",
        },
        tolerance=0.002,
    ),
    "correlation": Guess(
        1.0,
        {
            0.0: "scale the second kernel by 2 and shift all its numbers by -1. What do you get?",
            0.5: "the differences between on and off the diagonal count, not how large they are.",
            0.33: "that is the mean product, lesson 2's match. Correlation ignores size and offset.",
        },
        tolerance=0.01,
    ),
    "without_speck": Guess(
        0.807,
        {
            0.269: "that is the slope with the speck. One of the two pixels has turned from 1 to -1.",
            -0.807: "the size is right. Both pixels are now -1, and both slopes are negative.",
            -0.269: "both pixels are now -1, and both slopes are negative.",
        },
        tolerance=0.002,
    ),
}

# --- tasks ----------------------------------------------------------------------------------------


def relu_slopes(slope_after, before):
    """Return the slopes before ReLU: 0 where it cut the number off."""
    return np.where(before > 0, slope_after, 0)


TASKS = {
    "my_relu_slopes": Task(
        answer=relu_slopes,
        mistakes=[
            (
                lambda slope_after, before: np.maximum(slope_after, 0),
                "you have sent the slopes through ReLU. Ask which numbers were positive before it.",
            ),
            (
                lambda slope_after, before: slope_after,
                "everything has passed. Where ReLU cut the number off, the slope is 0.",
            ),
            (
                lambda slope_after, before: slope_after * np.maximum(before, 0),
                "ReLU has the slope 1 where it lets a number pass, whatever the number.",
            ),
            (
                lambda slope_after, before: np.where(before > 0, 0, slope_after),
                "the two cases are the wrong way round.",
            ),
        ],
        inputs=[
            (np.array([[-0.269, -0.269], [-0.269, -0.538]]), np.array([[0.5, -0.5], [-0.5, 0.5]])),
            (RNG.normal(0, 1, (3, 4)), RNG.normal(0, 2, (3, 4))),
        ],
    ),
    "my_kernel_slopes": Task(
        answer=correlate2d,
        mistakes=[
            (
                lambda picture, slope_map: correlate2d(picture, slope_map[::-1, ::-1]),
                "the table of slopes has been turned round. Lay it on the picture as it is.",
            ),
            (
                lambda picture, slope_map: correlate2d(picture, slope_map) / slope_map.size,
                "that is the mean of the products. The slope is their sum.",
            ),
            (
                lambda picture, slope_map: -correlate2d(picture, slope_map),
                "the signs are turned round: that is the direction of the step, not the slope.",
            ),
        ],
        inputs=[
            (RNG.normal(0, 1, (4, 4)), np.array([[-0.269, 0.0], [0.1, -0.538]])),
            (RNG.normal(0, 1, (5, 7)), RNG.normal(0, 1, (3, 4))),
        ],
    ),
}

"""Notebook 4a, a better digit network: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(41)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "second_convolution": Guess(
        4608,
        {
            288: "that is for one map. Each kernel reaches through all 16 maps of the layer before.",
            144: "that is one kernel: 3 x 3 numbers for each of 16 maps. There are 32 of them.",
            4640: "you have counted 32 biases. This convolution has none.",
            1536: "3 x 3 is 9, not 3.",
            512: "that is 16 x 32. Each of these pairs has 3 x 3 numbers.",
        },
    ),
    "pool_and_relu": Guess(
        "same",
        {"different": "take 3 and -2: the larger of their ReLUs, and the ReLU of the larger. And of -3, -2?"},
    ),
    "pool_normalise_relu": Guess(
        "different",
        {"same": "is the mean of the largest numbers of all windows the mean of all numbers?"},
    ),
    "harmful_change": Guess(
        "mirror",
        {
            "shift": "a digit moved by a pixel is the same digit, and still in the picture.",
            "zoom": "a digit a tenth larger or smaller is the same digit.",
            "turn": "a few degrees: nobody writes quite upright. (Half a turn would make a 9 of a 6.)",
        },
    ),
    "twenty_tries": Guess(
        1,
        {
            0: "coins are lopsided now and then. A p-value below 0.05 says: in one case out of twenty.",
            20: "then the test would be worthless. Each of them has a chance of 0.05.",
            0.05: "that is the chance of each. There are twenty of them.",
            10: "that would be a chance of one half for each. It is 0.05.",
        },
    ),
    "highest_rung": Guess(
        "normalisation",
        {
            "adam": "a good step, with so few pictures. But another is about three times as big.",
            "batches": "larger batches mean fewer steps. Why should the answers be better?",
            "architecture": "it needs a twentieth of the numbers. What does it gain in accuracy?",
            "schedule": "it helps to settle. But another step is bigger.",
            "shifts": "in six epochs the network has not learnt its pictures by heart yet.",
            "12 epochs": "twice as long is not twice as good: the fast gains come first.",
            "turns": "so near the top of the ladder no step can be big: few pictures are still misread.",
            "24 epochs": "twice as long once more, and so near the top: there is little left to gain.",
        },
    ),
}

# --- tasks ----------------------------------------------------------------------------------------

AXES = (0, 1, 2)


def normalise(maps):
    """Return each map with mean 0 and standard deviation 1 over pictures, rows and columns."""
    return (maps - maps.mean(axis=AXES)) / maps.std(axis=AXES)


def rate(step, steps, highest):
    """Return the learning rate: up in a line for a tenth of the steps, then down along half a cosine."""
    climb = steps // 10
    if step < climb:
        return highest * step / climb
    done = (step - climb) / (steps - climb)
    return highest * (1 + np.cos(np.pi * done)) / 2


TASKS = {
    "my_normalise": Task(
        answer=normalise,
        mistakes=[
            (
                lambda maps: (maps - maps.mean()) / maps.std(),
                "that is one mean for everything. Each map needs its own: axis=(0, 1, 2).",
            ),
            (
                lambda maps: maps - maps.mean(axis=AXES),
                "the means are 0. Now divide by the standard deviations.",
            ),
            (
                lambda maps: (maps - maps.mean(axis=AXES)) / maps.var(axis=AXES),
                "you have divided by the variance. Its square root, the standard deviation, is wanted.",
            ),
            (
                lambda maps: maps / maps.std(axis=AXES),
                "the standard deviations are 1. Subtract the means first.",
            ),
            (
                lambda maps: (maps - maps.mean(axis=0)) / maps.std(axis=0),
                "each place has its own mean now. All places of a map share one: axis=(0, 1, 2).",
            ),
            (
                lambda maps: (
                    (maps - maps.mean(axis=(1, 2), keepdims=True)) / maps.std(axis=(1, 2), keepdims=True)
                ),
                "each picture has its own mean now. All pictures of the batch share one: axis=(0, 1, 2).",
            ),
        ],
        inputs=[
            (RNG.normal(3, 2, (4, 3, 5, 2)),),
            (RNG.normal(-1, 0.5, (6, 2, 2, 3)) * np.array([1, 5, 2]),),
        ],
        tolerance=0.002,
    ),
    "my_rate": Task(
        answer=rate,
        mistakes=[
            (
                lambda step, steps, highest: highest * (1 + np.cos(np.pi * step / steps)) / 2,
                "there is no climb: the first tenth of the steps goes up from 0.",
            ),
            (
                lambda step, steps, highest: (
                    rate(step, steps, highest)
                    if step < steps // 10
                    else highest * (1 + np.cos(np.pi * step / steps)) / 2
                ),
                "the climb is right. The falling part begins after it: count `done` from there.",
            ),
            (
                lambda step, steps, highest: (
                    rate(step, steps, highest)
                    if step < steps // 10
                    else highest * (steps - step) / (steps - steps // 10)
                ),
                "the climb is right. The fall is not a straight line but half a cosine wave.",
            ),
            (
                lambda step, steps, highest: rate(step, steps, 1.0),
                "the highest rate is always 1: multiply by `highest`.",
            ),
        ],
        inputs=[
            (0, 1_000, 0.005),
            (50, 1_000, 0.3),
            (300, 1_000, 0.3),
            (550, 1_000, 0.2),
            (1_000, 1_000, 0.3),
        ],
    ),
}

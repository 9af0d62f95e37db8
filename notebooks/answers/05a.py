"""Notebook 5a, a better scene network: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(51)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "suffers_most": Guess(
        "glacier",
        {
            "forest": "a good guess, and nearly: leaves are fine detail. One class lost a little more.",
            "buildings": "it lost less than half of the most. Which class lives by fine cracks and grain?",
            "street": "it lost less than half of the most. Which class lives by its fine grain?",
            "sea": "it lost hardly anything. Which class lives by fine cracks and grain?",
            "mountain": "this one even gained. Which class lives by fine cracks and grain?",
        },
    ),
    "separable": Guess(
        25_728,
        {
            221_184: "that is the plain convolution. The separable one has two steps: count each, and add.",
            24_576: "that is the second step, the kernels of 1 x 1. The 3 x 3 kernels come first.",
            1_152: "that is the first step, one 3 x 3 kernel for each incoming map. The mixing is missing.",
            26_304: "the 3 x 3 kernels belong to the incoming maps, of which there are 128.",
        },
    ),
    "mean_of_last_five": Guess(
        6.0,
        {
            -8.1: "that is the last epoch alone. Take the mean of epochs 6 to 10 of each row first.",
            -6.0: "the size is right. It is the second row minus the first.",
            6.6: "that is the mean over all ten epochs. Take the last five.",
            -1.3: "that is the mean of the last three. Take the last five.",
        },
        tolerance=0.11,
    ),
}

# --- tasks ----------------------------------------------------------------------------------------


def last_three(histories):
    """Return, for each seed, the mean accuracy of its last three epochs."""
    return np.array([np.mean(history[-3:]) for history in histories])


def grad_cam(maps, slopes):
    """Return how much each place speaks for the class: maps times their mean slopes, added up, at least 0."""
    return np.maximum((maps * slopes.mean(axis=(0, 1))).sum(axis=-1), 0)


TASKS = {
    "my_row": Task(
        answer=last_three,
        mistakes=[
            (
                lambda histories: np.array([history[-1] for history in histories]),
                "that is the last epoch alone, which is what the zigzag spoils. Take the mean of three.",
            ),
            (
                lambda histories: np.array([max(history) for history in histories]),
                "that is each seed's best epoch: chosen for its luck. Take the mean of the last three.",
            ),
            (
                lambda histories: np.array([np.mean(history) for history in histories]),
                "these are means over all epochs. The first ones belong to a network that knows little yet.",
            ),
            (
                lambda histories: np.array([np.mean(history[:3]) for history in histories]),
                "these are the first three epochs. history[-3:] takes the last three.",
            ),
            (
                lambda histories: np.mean(last_three(histories)),
                "that is one number for the whole row. Keep the seeds apart: their spread is the point.",
            ),
        ],
        inputs=[
            ([[0.5, 0.9, 0.6, 0.7], [0.4, 0.8, 0.5, 0.6], [0.6, 0.55, 0.65, 0.8]],),
            (RNG.random((3, 6)).tolist(),),
        ],
    ),
    "my_grad_cam": Task(
        answer=grad_cam,
        mistakes=[
            (
                lambda maps, slopes: (maps * slopes.mean(axis=(0, 1))).sum(axis=-1),
                "places that speak against the class are still there, below 0: keep what is positive.",
            ),
            (
                lambda maps, slopes: np.maximum((maps * slopes).sum(axis=-1), 0),
                "each place uses its own slope. First the mean over all places: one weight a map.",
            ),
            (
                lambda maps, slopes: np.maximum((maps * slopes.sum(axis=(0, 1))).sum(axis=-1), 0),
                "the weights are sums over the places. Their means are wanted.",
            ),
            (
                lambda maps, slopes: np.maximum((maps * slopes.mean(axis=(0, 1))).mean(axis=-1), 0),
                "the weighted maps are averaged. They are added up.",
            ),
            (
                lambda maps, slopes: np.maximum(maps * slopes.mean(axis=(0, 1)), 0).sum(axis=-1),
                "you kept the positive part of each map. Add the maps first, then keep what is positive.",
            ),
            (
                lambda maps, slopes: np.maximum(maps.sum(axis=-1), 0),
                "the slopes are not used: every map counts alike, whatever the class.",
            ),
        ],
        inputs=[
            (RNG.normal(0, 1, (2, 3, 4)), RNG.normal(0, 1, (2, 3, 4))),
            (RNG.random((4, 2, 5)), RNG.normal(0, 1, (4, 2, 5))),
        ],
    ),
}

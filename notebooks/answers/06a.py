"""Lesson 6a, what pretraining brings: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(6)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "strangers": Guess(
        32,
        {
            64: "then each would be the other's negative. Each answer is yes or no: think of two coins.",
            0: "that is one and the same photograph.",
            8: "that would be the 8 rows. How often do two tossed coins differ?",
            16: "that would be one answer in four. How often do two tossed coins differ?",
        },
        tolerance=3,
    ),
    "random_base": Guess(
        "some",
        {
            "half": "that is tossing a coin. Even mixed at random, the pixels still say something.",
            "same": "then ImageNet's million photographs would have been for nothing.",
        },
    ),
    "leak": Guess(
        "same",
        {
            "higher": "right in principle. But how many of the 200 are answered wrongly to begin with?",
            "lower": "a relative among the pictures to learn from can only help.",
        },
    ),
    "fair_control": Guess(
        "b",
        {"a": "two things differ there: the weights, and the size of the photographs."},
    ),
    "fitted_to": Guess(
        "remembered",
        {
            "batch": "which means were in use when the features for fitting the head were computed?",
        },
    ),
    "scenes_needed": Guess(
        160,
        {
            10: "sixty pictures for six classes: try it in the next cells.",
            40: "that gets near. Look at the next cells.",
            900: "that would be no gain at all.",
        },
    ),
    "two_differences": Guess(
        "nothing",
        {
            "much": "is it the weights or the pixels? Nobody can say.",
            "something": "any difference may come from the pixels alone. Change one thing at a time.",
        },
    ),
}

# --- tasks ----------------------------------------------------------------------------------------

TASKS = {
    "my_fingerprint": Task(
        answer=lambda grey: (grey[:, 1:] > grey[:, :-1]).ravel(),
        mistakes=[
            (
                lambda grey: (grey[:, 1:] < grey[:, :-1]).ravel(),
                "you ask whether the right neighbour is darker. It is lighter if its number is larger.",
            ),
            (
                lambda grey: (grey[1:] > grey[:-1]).ravel(),
                "you compare each row with the row above. Neighbours in a row differ in their column.",
            ),
            (
                lambda grey: grey[:, 1:] > grey[:, :-1],
                "the answers are right, but still a table: .ravel() lays them in one row.",
            ),
            (
                lambda grey: (grey[:, 1:] >= grey[:, :-1]).ravel(),
                "equal is not lighter: use > and not >=.",
            ),
            (
                lambda grey: (grey > grey.mean()).ravel(),
                "you compare with the mean of the picture, not with the neighbour.",
            ),
        ],
        inputs=[
            (np.array([[10, 40, 35, 90, 20], [7, 7, 3, 4, 4]]),),
            (RNG.integers(0, 9, (8, 9)),),
            (RNG.integers(0, 4, (3, 6)),),
        ],
    ),
}

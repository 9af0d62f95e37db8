"""Lesson 5b, faults that raise no error: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(53)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "both_turned": Guess(
        "same",
        {
            "worse": "each red number still meets the weight learnt for red. What changes in the sum?",
            "better": "the sums are made of the products they had before, in another order.",
        },
    ),
    "scaled_twice": Guess(
        "black",
        {
            "white": "white is 255. What is the largest number that it gets now?",
            "grey": "grey is in the middle, near 128. What is the largest number that it gets now?",
            "unchanged": "the network expects 0 to 255. What is the largest number that it gets now?",
        },
    ),
    "label_of_the_stray": Guess(
        1,
        {
            2: "the loop has not met glacier yet, when it comes to this folder.",
            0: "that was the folder before last. Which class came directly before?",
            -1: "nothing sets the label to anything new. What is it still?",
        },
    ),
    "pixels_left": Guess(
        0.444,
        {
            0.667: "that is one side. There are two: multiply.",
            0.556: "that is the share that is gone.",
            0.296: "that is the side three times over. A picture has two sides.",
        },
        tolerance=0.002,
    ),
    "nothing_to_choose": Guess(
        0,
        {
            1: "with one epoch there is nothing to pick. Why should either half be luckier on average?",
            0.5: "with one epoch there is nothing to pick. Why should either half be luckier on average?",
        },
        tolerance=0.05,
    ),
    "training_curve": Guess(
        "same",
        {
            "steadier": "in training it uses the mean of the batch itself. What is the running one for?",
            "jumpier": "in training it uses the mean of the batch itself. When is the running one used?",
        },
    ),
    "first_step_of_adam": Guess(
        0.001,
        {
            0.005: "that is plain descent. Adam divides the mean slope by the usual size of the slopes.",
            5.0: "that is the slope. Adam divides it by its usual size: after one step, its own.",
            0.0005: "the mean starts at a tenth of the slope, but Adam corrects for that at the start.",
            1.0: "that is the slope by its size. Multiply it by the learning rate.",
        },
    ),
}

# --- tasks ----------------------------------------------------------------------------------------


def labels_of(folders, class_names, unknown=-1):
    """Return the place of each folder in the list of classes; -1 for a folder that is not a class."""
    return [class_names.index(name) if name in class_names else unknown for name in folders]


def labels_kept(folders, class_names):
    """Do as the article does: a folder that is not a class keeps the label of the one before."""
    labels, label = [], -1
    for name in folders:
        if name in class_names:
            label = class_names.index(name)
        labels.append(label)
    return labels


def surplus(right, choosing, chooser=None):
    """Return by how much the half that chose the epoch looks better there than the other half."""
    best = (right[:, choosing] if chooser is None else chooser(right, choosing)).mean(axis=1).argmax()
    return right[best, choosing].mean() - right[best, ~choosing].mean()


def half(right, choosing, of_chosen):
    """Return the accuracy of one half at the epoch that the choosing half picks."""
    best = right[:, choosing].mean(axis=1).argmax()
    return right[best, choosing if of_chosen else ~choosing].mean()


TABLE = RNG.random((6, 20)) < np.linspace(0.4, 0.7, 6)[:, np.newaxis]
FIRST_HALF = np.arange(20) < 10
EVERY_THIRD = np.arange(20) % 3 == 0

TASKS = {
    "my_swap": Task(
        answer=lambda picture: picture[..., ::-1],
        mistakes=[
            (lambda picture: picture[::-1], "the picture is upside down. The colours are the last axis."),
            (lambda picture: picture[:, ::-1], "the picture is mirrored. The colours are the last axis."),
            (
                lambda picture: np.flip(picture),
                "everything is turned round, rows and columns too. Turn the last axis only.",
            ),
            (
                lambda picture: np.moveaxis(picture, -1, 0),
                "the colours have moved to the front. They stay last; only their order changes.",
            ),
            (lambda picture: np.roll(picture, 1, axis=-1), "green has moved. It stays in the middle."),
        ],
        inputs=[(RNG.integers(0, 256, (4, 5, 3)),), (RNG.integers(0, 256, (3, 2, 3)),)],
    ),
    "my_labels": Task(
        answer=labels_of,
        mistakes=[
            (
                labels_kept,
                "a stray folder has got the label of the folder before it: the article's fault.",
            ),
            (
                lambda folders, class_names: labels_of(folders, class_names, unknown=0),
                "a stray folder has got the label of the first class. Say -1.",
            ),
            (
                lambda folders, class_names: [class_names.index(n) for n in folders if n in class_names],
                "the stray folders are missing. Give one label for every folder, -1 for a stray one.",
            ),
            (
                lambda folders, class_names: list(range(len(folders))),
                "you have numbered the folders. A label is the place in the list of classes.",
            ),
        ],
        inputs=[
            (["b", "a", "tmp", "c"], ["a", "b", "c"]),
            (["old", "c", "x", "c", "a"], ["a", "b", "c", "d"]),
        ],
    ),
    "my_surplus": Task(
        answer=surplus,
        mistakes=[
            (
                lambda right, choosing: surplus(right, choosing, lambda r, c: r[:, ~c]),
                "the wrong half has chosen the epoch.",
            ),
            (
                lambda right, choosing: surplus(right, choosing, lambda r, c: r),
                "all pictures have chosen the epoch. Only the choosing half may.",
            ),
            (
                lambda right, choosing: -surplus(right, choosing),
                "the sign is turned round: the half that chose, minus the other.",
            ),
            (
                lambda right, choosing: half(right, choosing, of_chosen=True),
                "that is the accuracy of the half that chose. Subtract that of the other half.",
            ),
            (
                lambda right, choosing: (
                    right[:, choosing].mean(axis=1).max() - right[:, ~choosing].mean(axis=1).max()
                ),
                "each half has chosen an epoch of its own. Both must report the same epoch.",
            ),
        ],
        inputs=[(TABLE, FIRST_HALF), (TABLE, ~FIRST_HALF), (TABLE, EVERY_THIRD)],
    ),
}

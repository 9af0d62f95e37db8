"""Lesson 5, the Intel scenes: the answers, and the typical mistakes with the hint for each."""

import numpy as np
from PIL import Image

from helpers import COURSE_FOLDER
from helpers.exercises import Guess, Task

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "always_mountain": Guess(
        0.179,
        {
            0.1667: "that would be so if all six were equally common. Divide mountain's count by all.",
            0.1561: "that is the rarest class, buildings. Take the commonest.",
            1.0: "it would be right about the mountains only. Which share of all pictures are mountains?",
            0.8332: "that is one sixth taken away from 1. Which share of all pictures are mountains?",
        },
        tolerance=0.001,
    ),
    "gigabytes": Guess(
        3.79,
        {
            0.947: "that is one byte a number. Training uses four.",
            1.263: "that is one channel. A colour photograph has three.",
            7.579: "that is eight bytes a number (float64). Training uses four (float32).",
            0.000_27: "that is one picture. There are 14,034.",
            3789.0: "that is megabytes. A gigabyte is a thousand of them.",
        },
        tolerance=0.05,
    ),
    "validation_of_the_source": Guess(
        "test",
        {
            "training": "x_train is only learnt from. What is handed to validation_data?",
            "validation": "that is its job. From which folder do x_test and y_test come?",
        },
    ),
    "side_after_pooling": Guess(
        29,
        {
            30: "that keeps the last, incomplete window, as the lecture does. Keras drops it.",
            146: "that is before the pooling. Windows of 5 x 5, one beside the other: divide by 5.",
            29.2: "there are only whole windows: drop what is left over.",
            142: "that is a window of 5 with stride 1. Pooling windows stand side by side: stride 5.",
            73: "that is a window of 2. This one is 5 wide.",
        },
    ),
    "parameters_of_dense": Guess(
        102_464,
        {
            102_400: "those are the weights. Each neuron also has a bias.",
            1_600: "that is what comes in. Each of the 64 neurons has a weight for each of these.",
            1_601: "that is one neuron. There are 64.",
            104_000: "you have added a bias for each input. There is one for each neuron.",
            4_160: "that is 64 x (64 + 1). How many numbers come out of Flatten?",
        },
    ),
    "loss_of_six": Guess(
        1.792,
        {
            0.1667: "that is the share itself. The loss is minus its natural logarithm.",
            2.303: "that is for ten classes. Here there are six.",
            0.778: "that is the logarithm to base 10. Take the natural one.",
            2.585: "that is the logarithm to base 2. Take the natural one.",
            -1.792: "mind the minus sign: a loss is never below 0.",
        },
        tolerance=0.005,
    ),
    "steps_of_the_source": Guess(
        439,
        {
            438: "438 full batches leave some pictures over. They make one more, smaller batch.",
            14_034: "that would be one picture a step. A batch has 32.",
            13_170: "that is 30 epochs. One is wanted.",
            449_088: "you have multiplied. How many batches of 32 are there in 14,034?",
        },
        tolerance=0.5,
    ),
    "steadier": Guess(
        "training",
        {
            "validation": "look again: which of the two curves jumps up and down?",
            "both": "add up how far each curve moves from epoch to epoch.",
        },
    ),
    "recall_by_hand": Guess(
        0.8,
        {
            0.667: "that is the column: of all that was CALLED sea. Recall stays in the row.",
            0.7: "that is the accuracy: all right answers by all pictures.",
            8: "that is how many were found. Divide by how many seas there are.",
            0.6: "that is the forest's.",
            0.4: "you have divided by all pictures. Divide by the seas.",
        },
        tolerance=0.001,
    ),
    "right_of_six": Guess(
        5,
        {
            6: "look at the glacier.",
            4: "the mountain's largest number is below one half, but which class has it?",
            3: "only the largest number of a row counts, even if it is below one half.",
            1: "that is how many it got wrong.",
        },
    ),
}

# --- tasks ----------------------------------------------------------------------------------------

PICTURES = COURSE_FOLDER / "data" / "samples" / "car-plane" / "test"


def read(path, size=(150, 150)):
    """Return a file's numbers, 0 to 255, as decode_image and resize do (here without loading TensorFlow)."""
    pixels = np.asarray(Image.open(path), dtype=float)
    for axis, wanted in enumerate(size):  # first the rows, then the columns: straight lines between pixels
        had = pixels.shape[axis]
        place = np.clip((np.arange(wanted) + 0.5) * had / wanted - 0.5, 0, had - 1)
        before = np.minimum(place.astype(int), had - 2)
        share = np.expand_dims(place - before, tuple(set(range(3)) - {axis}))
        pixels = np.take(pixels, before, axis) * (1 - share) + np.take(pixels, before + 1, axis) * share
    return pixels


def found(matrix):
    """Return the recall of each class; rows are the true classes."""
    return matrix.diagonal() / matrix.sum(axis=1)


TASKS = {
    "my_read": Task(
        answer=lambda path: read(path),
        mistakes=[
            (
                lambda path: read(path, size=()),
                "the picture has kept its own size. A batch needs one size: tf.image.resize to (150, 150).",
            ),
            (lambda path: read(path) / 255, "the numbers run from 0 to 1. This network gets 0 to 255."),
            (
                lambda path: read(path)[..., ::-1],
                "red and blue have changed places. decode_image gives RGB already.",
            ),
            (
                lambda path: read(path, size=(150, 100)),
                "the picture is not square: (height, width) is (150, 150).",
            ),
        ],
        inputs=[(str(PICTURES / "test-01.png"),), (str(PICTURES / "test-03.png"),)],
        tolerance=0.01,
    ),
    "my_zigzag": Task(
        answer=lambda accuracy: np.abs(np.diff(accuracy)).mean(),
        mistakes=[
            (
                lambda accuracy: np.diff(accuracy).mean(),
                "steps up and steps down cancel. Take the size of each step first: np.abs.",
            ),
            (
                lambda accuracy: np.abs(np.diff(accuracy)).max(),
                "that is the largest step. The mean is wanted.",
            ),
            (
                lambda accuracy: np.abs(np.diff(accuracy)).sum(),
                "that is the sum of the steps, not their mean.",
            ),
            (
                lambda accuracy: np.ptp(accuracy),
                "that is the range, highest minus lowest. Look at each step from one epoch to the next.",
            ),
            (
                lambda accuracy: np.std(accuracy),
                "that is the standard deviation, which a steady climb also makes large. Use np.diff.",
            ),
            (lambda accuracy: np.abs(np.diff(accuracy)), "those are the steps. Take their mean."),
        ],
        inputs=[
            (np.array([0.5, 0.75, 0.25, 1.0]),),
            (np.array([0.9, 0.6, 0.7, 0.8, 0.55]),),
        ],
    ),
    "my_recall": Task(
        answer=found,
        mistakes=[
            (
                lambda matrix: matrix.diagonal() / matrix.sum(axis=0),
                "that is the precision: you have divided by the columns. Rows are the true classes.",
            ),
            (
                lambda matrix: matrix.diagonal() / matrix.sum(),
                "you have divided by all pictures. Divide each class by its own row.",
            ),
            (
                lambda matrix: matrix.trace() / matrix.sum(),
                "that is the accuracy, one number. Recall is one number for each class.",
            ),
            (
                lambda matrix: 1 - found(matrix),
                "that is the share that was missed. The share that was found is wanted.",
            ),
            (lambda matrix: found(matrix).mean(), "that is the mean. One number for each class is wanted."),
        ],
        inputs=[
            (np.array([[8, 2], [4, 6]]),),
            (np.array([[5, 3, 0], [1, 7, 4], [2, 0, 9]]),),
        ],
    ),
    "my_mixed_up": Task(
        answer=lambda matrix: np.triu(matrix + matrix.T, k=1).max(),
        mistakes=[
            (
                lambda matrix: (matrix - np.diag(matrix.diagonal())).max(),
                "that is one direction only. Add the pictures that were mixed up the other way round.",
            ),
            (
                lambda matrix: (matrix + matrix.T).max(),
                "that is a right answer, counted twice. Leave the diagonal out.",
            ),
            (
                lambda matrix: matrix.sum() - matrix.trace(),
                "those are all mistakes. Only those between one pair of classes are wanted.",
            ),
        ],
        inputs=[
            (np.array([[50, 3, 9], [7, 40, 1], [2, 6, 30]]),),
            (np.array([[20, 5, 1, 0], [4, 30, 2, 8], [0, 3, 25, 6], [1, 0, 7, 40]]),),
        ],
    ),
}

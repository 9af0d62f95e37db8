"""Lesson 2, convolution by hand: answers, and what typically goes wrong.

Every wrong number and every function below is a mistake that students make, with the hint they get.
"""

import numpy as np

from helpers.exercises import Guess, Task

GUESSES = {
    "second_sum": Guess(
        22,
        {
            18: "you turned the kernel round; lay it on the window as it is, the 1 on the left.",
            10: "you added up the window; multiply each of its numbers by the kernel's first.",
            16: "you added window and kernel; multiply them number by number, then add the products.",
            17: "that is the first place again; move the kernel one number to the right.",
            39: "that is the third place; one step to the right, not two.",
        },
    ),
    "places_in_a_row": Guess(
        4,
        {
            3: "6 - 3 counts the steps; the place before the first step counts as well.",
            6: "in the last two of these the kernel would stick out beyond the signal's end.",
            2: "the kernel moves by one number, so its windows overlap.",
            5: "in the fifth place the kernel would stick out by one number.",
        },
    ),
    "score": Guess(
        -0.11,
        {
            -1: "that is the sum of the products; divide it by nine.",
            0.44: "you counted the numbers that agree; those that differ count -1 each.",
            0.11: "almost: count once more how many agree and how many differ.",
            1: "that is the score of the first window; take columns 1 to 3.",
            -0.25: "divide by the number of all products, nine.",
        },
        tolerance=0.006,
    ),
    "perfect_matches": Guess(
        4,
        {
            7: "not all along: at the ends and in the middle other pixels lie in the window.",
            6: "at both ends the window reaches past the line; one of its nine pixels is dark there.",
            5: "the middle is different too: there the rising line crosses the window.",
        },
    ),
    "largest_vote_for_o": Guess(
        12,
        {
            2: "the bars of X and O differ as much here, but compare the marks: the nine X's come closer.",
            3: "the bars of X and O differ as much here, but compare the marks: the nine X's come closer.",
            9: "the bars of X and O differ as much here, but the nine X's come closest of all.",
            1: "here X is higher; look for a number where O leads.",
        },
    ),
    "right_of_32": Guess(
        18,
        {
            32: "it was shaped by pictures that were moved less; it has seen nothing of this kind.",
            0: "even a tossed coin would get about half of them.",
            24: "a little too hopeful: the votes are tied to places.",
            28: "too hopeful: a falling line in another quarter votes for the other letter.",
        },
        tolerance=3,
    ),
    "receptive_field": Guess(
        6,
        {
            2: "those are pooled numbers; walk back through pooling and the first kernel.",
            4: "those are numbers of the first map; each of them looks at a window of 3 pixels.",
            12: "neighbouring windows of 3 pixels overlap: four of them cover fewer pixels.",
            8: "four map numbers are right, but a kernel of 3 adds only one pixel on either side.",
            9: "it does not see the whole picture.",
        },
    ),
    "parameters": Guess(
        760,
        {
            750: "the biases are missing.",
            751: "one bias is not enough: each kernel has its own.",
            260: "you forgot the channels: a kernel has 5x5 numbers for each of three.",
            780: "a bias belongs to a kernel, not to each of its channels.",
            250: "both the channels and the biases are missing.",
            76: "that is one kernel; there are ten.",
        },
    ),
    "map_width": Guess(
        28,
        {
            32: "without padding the kernel finds fewer places than there are pixels.",
            27: "32 - 5 counts the steps; the first place counts as well.",
            30: "that would be a kernel of 3.",
            6: "the kernel moves by one pixel, so its windows overlap.",
        },
    ),
    "edges_of_sky": Guess(
        0,
        {
            0.8: "that would be a kernel whose numbers add up to 1; add up the numbers of edges.",
            6.4: "that is the middle product alone; the eight others are -0.8 each.",
            1: "every product contains 0.8; add all nine of them up.",
        },
    ),
    "exercise_smallest": Guess(
        -5,
        {
            5: "you turned the kernel round: here it is left number minus right number.",
            -7: "the -1 meets a 7, but the 1 meets a 2.",
            0: "where all numbers are equal it is 0; look at the step from 2 to 7.",
        },
    ),
    "exercise_parameters": Guess(
        18_496,
        {
            18_432: "the biases are missing.",
            640: "you forgot the 32 channels.",
            20_480: "one bias for each kernel, not for each channel.",
            289: "that is one kernel; there are 64.",
        },
    ),
    "exercise_multiplications": Guess(
        18_432 * 112 * 112,
        {
            18_496 * 112 * 112: "biases are added, not multiplied.",
            18_432: "that is for one place; with padding 1 there are 112x112 of them.",
            18_432 * 110 * 110: "with padding 1 there are as many places as pixels.",
            576 * 112 * 112: "you forgot the 32 channels.",
        },
    ),
}


# --- the tasks ------------------------------------------------------------------------------------


def match_map(picture, kernel):
    """Take the mean of window * kernel in every place."""
    rows, columns = kernel.shape
    result = np.zeros((picture.shape[0] - rows + 1, picture.shape[1] - columns + 1))
    for row, column in np.ndindex(result.shape):
        window = picture[row : row + rows, column : column + columns]
        result[row, column] = (window * kernel).mean()
    return result


def relu(values):
    """Let no number fall below zero."""
    return np.maximum(values, 0)


def pool(feature_map, keep=np.max, step=2, edge=True):
    """Pool windows of 2x2; `edge=False` drops those that are not complete."""
    rows, columns = (side if edge else side - 1 for side in feature_map.shape)
    tops, lefts = range(0, rows, step), range(0, columns, step)
    return np.array([[keep(feature_map[r : r + 2, c : c + 2]) for c in lefts] for r in tops])


def output_size(size, kernel, stride, padding):
    """Count the places along one side."""
    return (size + 2 * padding - kernel) // stride + 1


dice = np.random.default_rng(2)
stack = dice.normal(size=(3, 2, 4)).round(2)
kernel_3x2, kernel_3x3 = dice.integers(-3, 4, (3, 2)), dice.integers(-3, 4, (3, 3))

TASKS = {
    "match_map": Task(
        match_map,
        [
            (
                lambda picture, kernel: match_map(picture, kernel)[:-1, :-1],
                "the last row and column of places are missing: a range ends before its stop.",
            ),
            (
                lambda picture, kernel: match_map(picture, kernel[::-1, ::-1]),
                "did you turn the kernel round? Lay it on the window as it is.",
            ),
            (
                lambda picture, kernel: match_map(picture, kernel) * kernel.size,
                "these are the sums of the products; a score is their mean.",
            ),
            (
                lambda picture, kernel: match_map(picture, kernel).T,
                "rows and columns are exchanged: the first index counts downwards.",
            ),
        ],
        [(dice.integers(0, 9, (5, 7)), kernel_3x3), (dice.integers(0, 9, (6, 4)), kernel_3x2)],
    ),
    "my_relu": Task(
        relu,
        [
            (np.abs, "a negative number becomes 0; you dropped its sign."),
            (lambda values: np.clip(values, 0, 1), "numbers above 1 have to stay as they are."),
            (lambda values: np.minimum(values, 0), "you kept the negative numbers and dropped the others."),
            (
                lambda values: values[values > 0],
                "the negative numbers are gone instead of 0, and the shape with them.",
            ),
        ],
        [(np.array([[-0.5, 0.0, 2.5], [3.0, -2.0, 0.7]]),), (np.array([4.0, -1.5, -3.0, 0.2]),)],
    ),
    "my_max_pool": Task(
        pool,
        [
            (
                lambda feature_map: pool(feature_map, step=1, edge=False),
                "your windows overlap: they have to move by two, not by one.",
            ),
            (
                lambda feature_map: pool(feature_map, step=1),
                "your windows overlap (and stick out): they have to move by two, not by one.",
            ),
            (
                lambda feature_map: pool(feature_map, edge=False),
                "the incomplete windows at the edge are missing.",
            ),
            (
                lambda feature_map: pool(feature_map, np.mean),
                "that is the mean of each window; keep its largest number.",
            ),
        ],
        [(dice.normal(size=(7, 5)),), (dice.normal(size=(5, 7)),)],
    ),
    "my_flatten": Task(
        lambda stack: stack.reshape(-1),
        [
            (
                lambda stack: np.moveaxis(stack, 0, -1).reshape(-1),
                "you went place by place through all maps; finish one map before the next.",
            ),
            (
                lambda stack: stack.transpose(0, 2, 1).reshape(-1),
                "you went down the columns of each map; go along its rows.",
            ),
            (lambda stack: stack[0].reshape(-1), "that is the first map alone."),
            (lambda stack: stack.reshape(len(stack), -1), "one row for each map; make it a single row."),
        ],
        [(stack,), (dice.normal(size=(2, 3, 2)),)],
    ),
    "my_output_size": Task(
        output_size,
        [
            (
                lambda *numbers: output_size(*numbers) - 1,
                "you counted the steps; the first place counts as well.",
            ),
            (
                lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1,
                "padding is added on both sides.",
            ),
            (
                lambda size, kernel, stride, padding: (size + 2 * padding - kernel) / stride + 1,
                "a last step that does not fit is not taken: round down, with //.",
            ),
            (
                lambda size, kernel, stride, padding: (size + 2 * padding - kernel + 1) // stride,
                "divide the steps by the stride first, then add 1 for the first place.",
            ),
        ],
        [(9, 3, 1, 2), (10, 3, 2, 1), (12, 5, 3, 1), (7, 2, 4, 3)],
    ),
}

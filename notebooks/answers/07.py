"""Lesson 7, your own pictures: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(7)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "demonstration_part": Guess(
        "test",
        {
            "train": "lesson 5's network has learnt from those pictures: it would know the answers.",
            "both": "a part of these lesson 5's network has learnt from: it would know their answers.",
        },
    ),
    "same_in_two": Guess(
        0.5,
        {
            1: "it sees the same thing twice and says the same twice. Can both labels agree with that?",
            0: "it says one of the two classes both times, and one of the two labels is that class.",
            0.25: "it says one of the two classes both times. How many of the two labels is that?",
        },
    ),
    "network_like_the_tree": Guess(
        "little",
        {
            "much": "the tree reaches nearly as much, and sees nothing. The network may use the same clue.",
            "nothing": "not quite: it might recognise the thing as well, you cannot tell. Much or little?",
        },
    ),
    "head_parameters": Guess(
        3_075,
        {
            3_072: "you have forgotten the biases: one for each class.",
            1_025: "that is the head of one neuron, for two classes, as in lesson 6.",
            1_024: "that is the number of maps. Each of the neurons has a weight for each of them.",
            3_073: "one bias a class, not one in all.",
            76_803: "that is for all 5x5 numbers of each map. The head gets their mean.",
        },
    ),
    "copy_in_another_fold": Guess(
        "no",
        {"yes": "it shows the same cat, on the same sofa. Who has learnt the copy knows the picture."},
    ),
    "pictures_through_base": Guess(
        360,
        {
            180: "the mirrored copies go through as well.",
            1_800: "the base is the same in all five folds. How often must it see one picture?",
            900: "the base is the same in all five folds, and the mirrored copies go through as well.",
            1_440: "that would be the pictures learnt, fold by fold. The base is the same in all five.",
            144: "those are the pictures that one fold learns from. All of them are asked some time, too.",
        },
    ),
    "best_of_three": Guess(
        "too high",
        {
            "right": "each of the three is right on average. But you have kept the luckiest.",
            "too low": "whoever keeps the best of several keeps luck as well, and luck goes upwards.",
        },
    ),
    "half_the_interval": Guess(
        4,
        {
            2: "twice as many make it narrower by a factor of 1.4, the square root of two.",
            1.4: "that is how much narrower it gets with twice as many pictures.",
            3: "that makes it narrower by a factor of 1.7, the square root of three.",
            8: "that is more than is needed: the width goes with the square root.",
            16: "that makes it a quarter as wide.",
        },
    ),
    "wilson_27": Guess(
        0.74,
        {
            0.9: "that is the accuracy that was seen.",
            0.97: "that is where the interval ends.",
            0.79: "the interval reaches further down than up, because 0.9 is so near to 1.",
        },
        tolerance=0.006,
    ),
}

# --- tasks ----------------------------------------------------------------------------------------


def leaks(groups, learnt, asked):
    """Return how many pictures asked have a relative among those learnt."""
    return int(np.isin(np.asarray(groups)[asked], np.asarray(groups)[learnt]).sum())


def shares_right(labels, predicted):
    """Return the share that is right in each class that occurs."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    return [np.mean(predicted[labels == one] == one) for one in np.unique(labels)]


def mistakes_by(probabilities, labels, key):
    """Return the wrongly answered pictures, ordered by a number of each, the smallest first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(key[wrong], kind="stable")]


def surest_mistakes(probabilities, labels):
    """Return the wrongly answered pictures, the one with the highest share first."""
    return mistakes_by(probabilities, labels, -probabilities.max(axis=1))


def votes(pictures, classes):
    """Return random shares of the classes, no two alike, and labels that often disagree with them."""
    shares = RNG.dirichlet(np.ones(classes), pictures)
    return shares, RNG.integers(0, classes, pictures)


TASKS = {
    "my_leaks": Task(
        answer=leaks,
        mistakes=[
            (
                lambda groups, learnt, asked: int(np.isin(asked, learnt).sum()),
                "those are pictures that are themselves on both sides. Compare their groups: groups[asked].",
            ),
            (
                lambda groups, learnt, asked: leaks(groups, asked, learnt),
                "those are the pictures learnt that have a relative among those asked: the other way round.",
            ),
            (
                lambda groups, learnt, asked: len(set(groups[learnt]) & set(groups[asked])),
                "those are groups on both sides. Count the pictures asked that belong to them.",
            ),
            (
                lambda groups, learnt, asked: len(asked) - leaks(groups, learnt, asked),
                "those are the pictures without a relative.",
            ),
            (
                lambda groups, learnt, asked: np.isin(groups[asked], groups[learnt]),
                "that says it of each picture: add them up.",
            ),
        ],
        inputs=[
            (np.array([0, 0, 0, 1, 1, 2, 3, 3]), np.array([0, 3, 5]), np.array([1, 2, 4, 6, 7])),
            (np.array([4, 4, 4, 1, 2, 2, 4, 0]), np.array([0, 1, 2, 4, 3]), np.array([5, 6, 7])),
        ],
    ),
    "my_majority": Task(
        answer=lambda labels: np.bincount(labels).max() / len(labels),
        mistakes=[
            (
                lambda labels: 1 / len(np.unique(labels)),
                "that is blind guessing among the classes. The largest class is often more.",
            ),
            (lambda labels: np.bincount(labels).max(), "that is a number of pictures: divide by all."),
            (
                lambda labels: np.bincount(labels).argmax(),
                "that is the number of the largest class, not its share: max in place of argmax.",
            ),
            (lambda labels: np.mean(np.asarray(labels) == 0), "that is the share of class 0."),
            (
                lambda labels: np.bincount(labels).min() / len(labels),
                "that is the smallest class.",
            ),
        ],
        inputs=[(np.array([0, 1, 1, 1, 2, 2]),), (np.array([3, 1, 0, 3, 2, 2, 3, 0, 3, 2]),)],
    ),
    "my_class_mean": Task(
        answer=lambda labels, predicted: np.mean(shares_right(labels, predicted)),
        mistakes=[
            (
                lambda labels, predicted: np.mean(np.asarray(labels) == predicted),
                "that is the share of all pictures: a large class counts more. First take each class alone.",
            ),
            (
                lambda labels, predicted: np.mean(shares_right(predicted, labels)),
                "you have taken the pictures that were *called* a class. Take those that *are* of it.",
            ),
            (
                lambda labels, predicted: np.sum(shares_right(labels, predicted)),
                "that is the sum over the classes: divide by how many there are.",
            ),
            (
                lambda labels, predicted: shares_right(labels, predicted),
                "those are the shares of the classes. Now their mean.",
            ),
            (
                lambda labels, predicted: np.min(shares_right(labels, predicted)),
                "that is the worst class.",
            ),
        ],
        inputs=[
            (np.array([0, 0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1, 0, 2])),
            (np.array([0, 0, 1, 1, 1, 1]), np.array([1, 1, 1, 1, 1, 0])),
        ],
    ),
    "my_surest_mistakes": Task(
        answer=surest_mistakes,
        mistakes=[
            (
                lambda probabilities, labels: surest_mistakes(probabilities, labels)[::-1],
                "those are the mistakes, but the least sure comes first: argsort sorts upwards.",
            ),
            (
                lambda probabilities, labels: np.flatnonzero(probabilities.argmax(axis=1) != labels),
                "those are the mistakes, in the order of the pictures. Sort them by their highest share.",
            ),
            (
                lambda probabilities, labels: np.argsort(-probabilities.max(axis=1)),
                "those are all pictures. Keep those that were answered wrongly.",
            ),
            (
                lambda probabilities, labels: mistakes_by(
                    probabilities, labels, -probabilities[np.arange(len(labels)), labels]
                ),
                "you have sorted by the share of the *true* class. How sure it was, its highest share says.",
            ),
            (
                lambda probabilities, labels: np.argsort(
                    -probabilities[probabilities.argmax(axis=1) != labels].max(axis=1)
                ),
                "those are places in the list of mistakes: look up there which pictures they are.",
            ),
        ],
        inputs=[votes(12, 3), votes(9, 4)],
    ),
}

"""Lesson 3, how a network learns: the answers, and the typical mistakes with the hint for each."""

import numpy as np

from helpers.exercises import Guess, Task

RNG = np.random.default_rng(3)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "score_of_o": Guess(
        0.5,
        {
            1.5: "that is the score for X. The cross votes against O: its vote is negative.",
            0.0: "you have added the votes. Multiply each by its feature first: 1.0 and 0.5.",
            -0.5: "that is the cross alone. The line has a vote as well.",
        },
    ),
    "share_plus_ten": Guess(
        0.731,
        {
            1.0: "both scores have grown, and by the same amount. Work out the two powers and divide.",
            0.523: "you have divided the scores themselves. Take e to the power of each first.",
            0.5: "the scores still differ by 1, so the shares cannot be equal.",
            0.269: "that is the share of O.",
        },
        tolerance=0.002,
    ),
    "loss_of_half": Guess(
        0.693,
        {
            0.5: "that is the share itself. The loss is minus its logarithm.",
            0.301: "that is the logarithm to base 10. Use the natural one: np.log, or the key ln.",
            1.0: "that is the logarithm to base 2. Use the natural one: np.log, or the key ln.",
            -0.693: "mind the minus sign: a loss is never below 0.",
        },
        tolerance=0.002,
    ),
    "loss_of_ten": Guess(
        2.303,
        {
            0.693: "that is for two classes. With ten, each of them has the share 0.1.",
            0.1: "that is the share of each class. The loss is minus its logarithm.",
            0.9: "that is the share of the nine wrong classes. Only the share of the true class counts.",
            1.0: "that is the logarithm to base 10. Use the natural one: np.log, or the key ln.",
            -2.303: "mind the minus sign: a loss is never below 0.",
        },
        tolerance=0.005,
    ),
    "lowest_loss": Guess(
        "middle",
        {
            "right": "that is where the two X's would pull it. What happens to the shares of the two O's?",
            "left": "that is where the two O's would pull it. What happens to the shares of the two X's?",
        },
    ),
    "slope_on_paper": Guess(
        -0.1345,
        {
            0.1345: "the size is right. It is what the network said minus what is right, in this order.",
            -0.269: "that is p - y. It must still be multiplied by what the weight saw.",
            0.3655: "that is p times x. You have forgotten to take away what is right: y is 1 for an X.",
            0.269: "that is y - p. Take p - y, and multiply it by what the weight saw.",
            -0.5: "that is -y times x. You have forgotten p.",
        },
        tolerance=0.0006,
    ),
    "after_a_big_step": Guess(
        -0.84,
        {
            2.84: "that is uphill. New weight = old weight MINUS learning rate times slope.",
            0.908: "you have subtracted the slope alone. Multiply it by the learning rate first.",
            -1.84: "that is the change. Add it to the old weight.",
            1.84: "that is the length of the step. Take it away from the old weight.",
            -19.0: "you have subtracted the learning rate alone. Multiply it by the slope first.",
        },
        tolerance=0.005,
    ),
    "which_bounces": Guess(
        "big",
        {
            "small": "small steps creep: they cannot reach the other side of the valley.",
            "middle": "you have seen its 40 steps on the map. Do they cross the valley each time?",
        },
    ),
    "steps_per_epoch": Guess(
        1875,
        {
            32: "that is how many pictures there are in a batch. How many batches are there?",
            60_000: "that would be one step per picture. Each step uses a whole batch.",
            1_920_000: "you have multiplied. How many handfuls of 32 are there in 60,000?",
            18_750: "that is ten epochs.",
        },
    ),
    "coin_labels": Guess(
        "falls",
        {"stays": "true, nothing can be learnt. But 82 inputs can tell 20 pictures apart one by one."},
    ),
    "best_tosser": Guess(
        0.73,
        {
            0.5: "that is the average one. We keep the best of 200.",
            1.0: "30 coins all right is one chance in a billion. 200 tries are far too few.",
            0.9: "27 or more of 30 right: fewer than one coin tosser in a hundred thousand manages that.",
            0.55: "that is hardly better than the average one. The luckiest of 200 does better.",
        },
        tolerance=0.0701,
    ),
    "best_tosser_fresh": Guess(
        0.5,
        {
            0.73: "that was luck, and luck does not carry over to fresh pictures.",
            0.7: "that was luck, and luck does not carry over to fresh pictures: it still tosses a coin.",
            0.6: "it knows no more than before. What is the share of heads in 1,000 tosses?",
        },
        tolerance=0.05,
    ),
    "loss_of_three": Guess(
        1.408,
        {
            0.408: "that is the loss if the first class were the true one.",
            2.408: "that is the loss if the third class were the true one.",
            1.099: "that is for three equal shares. Work the shares out from the scores.",
            0.245: "that is the share of the second class. The loss is minus its logarithm.",
            0.611: "that is the logarithm to base 10. Use the natural one.",
        },
        tolerance=0.002,
    ),
    "slope_of_three": Guess(
        -0.755,
        {
            0.755: "it is p - y, not y - p.",
            0.245: "that is p. Take away what is right: y is 1 for the true class.",
            0.665: "that is the slope for the first score.",
            0.09: "that is the slope for the third score.",
        },
        tolerance=0.002,
    ),
    "who_may_choose": Guess(
        "validation",
        {
            "training": "these cannot tell learning from memorising.",
            "test": "then its number would have chosen something, and would no longer be honest.",
        },
    ),
}

# --- tasks ----------------------------------------------------------------------------------------


def softmax(scores):
    """Return shares that add up to 1 in each row."""
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def true_shares(shares, labels):
    """Return the share that each picture's true class was given."""
    return shares[np.arange(len(labels)), labels]


def slopes(votes, features, labels):
    """Return the slope of the mean loss for every vote."""
    return features.T @ (softmax(features @ votes) - np.eye(2)[labels]) / len(labels)


TASKS = {
    "my_softmax": Task(
        answer=softmax,
        mistakes=[
            (
                lambda scores: np.exp(scores) / np.exp(scores).sum(),
                "the whole table adds up to 1. Each row should: use axis=1.",
            ),
            (
                lambda scores: np.exp(scores) / np.exp(scores).sum(axis=0),
                "each column adds up to 1. Each row should: axis=1, not axis=0.",
            ),
            (
                lambda scores: scores / scores.sum(axis=1, keepdims=True),
                "you have divided the scores themselves. Use np.exp first.",
            ),
            (
                lambda scores: np.exp(scores),
                "these are the powers of e. Divide each row by its own sum.",
            ),
        ],
        inputs=[
            (np.array([[1.5, 0.5], [1.0, 2.0], [0.0, 3.0]]),),
            (np.array([[2.0, 1.0, 0.0], [0.5, 0.5, 0.5]]),),
            (np.array([[1.0, -3.0, 0.5], [0.2, 0.1, 3.0], [-1.0, -1.0, 1.5], [4.0, 0.0, -2.0]]),),
        ],
    ),
    "my_loss": Task(
        answer=lambda shares, labels: -np.log(true_shares(shares, labels)).mean(),
        mistakes=[
            (
                lambda shares, labels: -np.log(1 - true_shares(shares, labels)).mean(),
                "that is the logarithm of what the wrong classes were given: leave out the 1 - ...",
            ),
            (
                lambda shares, labels: true_shares(shares, labels).mean(),
                "that is the mean share of the true class. Where is the logarithm?",
            ),
            (
                lambda shares, labels: -np.log(true_shares(shares, labels).mean()),
                "first the logarithm of each share, then the mean.",
            ),
            (
                lambda shares, labels: np.log(true_shares(shares, labels)).mean(),
                "the sign is wrong: a loss is never below 0.",
            ),
            (
                lambda shares, labels: -np.log(true_shares(shares, labels)).sum(),
                "that is the sum of the losses. The mean is wanted.",
            ),
            (
                lambda shares, labels: -np.log(true_shares(shares, labels)),
                "these are the losses of the pictures, one by one. Take their mean.",
            ),
        ],
        inputs=[
            (np.array([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]]), np.array([0, 0, 1])),
            (softmax(RNG.normal(0, 1, (5, 3))), np.array([2, 0, 1, 1, 0])),
        ],
    ),
    "my_slopes": Task(
        answer=slopes,
        mistakes=[
            (
                lambda votes, features, labels: -slopes(votes, features, labels),
                "the signs are turned round: it is p - y, not y - p.",
            ),
            (
                lambda votes, features, labels: slopes(votes, features, labels) * len(labels),
                "these are sums over the pictures. Divide by their number, len(labels).",
            ),
            (
                lambda votes, features, labels: features.T @ softmax(features @ votes) / len(labels),
                "that is p times x. Take y away from p first.",
            ),
            (
                lambda votes, features, labels: softmax(features @ votes) - np.eye(2)[labels],
                "that is p - y for each picture. Now use features.T @ ...",
            ),
        ],
        inputs=[
            (np.array([[1.0, 1.0], [1.0, -1.0]]), RNG.normal(0, 1, (4, 2)), np.array([0, 0, 1, 1])),
            (RNG.normal(0, 1, (3, 2)), RNG.normal(0, 1, (5, 3)), np.array([1, 0, 1, 1, 0])),
        ],
    ),
    "my_step": Task(
        answer=lambda weight, slope, rate: weight - rate * slope,
        mistakes=[
            (lambda weight, slope, rate: weight + rate * slope, "that is a step uphill: minus, not plus."),
            (lambda weight, slope, rate: weight - slope, "the learning rate is missing."),
            (lambda weight, slope, rate: weight - rate, "the slope is missing."),
            (
                lambda weight, slope, rate: -rate * slope,
                "that is the change alone: the old weight is missing.",
            ),
        ],
        inputs=[
            (1.0, 0.082, 5.0),
            (-0.3, -0.2, 0.1),
            (np.array([0.5, -1.0]), np.array([0.3, -2.0]), 0.25),
        ],
    ),
}

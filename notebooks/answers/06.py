"""Lesson 6, car or plane: the answers, and the typical mistakes with the hint for each."""

import math

import numpy as np

from helpers import training
from helpers.exercises import Guess, Task

RNG = np.random.default_rng(6)

# --- guesses --------------------------------------------------------------------------------------

GUESSES = {
    "steps_an_epoch": Guess(
        5,
        {
            30: "that is what the source asks for. How many handfuls of 32 are there in 160?",
            32: "that is how many pictures there are in a batch.",
            160: "that would be one picture a step.",
            5_120: "you have multiplied. How many handfuls of 32 are there in 160?",
        },
    ),
    "dense_parameters": Guess(
        802_944,
        {
            802_816: "you have forgotten the 128 biases.",
            25_216: "you have forgotten that there are 32 maps.",
            25_088: "you have forgotten the 32 maps, and the biases.",
            1_048_704: "the maps are 14 wide, not 16: a 3x3 kernel loses the border.",
            813_217: "that is the whole network.",
        },
    ),
    "validation_loss": Guess(
        "rises",
        {
            "falls": "then more training would always help. Look at the solid line.",
            "stays": "the accuracy nearly does. But the loss also counts how sure the network is.",
        },
    ),
    "vgg_first_layer": Guess(
        1_792,
        {
            1_728: "you have forgotten the 64 biases.",
            576: "you have forgotten the three colours, and the biases.",
            640: "you have forgotten the three colours.",
            1_920: "one bias a kernel, not one a colour.",
        },
    ),
    "vgg_features": Guess(
        2_048,
        {
            512: "that is the number of maps. Each has 2x2 numbers.",
            1_024: "each map has 2x2 numbers, not 2.",
            4: "that is one map.",
            12_288: "that is what goes in: 64 x 64 x 3.",
        },
    ),
    "head_parameters": Guess(
        1_025,
        {
            1_024: "you have forgotten the bias.",
            2_050: "that is a head of two neurons. One gives the probability of a plane.",
            25_601: "that is for all 5x5 numbers of each map. The head gets their mean.",
            2_163_905: "that includes the base, which is frozen.",
        },
    ),
    "less_work": Guess(
        30,
        {
            5: "that is the number of steps in an epoch. In how many epochs did the base run?",
            150: "that is the number of steps. In each epoch every picture went through the base once.",
            160: "that is the number of pictures. Each of them went through the base once an epoch.",
        },
    ),
    "best_base": Guess(
        "borrowed",
        {
            "random": "it mixes the pixels, but it has learnt nothing about photographs.",
            "scratch": "it had 160 photographs to learn from. The other had more than a million.",
        },
    ),
    "wilson_low": Guess(
        0.70,
        {
            0.93: "that is the accuracy that was seen. With 15 pictures the true one may be far away.",
            0.9: "one more mistake would already be 87%. With so few pictures the interval is wider.",
            0.87: "that is 13 of 15. The interval reaches further down.",
            0.5: "that is a coin. Does a coin get 14 of 15?",
        },
        tolerance=0.045,
    ),
    "luck": Guess(
        0.424,
        {
            0.135: "that is all 15 right. Add the chance of exactly 14.",
            0.289: "that is exactly 14. Add the chance of all 15.",
            0.875: "that is the chance for one picture.",
            0.933: "that is 14 of 15. How often does that happen to this network?",
            0.154: "that is one of the 15 ways for 14, and all 15 right. There are 15 ways.",
        },
        tolerance=0.03,
    ),
    "wilson_150": Guess(
        0.88,
        {
            0.93: "that is the accuracy that was seen.",
            0.96: "that is where the interval ends.",
            0.70: "that is the interval of 14 of 15. Ten times the pictures make it narrower.",
        },
        tolerance=0.006,
    ),
}

# --- tasks ----------------------------------------------------------------------------------------

MEANS = np.array([103.939, 116.779, 123.68])  # of blue, green and red


def counts(network):
    """Return how many parameters training may change, and how many it may not."""
    groups = (network.trainable_weights, network.non_trainable_weights)
    return [sum(math.prod(weight.shape) for weight in group) for group in groups]


def borrowed(kernels):
    """Return `counts` of a frozen base with a head of one neuron on it."""
    with training.quiet_import():  # only here: it takes seconds
        import keras

    base = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(kernels, 3)])
    base.trainable = False
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, activation="sigmoid")]
    return counts(keras.Sequential([base, *head]))


def at_least(right, n, p):
    """Return the chance of at least `right` right answers of `n`."""
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(right, n + 1))


TASKS = {
    "my_vgg_input": Task(
        answer=lambda pictures: pictures[..., ::-1] - MEANS,
        mistakes=[
            (
                lambda pictures: pictures / 255,
                "that is the source's own mistake: these weights expect a mean subtracted, not a division.",
            ),
            (
                lambda pictures: pictures - MEANS[::-1],
                "the means are right, but the channels are still red, green, blue.",
            ),
            (
                lambda pictures: pictures - MEANS,
                "blue's mean is subtracted from red: reverse the channels first.",
            ),
            (
                lambda pictures: pictures[..., ::-1] - MEANS[::-1],
                "the channels are reversed, but so are the means: blue's is 103.939.",
            ),
            (
                lambda pictures: pictures[:, :, ::-1] - MEANS,
                "you have mirrored the picture: the channels are the last axis, [..., ::-1].",
            ),
            (
                lambda pictures: (pictures[..., ::-1] - MEANS) / 255,
                "VGG16 divides by nothing.",
            ),
        ],
        inputs=[
            (np.array([[[[10.0, 100.0, 200.0], [30.0, 0.0, 255.0]]]]),),
            (RNG.uniform(0, 255, (2, 4, 5, 3)),),
        ],
        tolerance=1e-3,
    ),
    "my_borrowed": Task(
        answer=borrowed,
        mistakes=[
            (
                lambda kernels: [29 * kernels + 1, 0],
                "the base is not frozen: everything is trained. Set base.trainable = False.",
            ),
            (
                lambda kernels: [0, 29 * kernels + 1],
                "now the head is frozen as well. Freeze the base only, not the network.",
            ),
            (
                lambda kernels: [28 * kernels, kernels + 1],
                "the two numbers are the wrong way round, or you froze the head in place of the base.",
            ),
            (
                lambda kernels: [36 * kernels + 1, 28 * kernels],
                "the neuron sees all 6x6 numbers of each map: put GlobalAveragePooling2D before it.",
            ),
            (
                lambda kernels: [2 * kernels + 2, 28 * kernels],
                "that head has two neurons. One is enough for two classes.",
            ),
            (
                lambda kernels: [0, 28 * kernels],
                "that is the frozen base alone: the head is missing.",
            ),
        ],
        inputs=[(4,), (7,)],
    ),
    "my_at_least": Task(
        answer=at_least,
        mistakes=[
            (
                lambda right, n, p: math.comb(n, right) * p**right * (1 - p) ** (n - right),
                "that is exactly so many right answers. Add the chances of more.",
            ),
            (
                lambda right, n, p: at_least(right + 1, n, p),
                "that is more than so many: begin with `right` itself.",
            ),
            (
                lambda right, n, p: at_least(right, n, p) - p**n,
                "you stop one too early: range(right, n) leaves out n. All right counts as well.",
            ),
            (
                lambda right, n, p: sum(p**k * (1 - p) ** (n - k) for k in range(right, n + 1)),
                "each number of right answers comes about in math.comb(n, k) ways.",
            ),
            (
                lambda right, n, p: 1 - at_least(right, n, p),
                "that is the chance of fewer.",
            ),
            (
                lambda right, n, p: sum(math.comb(n, k) * p**k for k in range(right, n + 1)),
                "the wrong answers have a chance as well: (1 - p) for each.",
            ),
        ],
        inputs=[(14, 15, 0.875), (3, 5, 0.6), (1, 4, 0.3)],
    ),
}

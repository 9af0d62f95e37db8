"""Lessons 3 and 3a: what their prose says must come out for other seeds and settings too."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from benchmarks.recipes import run_lesson

from helpers import figures

pytestmark = pytest.mark.kernel  # they run whole lessons, with their trainings


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs a notebook without TensorFlow; it gives its names and its captions."""
    shown = []
    monkeypatch.setattr(figures, "show", lambda fig, **texts: shown.append(texts["caption"]))
    yield lambda stem, **names: (run_lesson(stem, "import (keras|tensor)|tape_slopes", **names), shown)
    plt.close("all")


@pytest.mark.parametrize(("seed", "learning_rate"), [(1, 20.0), (2, 5.0)])
def test_captions_memorising_and_luck_hold_for_other_seeds_and_learning_rates(run, seed, learning_rate):
    space, captions = run("03-how-a-network-learns", seed=seed, learning_rate=learning_rate, repeats=1)
    said = next(caption for caption in captions if "uphill" in caption).lower()
    for rate in (learning_rate / 25, learning_rate, learning_rate * 4):
        weights, losses = np.ones(2), [space["loss_at"](np.ones(2))]
        for _ in range(40):
            weights = weights - rate * space["two_slopes"](weights)
            losses.append(space["loss_at"](weights))
        up = sum(np.diff(losses) > 1e-12)
        assert f"rate {rate:g} goes uphill in {up} of 40 steps and ends at a loss of {losses[-1]:.3f}" in said

    nonsense, record, guesses = space["nonsense"], space["record"], space["exercises"].guesses
    assert nonsense["loss"][-1] < 0.05 and abs(nonsense["val_accuracy"][-1] - 0.5) < 0.1
    assert record["loss"][-1] < 0.05 and record["val_loss"][-1] > min(record["val_loss"]) + 0.05
    assert space["accuracies"][-1] > 0.95
    for name, found in (("best_tosser", space["best"]), ("best_tosser_fresh", space["fresh"])):
        assert abs(found - guesses[name].answer) <= guesses[name].tolerance


@pytest.mark.parametrize("seed", [1, 2])
def test_the_learnt_kernel_is_the_line_but_not_the_drawn_kernel(run, seed):
    space, _ = run("03a-backpropagation-by-hand", seed=seed)
    kernel, on = space["as_square"](space["kept"][-1]), np.eye(3, dtype=bool)
    assert kernel[on].min() > 0.6 and -0.4 < kernel[~on].mean() < 0.2
    drawn, _, learnt = (
        space["line_loss"](one, space["new_windows"], space["new_labels"]) for one in space["duel"].values()
    )
    assert learnt < drawn - 0.1

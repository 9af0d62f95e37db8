"""Lesson 3: what its prose claims must come out for other seeds too, not only for the stored run."""

import functools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from benchmarks.recipes import run_cells

from helpers import figures

cells = functools.partial(run_cells, "03-how-a-network-learns")


@pytest.mark.parametrize("seed", range(5))
def test_the_learnt_kernel_is_the_diagonal(seed):
    names = ["softmax", "cross_entropy", "momentum", "draw_line", "cut_windows"]
    names += ["line_scores", "line_slopes", "learn_kernel"]
    space = cells(*(f"def {name}(" for name in names), definitions_only=True, epochs=40)
    pictures, labels = space["draw_lines"](120, np.random.default_rng([seed, 9]))
    fresh, fresh_labels = space["draw_lines"](120, np.random.default_rng([seed, 99]))
    space.update(windows=space["cut_windows"](pictures), line_labels=labels)
    ends = [space["learn_kernel"](np.random.default_rng([seed, 9, start]))[-1] for start in range(8)]
    losses = [space["line_loss"](end, space["cut_windows"](fresh), fresh_labels) for end in ends]
    kept = ends[int(np.argmin(losses))][:9]
    drawn = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert np.corrcoef(kept, drawn.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_few_pictures_and_many_weights_overfit(seed):
    names = ["softmax", "cross_entropy", "adam", "draw", "start_network", "forwards", "backwards"]
    space = cells("O_STROKES = ")
    space = cells(
        *(f"def {name}(" for name in [*names, "judge", "fit"]), definitions_only=True, **space, seed=seed
    )
    rng = np.random.default_rng([seed, 10])
    pictures, labels = space["draw_many"](20, 1.5, rng)
    space["validation_pictures"], space["validation_labels"] = space["draw_many"](200, 1.5, rng)
    record, _, _ = space["fit"](pictures, labels, 200)
    assert record["accuracy"][-1] == 1 and record["loss"][-1] < 0.05
    assert record["val_loss"][-1] > min(record["val_loss"]) + 0.05
    assert record["val_accuracy"][-1] < 0.85


def test_lines_differ_in_colour_and_in_style(monkeypatch):
    shown = {}
    monkeypatch.setattr(figures, "show", lambda fig, **texts: shown.update(fig=fig, **texts))
    curves = {"a": ([0, 1], [1, 2]), "b": ([0, 1], [2, 1])}
    figures.lines(curves, "x", "y", points=[("p", 0, 1)], alt="two", caption="Two.")
    axis = shown["fig"].axes[0]
    first, second, point = axis.get_lines()
    assert first.get_linestyle() != second.get_linestyle() and first.get_color() != second.get_color()
    assert point.get_marker() == figures.MARKERS[0]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("x", "y")
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b", "p"]
    plt.close(shown["fig"])

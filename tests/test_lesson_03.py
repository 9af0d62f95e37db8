"""Lesson 3: what its prose claims must come out for other seeds too, not only for the stored run."""

import functools
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import figures, training

IMPORTS = "import numpy as np\nfrom helpers.convolution import correlate2d, flatten, max_pool2d, relu\n"


@functools.cache
def lesson_cells():
    notebook = json.loads(training.notebook_path("03-how-a-network-learns").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cells(names, **values):
    """Run the lesson's cells that define these names, in their order, and return what they leave."""
    space = dict(values)
    exec(IMPORTS, space)
    wanted = [f"def {name}(" for name in names]
    cells = [cell for cell in lesson_cells() if any(text in cell for text in wanted)]
    for cell in cells:
        # definitions only: what a cell prints with them needs the rest of the lesson
        exec("\n".join(line for line in cell.split("\n") if not line.startswith("print(")), space)
    missing = [name for name in names if name not in space]
    assert not missing, f"the lesson does not define {missing} any more: mend this test"
    return space


@pytest.mark.parametrize("seed", range(5))
def test_the_learnt_kernel_is_the_diagonal(seed):
    names = ["softmax", "cross_entropy", "momentum", "draw_line", "draw_lines", "cut_windows"]
    names += ["line_scores", "line_loss", "line_slopes", "learn_kernel"]
    space = run_cells(names, epochs=40)
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
    names = ["softmax", "cross_entropy", "adam", "draw", "draw_many"]
    names += ["start_network", "forwards", "backwards", "judge", "fit"]
    shapes = {}
    exec(IMPORTS + next(cell for cell in lesson_cells() if "O_STROKES = " in cell), shapes)
    strokes = {name: shapes[name] for name in ("X_STROKES", "O_STROKES")}
    rng = np.random.default_rng([seed, 10])
    space = run_cells(names, seed=seed, **strokes)
    pictures, labels = space["draw_many"](20, 1.5, rng)
    space["validation_pictures"], space["validation_labels"] = space["draw_many"](200, 1.5, rng)
    record, _, _ = space["fit"](pictures, labels, 200)
    assert record["accuracy"][-1] == 1 and record["loss"][-1] < 0.05
    assert record["val_loss"][-1] > min(record["val_loss"]) + 0.05
    assert record["val_accuracy"][-1] < 0.85


def test_lines_differ_in_colour_and_in_style(monkeypatch):
    shown = {}
    monkeypatch.setattr(figures, "show", lambda fig, **texts: shown.update(fig=fig, **texts))
    figures.lines(
        {"a": ([0, 1], [1, 2]), "b": ([0, 1], [2, 1])},
        "x",
        "y",
        points=[("p", 0, 1)],
        alt="two",
        caption="Two.",
    )
    axis = shown["fig"].axes[0]
    first, second, point = axis.get_lines()
    assert first.get_linestyle() != second.get_linestyle() and first.get_color() != second.get_color()
    assert point.get_marker() == figures.MARKERS[0]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("x", "y")
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b", "p"]
    plt.close(shown["fig"])

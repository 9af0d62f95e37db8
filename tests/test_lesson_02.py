"""Lessons 2 and 2a: the claims of the prose, whatever a student has written, and the drawings."""

import contextlib
import io
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import COURSE_FOLDER, diagrams, figures
from helpers.convolution import correlate2d
from helpers.exercises import Exercises


def run(stem, written=False):
    """Run a notebook's cells but the one with Keras; `written` replaces the starters by the answers."""
    text = (COURSE_FOLDER / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8")
    space, printed, tasks = {}, io.StringIO(), Exercises(stem.split("-")[0]).tasks
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code" and "import keras" not in "".join(cell["source"]):
            with contextlib.redirect_stdout(printed):
                exec("".join(cell["source"]), space)
            if written and "exercise" in cell["metadata"].get("tags", []):
                space.update({name: task.answer for name, task in tasks.items() if name in space})
    return space, printed.getvalue(), tasks


@pytest.fixture(autouse=True)
def captions(monkeypatch):
    kept = []
    monkeypatch.setattr(figures, "show", lambda fig, **texts: (plt.close(fig), kept.append(texts["caption"])))
    return kept


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("stem", ["02-convolution-by-hand", "02a-kinds-of-convolution"])
def test_every_cell_runs_with_the_starters_and_with_the_answers(stem, written):
    _, printed, tasks = run(stem, written)
    assert printed.count("Right: all") == (len(tasks) if written else 0)
    assert printed.count("Not yet: nothing comes back") == (0 if written else len(tasks))


def test_the_answers_to_the_guesses_are_what_lesson_2_computes():
    space, printed, _ = run("02-convolution-by-hand")
    guesses = Exercises("02").guesses
    assert "269 entries checked" in printed and "row 4, column 1: 0.11 on the slide" in printed
    assert [space["answer"](space[name]) for name in "xo"] == ["X", "O"]
    assert space["votes"][1].argmax() + 1 == guesses["largest_vote_for_o"].answer
    assert "moved by 2: 10 of 16 X's and 8 of 16 O's right" in printed
    assert guesses["right_of_32"].answer == 10 + 8
    # the receptive field: the pixels that can change the middle number of the second map
    pool, relu, counts = space["max_pool2d"], space["relu"], np.zeros((9, 9), dtype=bool)

    def middle(picture):
        maps = [pool(relu(space["score_map"](picture, kernel))) for kernel in space["kernels"]]
        return correlate2d(np.stack(maps, axis=-1), space["meeting"])[1, 1]

    for place in np.ndindex(9, 9):
        for picture in np.random.default_rng(0).choice([-1, 1], (20, 9, 9)):
            before = middle(picture)
            picture[place] *= -1
            counts[place] |= middle(picture) != before
    assert np.ptp(np.argwhere(counts), axis=0).tolist() == [guesses["receptive_field"].answer - 1] * 2


@pytest.mark.parametrize("live", [False, True])
def test_the_slider_ends_where_the_places_end_and_without_one_a_figure_shows(captions, monkeypatch, live):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if live:
        monkeypatch.setenv("JPY_SESSION_NAME", "a notebook")
    moved = []
    monkeypatch.setattr("ipywidgets.interact", lambda draw, place: moved.append((place.min, place.max)))
    picture = np.arange(49).reshape(7, 7)
    diagrams.slider(lambda place: diagrams.window_view(picture, np.eye(3), place, stride=2), 9, still=4)
    assert moved == ([(1, 9)] if live else [])
    assert captions == ([] if live else ["Place 4 of 9: the products add up to 66."])

"""Lessons 2 and 2a: the claims of the prose, whatever a student has written."""

import contextlib
import functools
import io

import numpy as np
import pytest
from benchmarks.recipes import run_lesson

from helpers import figures
from helpers.convolution import correlate2d, max_pool2d, relu
from helpers.exercises import Exercises

LESSON, GUESSES = "02-convolution-by-hand", Exercises("02").guesses


def run(stem, tasks):
    """Run a notebook's cells but the one with Keras, undrawn; tasks replace the starters by their answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "show", lambda fig, **texts: figures.plt.close(fig))
        patch.setattr(figures, "lab", lambda name: None)
        return run_lesson(stem, "import keras", **{name: task.answer for name, task in tasks.items()})


@functools.cache
def starters(stem):
    """Run a notebook as it is handed out; return what its cells leave and what they print."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        return run(stem, {}), printed.getvalue()


@pytest.mark.parametrize("stem", [LESSON, "02a-kinds-of-convolution"])
def test_every_cell_runs_with_the_starters_and_with_the_answers(stem, capsys):
    tasks = Exercises(stem.split("-")[0]).tasks
    assert starters(stem)[1].count("Not yet: nothing") == len(tasks)
    run(stem, tasks)
    assert capsys.readouterr().out.count("Right: all") == len(tasks)


def test_what_lesson_2_says_is_what_it_computes():
    lesson, printed = starters(LESSON)
    votes = lesson["votes"]
    assert "cross, row 4, column 1: 0.11 on the slide\n269 entries checked" in printed
    assert printed.count(", column ") == 1 and votes[1].argmax() + 1 == GUESSES["largest_vote_for_o"].answer
    assert "10 of 16 X's and 8 of 16 O's" in printed and GUESSES["right_of_32"].answer == 10 + 8


def test_the_receptive_field_is_as_wide_as_the_pixels_that_matter():
    lesson, matters = starters(LESSON)[0], np.zeros((9, 9), dtype=bool)

    def middle(picture):
        maps = [max_pool2d(relu(lesson["score_map"](picture, kernel))) for kernel in lesson["kernels"]]
        return correlate2d(np.stack(maps, axis=-1), lesson["meeting"])[1, 1]

    for picture in np.random.default_rng(0).choice([-1, 1], (20, 9, 9)):
        before = middle(picture)
        for place in np.ndindex(9, 9):
            other = picture.copy()
            other[place] *= -1
            matters[place] |= middle(other) != before
    assert (np.ptp(np.argwhere(matters), axis=0) + 1 == GUESSES["receptive_field"].answer).all()

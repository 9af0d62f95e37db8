"""Trainings that are stopped: one line, and the cell, run again at any time, gives the same numbers."""

import copy
import dataclasses
import functools
import json
import os
import re
from unittest.mock import MagicMock

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from helpers import COURSE_FOLDER, CourseError, datasets, published, training

with training.quiet_import():
    import keras

pytestmark = pytest.mark.kernel
ONE_LINE = r"^stopped after \d+ s; run this cell again$"
SMALL = {
    "04": {"epochs": 1, "compact_epochs": 1, "training_pictures": 240},
    "05": {"epochs": 2, "better_epochs": 2, "batch_size": 16, "images_per_class": 10},
    "06": {"epochs": 2, "batch_size": 8, "image_size": 32},
}


class Lesson:
    """A lesson whose code cells run here, one by one, on the sample and without its figures.

    `fits` holds what each training of the cell that ran last has measured; `stop_in` is the number of the
    training that a KeyboardInterrupt ends after two steps.
    """

    def __init__(self, number, monkeypatch, **parameters):
        (path,) = (COURSE_FOLDER / "notebooks").glob(f"{number}-*.ipynb")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.cells = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        self.parameters = {"data_source": "sample"} | SMALL[number] | parameters
        self.space, self.fits, self.stop_in = {}, [], None
        fit = keras.Model.fit
        stop = keras.callbacks.LambdaCallback(on_train_batch_end=self.interrupt)

        def noted(network, *arguments, callbacks=(), **options):
            history = fit(network, *arguments, callbacks=[*(callbacks or ()), stop], **options)
            self.fits.append(history.history)
            return history

        monkeypatch.setattr(keras.Model, "fit", noted)

    def interrupt(self, batch, logs):
        if self.stop_in == len(self.fits) and batch == 1:
            self.stop_in = None
            raise KeyboardInterrupt

    def run(self, cell, stop_in=None):
        self.fits, self.stop_in = [], stop_in
        exec(self.cells[cell], self.space)
        if "data_source: str" in self.cells[cell]:
            self.space |= self.parameters
        if "figures" in self.space:
            self.space["figures"] = MagicMock()
        return self.fits

    def find(self, marker):
        (cell,) = (number for number, source in enumerate(self.cells) if marker in source)
        return cell


def entries(lesson):
    names = ("networks", "histories", "seconds", "heads", "head_seconds")
    return {name: set(lesson.space[name]) for name in names if name in lesson.space}


def reached(lesson):
    """Return what the lesson's networks reached, without the seconds."""
    rows = lesson.space["lesson"].networks
    return {name: {k: v for k, v in row.items() if k != "train_seconds"} for name, row in rows.items()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights for VGG16, so that lesson 6 trains everything that it has."""
    training.set_seed(1)
    path = tmp_path_factory.mktemp("weights") / "any.weights.h5"
    keras.applications.VGG16(weights=None, include_top=False).save_weights(path)
    return {"04": {}, "05": {}, "06": {"weights": str(path)}}


@pytest.mark.parametrize(("number", "least"), [("04", 6), ("05", 2), ("06", 9)])
def test_every_training_cell_can_be_stopped_and_run_again_at_any_time(number, least, weights, monkeypatch):
    whole = Lesson(number, monkeypatch, **weights[number])
    measured = [copy.deepcopy(whole.run(cell)) for cell in range(len(whole.cells))]
    cells = [cell for cell, fits in enumerate(measured) if fits]
    assert len(cells) >= least
    before = entries(whole)
    for cell in cells:  # after everything else has run
        with pytest.raises(CourseError, match=ONE_LINE):
            whole.run(cell, stop_in=len(measured[cell]) // 2)
        assert whole.run(cell) == measured[cell], whole.cells[cell]
        if "networks, histories, seconds = " in whole.cells[cell]:
            whole.run(cell + 1)  # which brings back what the recipe of lesson 5 has emptied
        assert entries(whole) == before, whole.cells[cell]

    monkeypatch.undo()
    stopped = Lesson(number, monkeypatch, **weights[number])
    for cell in range(len(stopped.cells)):
        if cell in cells:
            with pytest.raises(CourseError, match=ONE_LINE):
                stopped.run(cell, stop_in=len(measured[cell]) // 2)
        assert stopped.run(cell) == measured[cell], stopped.cells[cell]
    assert reached(stopped) == reached(whole)


ABLATION, RECIPES = "ablation = {} if", "recipes = {} if"
LONG_CELLS = (ABLATION, "x_test, y_test = ", "LONG = {", "def train_on_all", "def long_row", RECIPES)
# The cell, and which of its trainings is stopped: each start goes on where the one before it was stopped.
FIVE_STOPS = ((ABLATION, 1), (ABLATION, 0), (RECIPES, 1), (RECIPES, 3), (RECIPES, 4))


@pytest.fixture
def lesson_4(monkeypatch):
    """Lesson 4 before its long comparison, believing that its few pictures are the complete set."""
    few = datasets.load_mnist("sample")
    counts = {"train": 240, "test": len(few.x_test)}
    info = dataclasses.replace(few.info, kind="complete", counts=counts)
    few = dataclasses.replace(few, x_train=few.x_train[:240], y_train=few.y_train[:240], info=info)
    monkeypatch.setattr(datasets, "load_mnist", lambda source: few)
    lesson = Lesson("04", monkeypatch, long_comparison=True)
    for cell in range(lesson.find(ABLATION)):
        lesson.run(cell)
    shorten(lesson, "ABLATION", ("assignment", "+ augmentation"))
    return lesson


def shorten(lesson, table, names):
    rows = lesson.space[table]
    lesson.space[table] = {name: (*rows[name][:2], 1, *rows[name][3:]) for name in names}


def long_comparison(lesson, folder, monkeypatch, stops=()):
    """Run the long comparison, started anew after each stop; return what it stored and its trainings."""
    with monkeypatch.context() as patch:
        patch.setattr(training, "UNFINISHED_FOLDER", folder / "runs" / "unfinished")
        for name in ("store_result", "store_network"):
            patch.setattr(published, name, functools.partial(getattr(published, name), folder=folder))
        trained = 0
        for where, number in (*stops, (None, None)):
            for marker in LONG_CELLS:
                if marker == where:
                    with pytest.raises(CourseError, match=ONE_LINE):
                        lesson.run(lesson.find(marker), stop_in=number)
                else:
                    lesson.run(lesson.find(marker))
                trained += len(lesson.fits)
                if marker == "LONG = {":
                    shorten(lesson, "LONG", ("lecture", "assignment", "compact"))
                if marker == where:
                    break
        lesson.space["names"] = tuple(lesson.space["LONG"])
        lesson.run(lesson.find("training.forget(lesson)"))
        assert not list((folder / "runs").rglob("*.*")), "what was unfinished is gone"
    stored = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    seconds = r'"(train_seconds|training \(s\)|sha256)": .*'
    network = published.load_network(folder / "mnist-compact.keras")
    return {name: re.sub(seconds, "", text) for name, text in stored.items()}, network.get_weights(), trained


def test_a_long_comparison_stopped_at_five_moments_ends_as_one_that_was_not(lesson_4, monkeypatch, tmp_path):
    (tmp_path / "whole").mkdir()
    whole, weights, trained = long_comparison(lesson_4, tmp_path / "whole", monkeypatch)
    again, same_weights, trained_again = long_comparison(
        lesson_4, tmp_path / "again", monkeypatch, FIVE_STOPS
    )
    assert set(whole) == {"04.json", "mnist-compact.json"}
    assert again == whole
    assert all(np.array_equal(one, other) for one, other in zip(weights, same_weights, strict=True))
    assert trained_again == trained == 2 + 9, "what was measured is not measured again"

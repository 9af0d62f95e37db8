"""Trainings that are stopped: one line, and the cell, run again at any time, gives the same numbers."""

import copy
import dataclasses
import functools
import json
import re
from unittest.mock import MagicMock

import numpy as np
import pytest

from helpers import COURSE_FOLDER, CourseError, datasets, published, training

with training.quiet_import():
    import keras

pytestmark = pytest.mark.kernel
ONE_LINE = r"^stopped after \d+ s; run this cell again$"
SMALL = {
    "04": {"epochs": 1, "compact_epochs": 1, "training_pictures": 240},
    "05": {"epochs": 1, "batch_size": 8, "images_per_class": 10, "test_images_per_class": 3},
    "05b": {"epochs": 1, "batch_size": 8, "images_per_class": 10, "test_images_per_class": 3},
    "06": {"epochs": 1, "batch_size": 8, "image_size": 32},
}


class Lesson:
    """A lesson whose code cells run here, one by one, on the sample and without its figures."""

    def __init__(self, number, monkeypatch, **parameters):
        (path,) = (COURSE_FOLDER / "notebooks").glob(f"{number}-*.ipynb")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.cells = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        self.parameters = {"data_source": "sample"} | SMALL[number] | parameters
        self.space, self.fits, self.stop_in = {}, [], None
        fit, stop = keras.Model.fit, keras.callbacks.LambdaCallback(on_train_batch_end=self.interrupt)

        def noted(network, *arguments, callbacks=(), **options):
            history = fit(network, *arguments, callbacks=[*(callbacks or ()), stop], **options)
            self.fits.append(history.history)
            return history

        monkeypatch.setattr(keras.Model, "fit", noted)

    def interrupt(self, batch, logs):
        if self.stop_in == len(self.fits) and batch == 1:
            raise KeyboardInterrupt

    def run(self, cell, stop_in=None):
        """Run a cell; return what each training in it has measured, or stop one of them after two steps."""
        self.fits, self.stop_in = [], stop_in
        exec(self.cells[cell], self.space)
        if "data_source: str" in self.cells[cell]:
            self.space |= self.parameters
        if "figures" in self.space:
            self.space["figures"] = MagicMock()
        return self.fits

    def stop(self, cell, stop_in):
        with pytest.raises(CourseError, match=ONE_LINE):
            self.run(cell, stop_in)

    def find(self, marker):
        (cell,) = (number for number, source in enumerate(self.cells) if marker in source)
        return cell

    def entries(self):
        return {name: set(self.space.get(name, ())) for name in ("networks", "histories", "seconds", "heads")}

    def shorten(self, table, *names):
        rows = self.space[table]
        self.space[table] = {name: (*rows[name][:2], 1, *rows[name][3:]) for name in names}


@pytest.mark.parametrize(("number", "least"), [("04", 6), ("05", 2), ("06", 9)])
def test_every_training_cell_can_be_stopped_and_run_again_at_any_time(number, least, monkeypatch, tmp_path):
    settings = {}
    if number == "06":  # with a file of weights it trains everything that it has
        settings["weights"] = str(tmp_path / "any.weights.h5")
        keras.applications.VGG16(weights=None, include_top=False).save_weights(settings["weights"])
    whole = Lesson(number, monkeypatch, **settings)
    measured = [copy.deepcopy(whole.run(cell)) for cell in range(len(whole.cells))]
    trainings = {cell: len(fits) // 2 for cell, fits in enumerate(measured) if fits}
    assert len(trainings) >= least
    before = whole.entries()
    for cell, middle in trainings.items():  # after everything else has run
        whole.stop(cell, middle)
        assert whole.run(cell) == measured[cell], whole.cells[cell]
        if "networks, histories, seconds = {" in whole.cells[cell]:
            whole.run(cell + 1)  # which brings back what that recipe has emptied
        assert whole.entries() == before, whole.cells[cell]

    monkeypatch.undo()
    stopped = Lesson(number, monkeypatch, **settings)
    for cell in range(max(trainings) + 1):  # before anything else has run
        if cell in trainings:
            stopped.stop(cell, trainings[cell])
        assert stopped.run(cell) == measured[cell], stopped.cells[cell]


ABLATION, RECIPES = "ablation = {} if", "recipes = {} if"
LONG_CELLS = (ABLATION, "x_test, y_test = ", "LONG = {", "def train_on_all", "def long_row", RECIPES)
FIVE_STOPS = ((ABLATION, 1), (ABLATION, 0), (RECIPES, 1), (RECIPES, 3), (RECIPES, 4))


def long_comparison(lesson, folder, monkeypatch, stops=()):
    """Run the long comparison, started anew after each stop; return what it stored and trained."""
    trained = 0
    with monkeypatch.context() as patch:
        patch.setattr(training, "UNFINISHED_FOLDER", folder / "runs" / "unfinished")
        for name in ("store_result", "store_network"):
            patch.setattr(published, name, functools.partial(getattr(published, name), folder=folder))
        for where, number in (*stops, (None, None)):
            for marker in LONG_CELLS:
                cell, stopped = lesson.find(marker), marker == where
                lesson.stop(cell, number) if stopped else lesson.run(cell)
                trained += len(lesson.fits)
                if marker == "LONG = {":
                    lesson.shorten("LONG", "lecture", "assignment", "compact")
                if stopped:
                    break
        lesson.space["names"] = tuple(lesson.space["LONG"])
        lesson.run(lesson.find("training.forget(lesson)"))
    assert not list((folder / "runs").rglob("*.*")), "what was unfinished is gone"
    other = r'"(train_seconds|training \(s\)|sha256)": .*'  # what differs between two equal trainings
    stored = {
        path.name: re.sub(other, "", path.read_text(encoding="utf-8")) for path in folder.glob("*.json")
    }
    return stored, published.load_network(folder / "mnist-compact.keras").get_weights(), trained


def test_a_long_comparison_stopped_at_five_moments_ends_as_one_that_was_not(monkeypatch, tmp_path):
    few = datasets.load_mnist("sample")
    counts = {"train": 240, "test": len(few.x_test)}
    info = dataclasses.replace(few.info, where="a test", note="", counts=counts, published=counts)
    few = dataclasses.replace(few, x_train=few.x_train[:240], y_train=few.y_train[:240], info=info)
    monkeypatch.setattr(datasets, "load_mnist", lambda source: few)
    lesson = Lesson("04", monkeypatch, long_comparison=True, epochs=10)  # which are stored
    for cell in range(lesson.find(ABLATION)):
        lesson.run(cell)
    lesson.shorten("ABLATION", "assignment", "+ augmentation")

    whole, weights, trained = long_comparison(lesson, tmp_path / "whole", monkeypatch)
    again, same_weights, trained_again = long_comparison(lesson, tmp_path / "again", monkeypatch, FIVE_STOPS)
    assert set(whole) == {"04.json", "mnist-compact.json"}
    assert again == whole
    assert all(np.array_equal(one, other) for one, other in zip(weights, same_weights, strict=True))
    assert trained_again == trained == 2 + 9, "what was measured is not measured again"

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

pytestmark = [pytest.mark.kernel, pytest.mark.filterwarnings("ignore")]
ONE_LINE = r"^stopped after \d+ s; run this cell again$"
# A stop comes after two steps: an epoch needs no more than two or three.
SMALL = {
    "04": dict(epochs=1, training_pictures=100),
    "04a": dict(epochs=1, training_pictures=160),  # 134 to learn from, in batches of 128
    "05": dict(epochs=1, batch_size=12, images_per_class=5, test_images_per_class=2),
    "05a": dict(source_epochs=1, better_epochs=1, batch_size=12, images_per_class=5, test_images_per_class=1),
    "05b": dict(epochs=1, batch_size=12, images_per_class=5, test_images_per_class=2),
    "06": dict(epochs=1, batch_size=24, image_size=32, borrowed_size=32),
    "06a": dict(image_size=32, cuts=1, tuning_epochs=1, scenes_a_class=2),
    "07": dict(epochs=1, image_size=64, most_a_class=15, augmentation="none", base="scratch", results="mine"),
}
LEFT_OUT = {"06a": "SMALL|few_means"}  # cells that take long and train nothing that can be stopped
FEWER = {
    "05a": ("labels), 480)", "labels), 24)"),
    "05b": ("STEPS = 40", "STEPS = 1"),
    "06a": ("KFold(5", "KFold(2"),
}


@pytest.fixture(autouse=True)
def own_folder(eager, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where lesson 7 leaves its results


class Lesson:
    """A lesson whose code cells run here, one by one, on the sample and without its figures."""

    def __init__(self, number, monkeypatch, **parameters):
        import keras

        (path,) = (COURSE_FOLDER / "notebooks").glob(f"{number}-*.ipynb")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        code = [cell for cell in code if not re.search(LEFT_OUT.get(number, "$^"), cell)]
        self.cells = [cell.replace(*FEWER.get(number, ("", ""))) for cell in code]
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

    def stop(self, cell, stop_in=0):
        """Stop one training of a cell; tell whether the cell trains at all."""
        try:
            self.run(cell, stop_in)
        except CourseError as error:
            assert re.match(ONE_LINE, str(error)), error
            return True
        return False

    def find(self, marker):
        (cell,) = (number for number, source in enumerate(self.cells) if marker in source)
        return cell

    def entries(self):
        tables = ("networks", "histories", "seconds", "heads")
        found = {name: self.space.get(name) for name in tables}
        return {name: set(table) for name, table in found.items() if isinstance(table, dict)}

    def shorten(self, table, *names):
        rows = self.space[table]
        self.space[table] = {name: (*rows[name][:2], 1, *rows[name][3:]) for name in names}


LEAST = {"04": 2, "04a": 2, "05": 1, "05a": 1, "05b": 2, "06": 3, "06a": 1, "07": 2}


@pytest.mark.parametrize(("number", "least"), LEAST.items())
def test_every_training_cell_can_be_stopped_and_run_again_at_any_time(number, least, monkeypatch):
    lesson, measured = Lesson(number, monkeypatch), {}
    for cell in range(len(lesson.cells)):  # before any later cell has run
        if lesson.stop(cell):
            measured[cell] = copy.deepcopy(lesson.run(cell))
    assert len(measured) >= least
    before = lesson.entries()
    for cell, fits in measured.items():  # after everything else has run, and behind the first of several
        assert lesson.stop(cell, min(1, len(fits) - 1))
        assert str(lesson.run(cell)) == str(fits), lesson.cells[cell]  # as text, because nan is not nan
        if "networks, histories, seconds = {" in lesson.cells[cell]:
            lesson.run(cell + 1)  # which brings back what that recipe has emptied
        assert lesson.entries() == before, lesson.cells[cell]


LONG_LESSON = "04a"  # the notebook with the long comparison, and its cells by what is in them
LADDER, RECIPES = "ladder = {} if", "recipes = {} if"
LONG_CELLS = (LADDER, "x_test, y_test = ", "LONG = {", "def train_on_all", "def long_row", RECIPES)
FIVE_STOPS = ((LADDER, 1), (LADDER, 0), (RECIPES, 1), (RECIPES, 2), (RECIPES, 2))


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
                if not stopped:
                    lesson.run(cell)
                else:
                    assert lesson.stop(cell, number)
                trained += len(lesson.fits)
                if marker == "LONG = {":
                    lesson.shorten("LONG", "assignment", "compact")
                if stopped:
                    break
        lesson.run(lesson.find("training.forget(lesson)"))
    assert not list((folder / "runs").rglob("*.*")), "what was unfinished is gone"
    other = r'"(train_seconds|seconds|training \(s\)|sha256)": .*'  # what differs between two equal trainings
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    stored = {name: re.sub(other, "", text) for name, text in texts.items()}
    return stored, published.load_network(folder / "mnist-compact.keras").get_weights(), trained


def test_a_long_comparison_stopped_at_five_moments_ends_as_one_that_was_not(monkeypatch, tmp_path):
    few = datasets.load_mnist("sample")
    counts = {"train": 160, "test": len(few.x_test)}
    info = dataclasses.replace(few.info, where="a test", note="", counts=counts, published=counts)
    few = dataclasses.replace(few, x_train=few.x_train[:160], y_train=few.y_train[:160], info=info)
    monkeypatch.setattr(datasets, "load_mnist", lambda source: few)
    lesson = Lesson(LONG_LESSON, monkeypatch, long_comparison=True)
    for cell in range(lesson.find(LADDER)):
        lesson.run(cell)
    lesson.shorten("LADDER", "+ shifts")

    whole, weights, trained = long_comparison(lesson, tmp_path / "whole", monkeypatch)
    again, same_weights, trained_again = long_comparison(lesson, tmp_path / "again", monkeypatch, FIVE_STOPS)
    assert set(whole) == {"04a.json", "mnist-compact.json"}
    assert again == whole
    assert all(np.array_equal(one, other) for one, other in zip(weights, same_weights, strict=True))
    assert trained_again == trained == 3 + 6, "what was measured is not measured again"

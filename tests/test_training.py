"""The seed, the stopwatch, progress; interrupted long comparisons; what the full profile publishes."""

import hashlib
import json
import os
import random
import zipfile

import numpy as np
import pytest

from helpers import CourseError, bookkeeping, published, training

STEM = "04-mnist-digits-cnn"


def test_seed_repeats_python_and_numpy():
    draws = []
    for seed in (7, 7, 8):
        training.set_seed(seed)
        draws.append((random.random(), np.random.rand()))
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.fault
def test_a_training_is_measured_and_ends_in_one_line_where_the_student_stops_it():
    stopped = pytest.raises(CourseError, match=r"^stopped after 0 s; run this cell again$")
    with stopped, training.stopwatch() as watch:
        raise KeyboardInterrupt
    assert watch.seconds > 0


@pytest.mark.parametrize(("limit", "gives_back"), [("2147483648", "1"), ("8e9", None), ("", None)])
def test_where_memory_is_scarce_tensorflow_gives_it_back(limit, gives_back, monkeypatch):
    monkeypatch.setattr(os, "environ", {"MEM_LIMIT": limit})
    with training.quiet_import():
        assert os.environ.get("TF_ONEDNN_USE_SYSTEM_ALLOCATOR") == gives_back


def tiny_fit(keras, callbacks=()):
    training.set_seed(5)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    return model.fit(x, y, epochs=2, validation_split=0.25, verbose=0, callbacks=list(callbacks))


@pytest.mark.kernel
def test_seed_repeats_a_keras_training_to_the_last_digit(keras):
    assert tiny_fit(keras).history == tiny_fit(keras).history


@pytest.mark.kernel
def test_progress_ends_as_one_line_on_stdout(keras, capsys):
    history = tiny_fit(keras, [training.progress("tiny")])
    printed = capsys.readouterr()
    assert printed.err == "" and printed.out.count("\n") == 1
    last = printed.out.split("\r")[-1]
    assert last.startswith("tiny: epoch 2/2")
    assert f"validation accuracy {history.history['val_accuracy'][-1]:.4f}" in last


# --- recipes and what an interrupted run leaves -----------------------------------------------------


@pytest.fixture
def write_recipe(tmp_path, monkeypatch):
    """Put a notebook with one recipe cell in the place of the lesson's, and keep files below tmp_path."""
    monkeypatch.setattr(training, "COURSE_FOLDER", tmp_path)
    monkeypatch.setattr(training, "UNFINISHED_FOLDER", tmp_path / "runs" / "unfinished")
    (tmp_path / "notebooks").mkdir()

    def write(recipe, other="x = 1"):
        cells = [
            {"cell_type": "code", "metadata": {"tags": ["recipe"]}, "source": recipe},
            {"cell_type": "code", "metadata": {}, "source": other},
        ]
        (tmp_path / "notebooks" / f"{STEM}.ipynb").write_text(json.dumps({"cells": cells}))

    write("epochs = 3\n")
    return write


@pytest.fixture
def lesson(write_recipe):
    found = bookkeeping.start_lesson(STEM, seed=0)
    found.data = {"name": "mnist", "kind": "complete", "counts": {"train": 1, "test": 1}}
    return found


def test_recipe_hash_follows_the_recipe_cells_only(write_recipe):
    first = training.recipe_hash(STEM)
    write_recipe(["epochs = ", "3  \n\n"], other="y = 2")
    assert training.recipe_hash(STEM) == first
    write_recipe("epochs = 4\n")
    assert training.recipe_hash(STEM) != first


def test_finished_experiments_are_remembered_until_they_are_forgotten(lesson, tmp_path, capsys):
    calls = []

    def experiment():
        calls.append(1)
        return {"accuracy": np.float32(0.5)}

    first = training.remembered(lesson, "one", experiment)
    assert training.remembered(lesson, "one", experiment) == first == {"accuracy": 0.5}
    assert "interrupted" in capsys.readouterr().out
    training.remembered(lesson, "two", experiment)
    assert len(calls) == 2
    network = training.unfinished_file(lesson, "compact.keras")
    network.write_text("weights")
    training.forget(lesson)
    assert not network.exists(), "the files end together with the results that need them"
    training.remembered(lesson, "one", experiment)
    assert len(calls) == 3


@pytest.mark.parametrize("changed", ["parameter", "pictures", "recipe"])
def test_another_recipe_parameter_or_set_of_pictures_neither_finds_nor_ends_it(lesson, write_recipe, changed):
    training.remembered(lesson, "one", lambda: {"value": 1})
    others = training.unfinished_file(lesson, "results.json")
    if changed == "recipe":
        write_recipe("epochs = 4\n")
    else:
        lesson.data["kind"] = "partial" if changed == "pictures" else "complete"
        lesson.parameters["seed"] = int(changed == "parameter")
    assert training.remembered(lesson, "one", lambda: {"value": 2}) == {"value": 2}
    training.forget(lesson)
    assert others.exists()


def test_nothing_of_the_sample_is_remembered(lesson):
    lesson.data["kind"] = "sample"
    for value in (3, 4):
        assert training.remembered(lesson, "one", lambda value=value: {"value": value}) == {"value": value}


@pytest.mark.fault
def test_damaged_memory_is_named_with_its_remedy(lesson):
    training.unfinished_file(lesson, "results.json").write_text('{"one": ')
    with pytest.raises(CourseError, match=r"^runs.unfinished.04-.* is damaged: delete that folder and run"):
        training.remembered(lesson, "one", dict)


# --- published results and networks ------------------------------------------------------------------


@pytest.mark.fault
def test_a_result_is_stored_and_loaded_and_named_where_it_is_missing_or_damaged(lesson, tmp_path):
    with pytest.raises(CourseError, match="data/results/04.json is missing: restore it"):
        published.load_result("04", folder=tmp_path)
    published.store_result(lesson, {"rows": [1, 2]}, folder=tmp_path)
    stored = published.load_result("04", folder=tmp_path)
    assert stored["rows"] == [1, 2] and stored["data"]["kind"] == "complete"
    assert stored["recipe"] == training.recipe_hash(STEM)
    (tmp_path / "04.json").write_text('{"cut": ')
    with pytest.raises(CourseError, match="data/results/04.json is damaged: restore it"):
        published.load_result("04", folder=tmp_path)


@pytest.mark.parametrize("number", ["04a", "05a", "06a"])
def test_stored_results_are_of_the_recipe_as_it_is_now(number):
    stored = published.load_result(number)
    assert stored["recipe"] == training.recipe_hash(stored["lesson"]), "run the full profile again"
    assert stored["data"]["kind"] != "sample"


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("file", "most", "least"), [("mnist-compact", 30_000, 0.995), ("intel-scenes", 500_000, 0.9)]
)
def test_a_committed_network_is_what_its_card_says(file, most, least):
    path = published.MODELS_FOLDER / f"{file}.keras"
    card, network = json.loads(path.with_suffix(".json").read_bytes()), published.load_network(path)
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and path.stat().st_size < 3_000_000
    (row,) = card["networks"].values()
    assert row["parameter_count"] == network.count_params() <= most and row["test_accuracy"] >= least
    assert network.output_shape == (None, len(card["class_names"])) and card["data"]["kind"] != "sample"
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}
    with zipfile.ZipFile(path) as archive:  # Keras 3.13 refuses a file for the mere name of a newer setting
        config = archive.read("config.json").decode()
    assert not [setting for setting in published.NEWER_SETTINGS if f'"{setting}"' in config]


@pytest.mark.fault
def test_nothing_measured_on_samples_is_stored(lesson, tmp_path):
    lesson.data["kind"] = "sample"
    with pytest.raises(CourseError, match="nothing measured on the built-in sample is stored"):
        published.store_network(lesson, None, "compact", "tiny", (), folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.kernel
@pytest.mark.fault
@pytest.mark.parametrize("content", [None, b"PK\x03\x04 cut", "a network of code"])
def test_a_network_that_cannot_be_loaded_is_one_line(content, tmp_path, keras):
    path = tmp_path / "network.keras"
    if content == "a network of code":  # a Lambda layer holds Python code, which is never run
        keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)]).save(path)
    elif content:
        path.write_bytes(content)
    with pytest.raises(CourseError, match=r"^.*network\.keras cannot be loaded \(.*\): delete it$"):
        published.load_network(path)

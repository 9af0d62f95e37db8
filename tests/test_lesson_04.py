"""Lesson 4: its stored results and the network it brings along."""

import hashlib
import json
import os
import zipfile

import numpy as np
import pytest

from helpers import CourseError, datasets, training

STEM = "04-mnist-digits-cnn"
MODEL = training.MODELS_FOLDER / "mnist-compact.keras"
DATA = os.environ.get("COURSE_DATA_DIR")
needs_real_pictures = pytest.mark.skipif(not DATA, reason="COURSE_DATA_DIR does not name the real pictures")


@pytest.fixture(scope="module")
def sample():
    return datasets.load_mnist("sample")


@pytest.fixture(scope="module")
def network():
    with training.quiet_import():
        import keras
    return keras.saving.load_model(MODEL, safe_mode=True)


# --- what the full profile left behind --------------------------------------------------------------


def test_stored_results_belong_to_the_recipe_in_the_notebook():
    stored = training.load_result("04")
    assert stored["recipe"] == training.recipe_hash(training.notebook_path(STEM)), (
        "the recipe cells have changed: run the full profile again"
    )
    assert stored["data"]["kind"] == "complete"
    assert stored["data"]["counts"] == {"train": 60_000, "test": 10_000}


def test_stored_results_reach_what_the_lesson_promises():
    stored = training.load_result("04")
    median = {
        name: sorted(run["test_accuracy"] for run in runs)[len(runs) // 2]
        for name, runs in stored["recipes"].items()
    }
    assert all(len(runs) == 3 for runs in stored["recipes"].values())
    assert median["lecture"] >= 0.984
    assert median["assignment"] >= 0.984
    assert median["compact"] >= 0.994
    parameters = {name: runs[0]["parameter_count"] for name, runs in stored["recipes"].items()}
    assert parameters["lecture"] == 607_394
    assert parameters["assignment"] == 542_230
    assert parameters["compact"] <= 40_000
    assert len(stored["histories"]["lecture"]["val_loss"]) == 10


def test_committed_network_is_what_its_card_says(network):
    card = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert card["class_names"] == [str(digit) for digit in range(10)]
    assert card["data"]["kind"] == "complete"
    row = card["networks"]["compact"]
    assert row["parameter_count"] == network.count_params() <= 40_000
    assert row["test_accuracy"] >= 0.993
    assert network.input_shape == (None, 28, 28, 1)
    assert MODEL.stat().st_size < 1_000_000
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}


def test_committed_network_reads_raw_pixels(network, sample):
    answers = network.predict(sample.x_test[..., np.newaxis], verbose=0).argmax(axis=1)
    assert (answers == sample.y_test).mean() > 0.75  # scikit-learn's digits, which it has never seen


@needs_real_pictures
def test_committed_network_reaches_its_test_accuracy(network):
    mnist = datasets.load_mnist("real")
    if mnist.info.kind != "complete":
        pytest.skip("the MNIST set is not complete here")
    answers = network.predict(mnist.x_test[..., np.newaxis], batch_size=200, verbose=0).argmax(axis=1)
    card = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    assert (answers == mnist.y_test).mean() == pytest.approx(
        card["networks"]["compact"]["test_accuracy"], abs=3e-4
    )


# --- long comparisons that are interrupted -----------------------------------------------------------


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "UNFINISHED_FOLDER", tmp_path / "unfinished")
    found = training.start_lesson(STEM, seed=0)
    found.data = {"name": "mnist", "kind": "complete", "counts": {"train": 1, "test": 1}}
    return found


def test_finished_experiments_are_remembered_until_the_result_is_stored(lesson, tmp_path, capsys):
    calls = []

    def experiment():
        calls.append(1)
        return {"accuracy": np.float32(0.5)}

    first = training.remembered(lesson, "one", experiment)
    assert training.remembered(lesson, "one", experiment) == first == {"accuracy": 0.5}
    assert "interrupted" in capsys.readouterr().out
    training.remembered(lesson, "two", experiment)
    assert len(calls) == 2
    training.store_result(lesson, {"rows": [first]}, folder=tmp_path / "results")
    training.remembered(lesson, "one", experiment)
    assert len(calls) == 3


def test_other_parameters_and_samples_remember_nothing(lesson):
    training.remembered(lesson, "one", lambda: {"value": 1})
    lesson.parameters["seed"] = 1
    assert training.remembered(lesson, "one", lambda: {"value": 2}) == {"value": 2}
    lesson.data["kind"] = "sample"
    assert training.remembered(lesson, "one", lambda: {"value": 3}) == {"value": 3}
    assert training.remembered(lesson, "one", lambda: {"value": 4}) == {"value": 4}


def test_stored_network_has_its_card(lesson, tmp_path):
    class Network:
        def save(self, path):
            with zipfile.ZipFile(path, "w") as archive:
                layer = {"units": 2, "quantization_config": None, "renorm_momentum": 0.9}
                archive.writestr("config.json", json.dumps({"layers": [layer]}))
                archive.writestr("model.weights.h5", b"weights")

    lesson.record_network("compact", weights="random", parameter_count=3, test_accuracy=0.9)
    path = training.store_network(lesson, Network(), "compact", "tiny", range(2), folder=tmp_path / "models")
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["class_names"] == ["0", "1"]
    assert card["networks"]["compact"]["test_accuracy"] == 0.9
    with zipfile.ZipFile(path) as archive:
        assert archive.read("model.weights.h5") == b"weights"
        # what older versions do not know is left out, but only where it says nothing
        assert json.loads(archive.read("config.json")) == {"layers": [{"units": 2, "renorm_momentum": 0.9}]}
    lesson.data["kind"] = "sample"
    with pytest.raises(CourseError, match="sample"):
        training.store_network(lesson, Network(), "compact", "tiny", range(2), folder=tmp_path / "models")


def test_committed_network_names_no_setting_newer_than_keras_3_13():
    with zipfile.ZipFile(MODEL) as archive:
        config = archive.read("config.json").decode()
    for setting in training.NEWER_SETTINGS:
        assert f'"{setting}"' not in config

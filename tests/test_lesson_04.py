"""Lesson 4: its stored results and the network it brings along."""

import hashlib
import json
import os
import zipfile

import numpy as np
import pytest

from helpers import datasets, published, training

STEM = "04-mnist-digits-cnn"
MODEL = published.MODELS_FOLDER / "mnist-compact.keras"
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
    stored = published.load_result("04")
    assert stored["recipe"] == training.recipe_hash(STEM), (
        "the recipe cells have changed: run the full profile again"
    )
    assert stored["data"]["kind"] == "complete"
    assert stored["data"]["counts"] == {"train": 60_000, "test": 10_000}


def test_stored_results_reach_what_the_lesson_promises():
    stored = published.load_result("04")
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


def test_committed_network_names_no_setting_newer_than_keras_3_13():
    with zipfile.ZipFile(MODEL) as archive:
        config = archive.read("config.json").decode()
    for setting in published.NEWER_SETTINGS:
        assert f'"{setting}"' not in config

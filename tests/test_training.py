import json
import random
import sys
import time
import types

import numpy as np
import pytest

from helpers import CourseError, training

STEM = "04-mnist-digits-cnn"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data_source", "auto"),
        ("seed", 0),
        ("epochs", 1),
        ("image_size", 64),
        ("learning_rate", 0.001),
        ("learning_rate", 1),
        ("weights", "imagenet"),
    ],
)
def test_allowed_values_pass(name, value):
    training.check_parameter(name, value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epochs", 0, ["epochs=0", "whole number from 1"]),
        ("epochs", -3, ["epochs=-3", "whole number from 1"]),
        ("epochs", 2.0, ["epochs=2.0", "whole number"]),
        ("epochs", "ten", ["epochs='ten'", "whole number"]),
        ("epochs", True, ["epochs=True", "whole number"]),
        ("epochs", None, ["epochs=None"]),
        ("image_size", -64, ["image_size=-64", "from 32 to 512"]),
        ("learning_rate", 0, ["learning_rate=0", "above 0"]),
        ("learning_rate", float("nan"), ["learning_rate=nan", "above 0"]),
        ("learning_rate", "fast", ["learning_rate='fast'"]),
        ("data_source", "rael", ["data_source='rael'", '"auto", "real", "sample"']),
        ("seed", -1, ["seed=-1"]),
        ("metrics_path", 3, ["metrics_path=3", "text"]),
        ("epoch", 3, ["unknown parameter epoch", "epochs"]),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(name, value, words):
    with pytest.raises(CourseError) as caught:
        training.check_parameter(name, value)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_lesson_can_narrow_a_rule():
    with pytest.raises(CourseError, match="from 150 to 150"):
        training.start_lesson(STEM, {"image_size": training.Whole(150, 150)}, image_size=64)


def test_error_shows_as_one_line_in_a_notebook():
    assert CourseError("a thing: a remedy")._render_traceback_() == ["CourseError: a thing: a remedy"]


def test_seed_repeats_python_and_numpy():
    draws = []
    for _ in range(2):
        training.set_seed(7)
        draws.append((random.random(), np.random.rand()))
    assert draws[0] == draws[1]
    training.set_seed(8)
    assert (random.random(), np.random.rand()) != draws[0]


def test_stopwatch_measures_also_when_the_block_fails():
    with training.stopwatch() as watch:
        time.sleep(0.02)
    assert 0.02 <= watch.seconds < 1
    with pytest.raises(RuntimeError), training.stopwatch() as failed:
        raise RuntimeError
    assert failed.seconds > 0


def test_peak_memory_is_in_megabytes():
    before = training.peak_memory_mb()
    block = np.ones(int(60e6) // 8)
    assert 20 < before < 10_000
    assert training.peak_memory_mb() >= before
    assert block.nbytes == 60_000_000


def test_metrics_file_holds_the_schema(tmp_path, capsys):
    path = tmp_path / "04.json"
    lesson = training.start_lesson(STEM, seed=3, metrics_path=str(path))
    lesson.use_data(types.SimpleNamespace(name="MNIST", kind="sample", counts={"training": 5}))
    lesson.record_network(
        "lecture",
        weights="random",
        parameter_count=np.int64(12),
        test_accuracy=np.float32(0.5),
        test_loss=np.nan,
    )
    lesson.finish()
    content = json.loads(path.read_text())
    assert list(content) == [
        "lesson", "parameters", "data", "networks", "seconds", "peak_rss_mb", "versions",
    ]  # fmt: skip
    assert content["lesson"] == STEM
    assert content["parameters"] == {"seed": 3, "metrics_path": str(path)}
    assert content["data"] == {"name": "MNIST", "kind": "sample", "counts": {"training": 5}}
    assert content["networks"] == {
        "lecture": {"weights": "random", "parameter_count": 12, "test_accuracy": 0.5, "test_loss": None}
    }
    assert content["versions"]["numpy"] == np.__version__
    assert content["seconds"] >= 0
    assert content["peak_rss_mb"] > 20
    assert [item.name for item in tmp_path.iterdir()] == ["04.json"]
    assert sys.platform == "win32" or path.stat().st_mode & 0o444 == 0o444, "only its owner can read it"
    assert "MB of memory" in capsys.readouterr().out


def test_unknown_metric_is_refused():
    with pytest.raises(TypeError, match="acuracy"):
        training.start_lesson(STEM).record_network("a", weights="random", parameter_count=1, acuracy=1.0)


def test_metrics_path_in_a_missing_folder_fails_at_the_start(tmp_path):
    with pytest.raises(CourseError, match="its folder does not exist"):
        training.start_lesson(STEM, metrics_path=str(tmp_path / "none" / "04.json"))


def test_metrics_path_that_is_a_folder_fails_at_the_start(tmp_path):
    with pytest.raises(CourseError, match="it is a folder"):
        training.start_lesson(STEM, metrics_path=str(tmp_path))


def test_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "04.json"
    training.write_json(path, {"old": 1})

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training.Path, "replace", full)
    with pytest.raises(CourseError, match="No space left on device"):
        training.write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["04.json"]


def notebook(tmp_path, recipe, other="x = 1"):
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["recipe"]}, "source": recipe},
        {"cell_type": "code", "metadata": {}, "source": other},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    return path


def test_recipe_hash_follows_the_recipe_cells_only(tmp_path):
    first = training.recipe_hash(notebook(tmp_path, "epochs = 3\n"))
    assert training.recipe_hash(notebook(tmp_path, "epochs = 3  \n\n", other="y = 2")) == first
    assert training.recipe_hash(notebook(tmp_path, ["epochs = ", "3\n"])) == first
    assert training.recipe_hash(notebook(tmp_path, "epochs = 4\n")) != first


def test_result_is_stored_and_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "notebook_path", lambda stem: notebook(tmp_path, "epochs = 3"))
    lesson = training.start_lesson(STEM, seed=0, epochs=3)
    lesson.use_data(types.SimpleNamespace(name="MNIST", kind="complete", counts={}))
    training.store_result(lesson, {"rows": [1, 2]}, folder=tmp_path)
    stored = training.load_result("04", folder=tmp_path)
    assert stored["rows"] == [1, 2]
    assert stored["recipe"] == training.recipe_hash(tmp_path / "a.ipynb")
    assert stored["data"]["kind"] == "complete"
    assert training.load_result("05", folder=tmp_path) is None


def test_sample_result_is_never_stored(tmp_path):
    lesson = training.start_lesson(STEM)
    lesson.use_data(types.SimpleNamespace(name="MNIST", kind="sample", counts={}))
    with pytest.raises(CourseError, match="sample"):
        training.store_result(lesson, {}, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_damaged_result_is_named(tmp_path):
    (tmp_path / "04.json").write_text('{"cut": ')
    with pytest.raises(CourseError, match="data/results/04.json is damaged"):
        training.load_result("04", folder=tmp_path)


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def tiny_fit(keras, callbacks=()):
    training.set_seed(5)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    return model.fit(x, y, epochs=2, validation_split=0.25, verbose=0, callbacks=list(callbacks))


def test_seed_repeats_a_keras_training_to_the_last_digit(keras):
    assert "keras" in sys.modules
    assert tiny_fit(keras).history == tiny_fit(keras).history


def test_progress_ends_as_one_line_on_stdout(keras, capsys):
    history = tiny_fit(keras, [training.progress("tiny")])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    last = printed.out.split("\r")[-1]
    assert last.startswith("tiny: epoch 2/2")
    assert f"validation accuracy {history.history['val_accuracy'][-1]:.4f}" in last

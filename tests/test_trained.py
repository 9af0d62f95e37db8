"""A network that a lost kernel trained comes back, where all is the same, and never otherwise."""

import errno
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from helpers import bookkeeping, training

pytestmark = pytest.mark.kernel
X, Y = np.eye(4, dtype="float32"), np.arange(4) % 2


def other_recipe():
    return "another"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def lesson(kind="complete", **parameters):
    started = bookkeeping.start_lesson("04-mnist-digits-cnn", **{"seed": 0} | parameters)
    started.data = {"name": "mnist", "kind": kind, "counts": {"train": 4}}
    return started


def train(started, *, x=X, units=3, rate=0.1, recipe=(), **options):
    """Train as a fresh kernel would; return the weights, what `trained` gave, and whether it trained."""
    with training.quiet_import():
        import keras
    training.set_seed(started.parameters["seed"])
    layers = [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(2, activation="softmax")]
    network, fits = keras.Sequential(layers), []
    network.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", run_eagerly=True)

    def fit(network, x, pair):
        fits.append(1)
        return network.fit(x, pair[0], epochs=2, verbose=0)

    given = training.trained(started, "small", fit, network, x, (Y, Y), recipe=recipe, **options)
    return network.get_weights(), given, bool(fits)


def same(one, other):
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_weights_record_and_seconds_come_back_and_the_table_says_so(capsys):
    weights, given, fitted = train(lesson())
    assert fitted and "stored" not in capsys.readouterr().out
    again = lesson()
    back, given_back, fitted = train(again)
    assert not fitted and same(weights, back) and given_back == tuple(given)
    said = capsys.readouterr().out
    assert said.startswith("small: stored, from ") and "fresh=True" in said and said.count("\n") == 1
    for name, weights_are in (("small", "random, stored"), ("other", "random")):
        again.record_network(name, weights="random", parameter_count=1)
        assert again.networks[name]["weights"] == weights_are


@pytest.mark.parametrize(
    "other",
    [
        {"started": {"seed": 1}},
        {"started": {"kind": "partial"}},
        {"x": X * 2},
        {"units": 5},
        {"rate": 0.2},
        {"recipe": [other_recipe]},
        {"fresh": True},
    ],
    ids=lambda other: next(iter(other)),
)
def test_anything_else_is_trained(other):
    train(lesson())
    started = lesson(**other.pop("started", {}))
    assert train(started, **other)[2] and not started.stored


@pytest.mark.parametrize("where", ["sample", "metrics"])
def test_the_sample_and_measured_runs_are_always_trained(where, tmp_path, cache):
    started = {"kind": "sample"} if where == "sample" else {"metrics_path": str(tmp_path / "numbers.json")}
    for _ in range(2):
        assert train(lesson(**started))[2]
    assert not cache.exists()


@pytest.mark.fault
@pytest.mark.parametrize("damage", ["half", "text", "other weights"])
def test_a_damaged_file_is_one_line_and_the_numbers_are_the_same(cache, capsys, damage):
    weights, given, _ = train(lesson())
    (path,) = (cache / "trained").iterdir()
    content = path.read_bytes()
    if damage == "other weights":
        np.savez(path, np.array("[{}, 1]"), *weights[:-1], np.zeros(9))
    else:
        path.write_bytes({"half": content[: len(content) // 2], "text": b"hello"}[damage])
    capsys.readouterr()
    back, given_back, fitted = train(lesson())
    assert fitted and same(weights, back) and given_back[0] == given[0]
    said = capsys.readouterr().out
    assert said.startswith("small: what the cache kept of it is damaged (") and said.count("\n") == 1
    assert not train(lesson())[2], "the damaged file has been replaced"


@pytest.mark.fault
def test_a_cache_that_cannot_be_written_or_fills_up_keeps_no_half_file(cache, capsys, monkeypatch):
    cache.write_text("a file in its place", encoding="utf-8")
    assert train(lesson())[2]
    assert capsys.readouterr().out.startswith("small: not stored for a restart (")
    cache.unlink()

    full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(Path, "chmod", full)  # the file has been written, and has not got its name yet
    assert train(lesson())[2]
    assert capsys.readouterr().out == "small: not stored for a restart (No space left on device)\n"
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_mixed_precision_is_said(capsys, keras):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        train(lesson())
    finally:
        keras.config.set_dtype_policy("float32")
    assert "small: this machine computes in mixed_float16, not float32" in capsys.readouterr().out

"""Lesson 4 and its deeper notebook: the split, the judge, the stored results."""

from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.recipes import run_cells

from helpers import published

DEEPER = "04a-a-better-digit-network"


@pytest.mark.kernel
def test_validation_pictures_are_drawn_at_random_from_pictures_that_come_in_order():
    labels = np.repeat(np.arange(10), 60)  # sorted: the last block is one digit
    mnist = SimpleNamespace(x_train=np.zeros((600, 28, 28), np.uint8), y_train=labels)
    names = {"mnist": mnist, "training_pictures": 600, "seed": 0, "info": SimpleNamespace(label="a test")}
    cells = ("pictures, labels = mnist", "def simple_reader", "validating, learning = np.split")
    space = run_cells("04-mnist-digits-cnn", *cells, **names)
    assert len(set(space["y_validation"])) == 10 and len(space["y_validation"]) == 50
    assert sorted([*space["validating"], *space["learning"]]) == list(range(600)), "no picture is in both"


@pytest.mark.kernel
@pytest.mark.fault
def test_the_judge_refuses_a_network_that_is_missing_too_large_or_of_another_shape():
    objection = run_cells(DEEPER, "def objection")["objection"]
    import keras

    def dense(side, units, shares=10):
        layers = [keras.layers.Flatten(), keras.layers.Dense(units), keras.layers.Dense(shares)]
        return keras.Sequential([keras.Input(shape=(side, side, 1)), *layers])

    assert objection(dense(28, 37)) is None  # 29,425 parameters
    assert objection(None).startswith("nothing comes back")
    assert "30,220 parameters" in objection(dense(28, 38))
    assert "(27, 27, 1)" in objection(dense(27, 5)) and "(9,)" in objection(dense(28, 5, 9))


def test_stored_results_reach_what_the_notebook_promises():
    stored = published.load_result("04a")
    assert stored["data"]["counts"] == {"train": 60_000, "test": 10_000}
    runs = stored["recipes"]
    assert all(len(rows) == 3 for rows in [*runs.values(), *stored["ladder"].values()])
    median = {name: sorted(row["test_accuracy"] for row in rows)[1] for name, rows in runs.items()}
    assert median["assignment"] >= 0.984 and median["compact, 5 epochs"] >= 0.9945
    assert median["compact, 5 epochs, nine looks"] >= 0.9955 and median["compact"] >= 0.996
    assert {row["parameter_count"] for row in runs["assignment"]} == {542_230}
    assert max(row["parameter_count"] for row in runs["compact"]) <= 30_000
    for row in runs["compact"]:
        assert 1 - len(row["wrong"].split()) / 10_000 == pytest.approx(row["test_accuracy"])

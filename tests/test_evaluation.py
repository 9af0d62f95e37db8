from types import SimpleNamespace

import numpy as np
import pytest

from helpers import evaluation


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [(14, 15, 0.7018, 0.9881), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (9_951, 10_000, 0.9935, 0.9963)],
)
def test_wilson_interval_has_the_values_of_the_tables(correct, total, low, high):
    assert evaluation.wilson_interval(correct, total) == pytest.approx((low, high), abs=5e-5)


def test_accuracy_line_carries_count_and_interval_and_refuses_impossible_counts():
    assert evaluation.accuracy_line(14, 15) == "93.3% (14 of 15 right; 95% interval 70.2% to 98.8%)"
    for correct, total in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match=f"correct={correct} of total={total}"):
            evaluation.wilson_interval(correct, total)


def test_classification_table_counts_by_hand():
    table = evaluation.classification_table([0, 0, 1, 1, 2], [0, 1, 1, 1, 0], ["a", "b", "c"])
    assert table.loc["a"].tolist() == [0.5, 0.5, 0.5, 2]
    assert table.loc["b"].tolist() == [0.667, 1.0, 0.8, 2]
    assert table.loc["c"].tolist() == [0, 0, 0, 1]
    assert evaluation.macro_f1([0, 0, 1, 1, 2], [0, 1, 1, 1, 0], 3) == pytest.approx((0.5 + 0.8 + 0) / 3)


def test_confusion_rows_are_true_classes_even_when_one_is_missing():
    assert evaluation.confusion([0, 0, 1], [0, 1, 1], 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_mistakes_come_surest_first():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.01, 0.99]])
    table = evaluation.most_confident_mistakes(probabilities, np.array([0, 0, 0, 0]), count=2)
    assert table[["picture", "probability", "true"]].values.tolist() == [[3, 0.99, 0], [1, 0.8, 0]]
    assert evaluation.most_confident_mistakes(probabilities, np.array([0, 1, 1, 1])).empty


class Reshuffled:
    """Like a shuffled tf.data set: another order on every pass."""

    passes = 0

    def __iter__(self):
        self.passes += 1
        order = np.random.default_rng(self.passes).permutation(10)
        yield from ((order[:6, None], order[:6]), (order[6:, None], order[6:]))


def test_labels_stay_with_their_predictions_when_the_set_is_shuffled():
    echo = SimpleNamespace(predict_on_batch=np.asarray)  # a network that answers what it is asked
    labels, predictions = evaluation.predict_dataset(echo, Reshuffled())
    assert sorted(labels) == list(range(10)) and (labels == predictions[:, 0]).all()
    with pytest.raises(ValueError, match="no batch"):
        evaluation.predict_dataset(echo, [])


def test_results_table_names_data_and_weights_in_every_row():
    measured = {"parameter_count": 12345, "test_accuracy": 0.98765, "train_seconds": 61.23, "right": "01"}
    networks = {"scratch": {"weights": "random"} | measured, "vgg16-frozen": {"weights": "unavailable"}}
    table = evaluation.results_table(networks, "sample")
    assert list(table) == ["data", "weights", "parameters", "training (s)", "test accuracy"]
    assert list(table.loc["scratch"]) == ["sample", "random", "12,345", "61.2", "0.9877"]
    assert list(table.loc["vgg16-frozen"]) == ["sample", "unavailable", "", "", ""]


@pytest.mark.parametrize(
    ("right_a", "right_b", "counts", "p_value"),
    [
        ("111100", "110010", (2, 2, 1, 1), 1.0),
        ("1" * 12, "1" * 3 + "0" * 9, (3, 9, 0, 0), 2 / 2**9),
    ],
)
def test_comparison_tosses_a_coin_for_each_picture_that_differs(right_a, right_b, counts, p_value):
    found = evaluation.compare(*(np.array(list(text)) == "1" for text in (right_a, right_b)))
    assert found[:4] == counts and found.p_value == pytest.approx(p_value)
    assert f"p = {p_value:.2g}" in str(found)


def test_comparison_needs_the_same_pictures():
    for others in (np.ones(3, bool), np.ones(4), np.ones((4, 1), bool)):
        with pytest.raises(ValueError, match="same pictures"):
            evaluation.compare(np.ones(4, bool), others)

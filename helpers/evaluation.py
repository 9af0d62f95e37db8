"""Reports a person can read: accuracy with its interval, per-class table, confusion, mistakes."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95% interval (Wilson, 1927) for a share of right answers; both ends lie in 0..1.

    Raises `ValueError` unless 0 <= correct <= total and total >= 1.
    """
    if total < 1 or not 0 <= correct <= total:
        raise ValueError(f"correct={correct} of total={total}: needs 0 <= correct <= total and total >= 1")
    interval = binomtest(int(correct), int(total)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def accuracy_line(correct: int, total: int) -> str:
    """Return e.g. '93.3% (14 of 15 right; 95% interval 70.2% to 98.8%)'."""
    low, high = wilson_interval(correct, total)
    return f"{correct / total:.1%} ({correct:,} of {total:,} right; 95% interval {low:.1%} to {high:.1%})"


class Comparison(NamedTuple):
    """How often two networks are right about the same pictures, and the p-value of the exact sign test."""

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.both:,} pictures right by both, {self.only_a:,} by the first alone, {self.only_b:,} by "
            f"the second alone, {self.neither:,} by neither; sign test p = {self.p_value:.2g}"
        )


def compare(right_a: Any, right_b: Any) -> Comparison:
    """Compare two networks on the same pictures: the exact sign test (McNemar's), as lesson 4 derives it.

    `right_a` and `right_b` say of each picture whether a network was right: booleans of shape (n,), in the
    same order. Only pictures on which the two differ tell them apart; if neither network were better, each
    of these would fall to either like a tossed coin. `p_value` (0 to 1, two-sided) is how often coins alone
    would be as lopsided. Raises `ValueError` for arrays of different or no length, or of other values.
    """
    a, b = np.asarray(right_a), np.asarray(right_b)
    if a.shape != b.shape or a.ndim != 1 or not a.size or (a.dtype, b.dtype) != (bool, bool):
        raise ValueError(
            f"right_a is {a.dtype} of shape {a.shape}, right_b {b.dtype} of shape {b.shape}: both must be "
            "True or False for each of the same pictures"
        )
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return Comparison(int((a & b).sum()), only_a, only_b, int((~a & ~b).sum()), p_value)


def predict_dataset(model: Any, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels (n,) and the predictions (n, ...) of a batched `tf.data` set, in a single pass.

    A shuffled set comes in another order on each pass, so that labels and predictions from two passes
    would not belong together. Raises `ValueError` when the set holds no batch.
    """
    batches = [(np.asarray(truth), model.predict_on_batch(pictures)) for pictures, truth in dataset]
    if not batches:
        raise ValueError("the data set holds no batch: nothing to predict")
    labels, predictions = zip(*batches, strict=True)
    return np.concatenate(labels), np.concatenate(predictions)


def confusion(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> np.ndarray:
    """Count the pictures of each true class (row) and predicted class (column): shape (classes, classes)."""
    return confusion_matrix(y_true, y_pred, labels=range(classes))


def macro_f1(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> float:
    """Return the mean of the classes' F1 scores (0 to 1); a class never met or predicted counts as 0."""
    return float(f1_score(y_true, y_pred, labels=range(classes), average="macro", zero_division=0))


def classification_table(y_true: np.ndarray, y_pred: np.ndarray, class_names: Any) -> pd.DataFrame:
    """Return precision, recall, F1 (0 to 1, three decimals) and the number of pictures of each class."""
    labels = range(len(class_names))
    scores = precision_recall_fscore_support(y_true, y_pred, labels=labels, zero_division=0)
    index = pd.Index([str(name) for name in class_names], name="class")
    columns = ("precision", "recall", "F1", "pictures")
    return pd.DataFrame(dict(zip(columns, scores, strict=True)), index=index).round(3)


def most_confident_mistakes(probabilities: np.ndarray, labels: np.ndarray, count: int = 12) -> pd.DataFrame:
    """Return the wrong answers that the network was surest of, the surest first.

    `probabilities` has shape (n, classes), `labels` (n,). Columns: picture (index into the set), true,
    predicted, probability (of the predicted class).
    """
    predicted, labels = probabilities.argmax(axis=1), np.asarray(labels).astype(int)
    table = pd.DataFrame({"picture": np.arange(len(labels)), "true": labels, "predicted": predicted})
    table["probability"] = probabilities.max(axis=1)
    wrong = table[predicted != labels].sort_values("probability", ascending=False, kind="stable")
    return wrong.head(count).round(4).reset_index(drop=True)


def results_table(networks: dict[str, dict[str, Any]], data_kind: str) -> pd.DataFrame:
    """Return one row a network (`Lesson.networks`), with the kind of data and of weights in every row.

    `data_kind` is "complete", "partial" or "sample". What was not measured stays empty.
    """
    shown = {
        "weights": ("weights", "{}"),
        "parameter_count": ("parameters", "{:,}"),
        "train_seconds": ("training (s)", "{:.1f}"),
        "validation_accuracy": ("validation accuracy", "{:.4f}"),
        "test_accuracy": ("test accuracy", "{:.4f}"),
        "test_loss": ("test loss", "{:.4f}"),
        "macro_f1": ("macro F1", "{:.4f}"),
    }
    table = pd.DataFrame({"data": data_kind}, index=pd.Index(networks, name="network"))
    for key, (title, form) in shown.items():
        if any(key in row for row in networks.values()):
            table[title] = [form.format(row[key]) if key in row else "" for row in networks.values()]
    return table

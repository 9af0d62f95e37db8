"""Reports a person can read: accuracy with its interval, per-class table, confusion, mistakes."""

import math
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support


def wilson_interval(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval (95% unless `z` is changed) for a share of right answers.

    `correct` of `total` answers were right; both ends lie in 0..1. Unlike the textbook's normal
    interval it holds for small samples and at 0 and 1 (Wilson, 1927). Raises `ValueError` unless
    0 <= correct <= total and total >= 1.
    """
    if total < 1 or not 0 <= correct <= total:
        raise ValueError(f"correct={correct} of total={total}: needs 0 <= correct <= total and total >= 1")
    share, spread = correct / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy_line(correct: int, total: int) -> str:
    """Return e.g. '93.3% (14 of 15 right; 95% interval 70.2% to 98.8%)'."""
    low, high = wilson_interval(correct, total)
    return f"{correct / total:.1%} ({correct:,} of {total:,} right; 95% interval {low:.1%} to {high:.1%})"


def predict_dataset(model: Any, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels and the predictions of a batched `tf.data` set, read in one single pass.

    A shuffled set comes in another order each time it is read. Labels and predictions taken from two
    passes would not belong together; here each batch gives both. Labels have shape (n,), predictions
    whatever the model gives for n pictures.
    """
    labels, predictions = [], []
    for pictures, truth in dataset:
        predictions.append(np.asarray(model.predict_on_batch(pictures)))
        labels.append(np.asarray(truth))
    if not labels:
        raise ValueError("the data set holds no batch: nothing to predict")
    return np.concatenate(labels), np.concatenate(predictions)


def confusion(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> np.ndarray:
    """Count the pictures of each true class (row) and predicted class (column): shape (classes, classes)."""
    return confusion_matrix(y_true, y_pred, labels=range(classes))


def macro_f1(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> float:
    """Return the mean of the classes' F1 scores (0 to 1); a class never met or predicted counts as 0."""
    return float(f1_score(y_true, y_pred, labels=range(classes), average="macro", zero_division=0))


def classification_table(y_true: np.ndarray, y_pred: np.ndarray, class_names: Any) -> pd.DataFrame:
    """Return precision, recall, F1 (0 to 1, three decimals) and the number of pictures of each class."""
    classes = range(len(class_names))
    precision, recall, f1, count = precision_recall_fscore_support(
        y_true, y_pred, labels=classes, zero_division=0
    )
    table = pd.DataFrame(
        {"precision": precision, "recall": recall, "F1": f1, "pictures": count},
        index=pd.Index([str(name) for name in class_names], name="class"),
    )
    return table.round(3)


def most_confident_mistakes(probabilities: np.ndarray, labels: np.ndarray, count: int = 12) -> pd.DataFrame:
    """Return the wrong answers that the network was surest of, the surest first.

    `probabilities` has shape (n, classes), `labels` (n,). Columns: picture (index into the set), true,
    predicted, probability (of the predicted class).
    """
    predicted, labels = probabilities.argmax(axis=1), np.asarray(labels).astype(int)
    wrong = np.flatnonzero(predicted != labels)
    sure = probabilities[wrong, predicted[wrong]]
    order = wrong[np.argsort(-sure, kind="stable")][:count]
    return pd.DataFrame(
        {
            "picture": order,
            "true": labels[order],
            "predicted": predicted[order],
            "probability": probabilities[order, predicted[order]].round(4),
        }
    )


def results_table(networks: dict[str, dict[str, Any]], data_kind: str) -> pd.DataFrame:
    """Return one row a network, with the kind of data and of weights in every row.

    `networks` is `Lesson.networks`; `data_kind` is "complete", "partial" or "sample". What was not
    measured stays empty.
    """
    shown = {
        "weights": "weights",
        "parameter_count": "parameters",
        "train_seconds": "training (s)",
        "validation_accuracy": "validation accuracy",
        "test_accuracy": "test accuracy",
        "test_loss": "test loss",
        "macro_f1": "macro F1",
    }
    digits = {"training (s)": 1}
    rows = []
    for row in networks.values():
        cells = {shown[key]: value for key, value in row.items() if key in shown}
        for name, value in cells.items():
            if isinstance(value, float):
                cells[name] = f"{value:.{digits.get(name, 4)}f}"
            elif isinstance(value, int):
                cells[name] = f"{value:,}"
        rows.append({"data": data_kind} | cells)
    columns = ["data", *(name for name in shown.values() if any(name in row for row in rows))]
    return pd.DataFrame(rows, index=pd.Index(list(networks), name="network"), columns=columns).fillna("")

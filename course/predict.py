"""`python -m course predict`: what a network of the course says about some pictures."""

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course import say
from helpers import CourseError

# The layers of the course's networks. Whatever else a file asks Keras to build is not built: some of Keras's
# own classes run code, or read files, that the file names.
LAYERS = {
    *("Functional", "Sequential", "InputLayer", "Rescaling", "Resizing", "ZeroPadding2D", "Flip", "Average"),
    *("Add", "Concatenate", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "BatchNormalization", "ReLU"),
    *("MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "Flatten", "Dense", "Dropout"),
    "Activation",
}  # fmt: skip
PARTS = {"DTypePolicy", "L1", "L2", "__keras_tensor__"}


def predict(model: str, pictures: Sequence[str]) -> int:
    """Print a table: for each picture the share of each class, and the answer.

    Args:
        model: a `.keras` file of lesson 7, or of `data/models`.
        pictures: picture files; one that cannot be read is named, and the others are answered.

    Returns:
        The exit status: 0, or 1 when a picture could not be read.

    Raises:
        CourseError: `model` is not a network of the course, or needs code to load.
    """
    from helpers.datasets._pictures import Unreadable, read_picture, without_warnings

    class_names, network = load(Path(model))
    size, unreadable, rows = network.input_shape[1:3], [], []
    with without_warnings():
        for name in pictures:
            try:
                values = np.asarray(read_picture(Path(name), size)[0], dtype=np.float32)
            except Unreadable as reason:
                unreadable.append(f"{Path(name).name} {reason}")
                continue
            shares = network.predict_on_batch(values[np.newaxis])[0]
            rows.append([Path(name).name, *shares, class_names[shares.argmax()]])
    if rows:
        table = pd.DataFrame(rows, columns=["picture", *class_names, "answer"])
        say(table.to_string(index=False, float_format="{:.3f}".format))
    for line in unreadable:
        say(f"course predict: {line}", error=True)
    return 1 if unreadable else 0


def load(path: Path) -> tuple[list[str], Any]:
    """Return the names of the classes and the network; raises CourseError for any other file."""
    from helpers.own_pictures import class_names_of
    from helpers.published import load_network
    from helpers.training import quiet_import

    if not path.is_file():
        raise CourseError(f"there is no file {str(path)!r}: name the .keras file that lesson 7 has written.")
    class_names, foreign = class_names_of(path), foreign_part(path)
    if foreign:
        raise CourseError(
            f"{path.name} holds {foreign!r}, which no network of the course does: it is not loaded."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_import():
        network = load_network(path)
    given = getattr(network, "input_shape", ())[1:]
    if len(given) != 3 or None in given or given[2] != 3 or network.output_shape[1:] != (len(class_names),):
        raise CourseError(f"{path.name} does not answer for colour pictures with {len(class_names)} classes.")
    return class_names, network


def foreign_part(path: Path) -> str:
    """Return the name of the first part of a network's file that no network of the course has, or nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise CourseError(f"{path.name} is not a network of the course: save one with lesson 7.") from None
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name, home = part.get("class_name"), str(part.get("module") or "keras")
            initialiser = home == "keras.initializers"
            known = home.split(".")[0] == "keras" and (name in LAYERS | PARTS or initialiser)
            if name is not None and (not known or part.get("registered_name") not in (None, name)):
                return str(name)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return ""

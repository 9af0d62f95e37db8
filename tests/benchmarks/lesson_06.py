"""Lesson 6's bar: cached features against the frozen VGG16 run in every epoch, 30 epochs at 64x64.

    COURSE_DATA_DIR=... python tests/benchmarks/lesson_06.py

Runs the very recipe cells of the notebook (tag `recipe`). Both ways train the same head with the same
seed, batches of 32 and 30 epochs on the same training pictures, without a look at validation pictures
while the clock runs; what Keras does once (building, tracing) is left out on both sides by a first epoch.
Of the slow way EPOCHS_RUN epochs are run and reckoned up to 30. Speed does not depend on what VGG16's
weights have learnt, so random ones serve; nothing is said here about accuracy. The two ways take turns,
and medians count. Takes about three minutes on two quiet cores. Exits 1 below a bound, 2
without the real pictures.
"""

import json
import os
import statistics
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from helpers import COURSE_FOLDER, CourseError, bookkeeping, datasets, training

EPOCHS, SIZE, BATCH = 30, 64, 32
ROUNDS, EPOCHS_RUN = 5, 4
IN_ALL, TRAINING_ALONE, AGREEMENT = 10, 20, 1e-4  # the bounds


def recipe(keras) -> dict:
    """Run the recipe cells that define the head and the features, and return what they define."""
    names = {"keras": keras, "np": np, "training": training}
    names |= {"seed": 0, "image_size": SIZE, "batch_size": BATCH, "epochs": EPOCHS, "kind": "benchmark"}
    notebook = json.loads(
        (COURSE_FOLDER / "notebooks" / "06-vgg16-transfer-car-plane.ipynb").read_text(encoding="utf-8")
    )
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        wanted = ("def vgg_input(", "def head_network(", "def vgg_features(", "def seconds_an_epoch(")
        if "recipe" in cell["metadata"].get("tags", []) and any(name in source for name in wanted):
            exec(source, names)
    return names


def load(keras, folder: Path, class_names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, 64, 64, 3) from 0 to 255 and labels (n, 1)."""
    stream = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIZE, SIZE), batch_size=None, shuffle=False, verbose=False,
        label_mode="binary", class_names=list(class_names),
    )  # fmt: skip
    pictures, labels = zip(*stream, strict=True)
    return np.stack(pictures), np.stack(labels)


def main() -> int:
    """Measure, print and judge."""
    try:
        data = datasets.find_car_plane("real")
    except CourseError as error:
        print(error)
        return 2
    with training.quiet_import():
        import keras
    lesson = recipe(keras)
    folders = [
        datasets.usable_pictures(part, data.class_names).folder for part in (data.train, data.validation)
    ]
    (x, y), (x_validation, _) = (load(keras, folder, data.class_names) for folder in folders)
    training.set_seed(0)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    base.trainable = False

    def extract() -> tuple[float, np.ndarray, np.ndarray]:
        with training.stopwatch() as watch:
            found = [lesson["vgg_features"](base, pictures) for pictures in (x, x_validation)]
        return watch.seconds, *found

    def head(features: np.ndarray):
        training.set_seed(0)
        return lesson["head_network"](features)

    _, features, features_validation = extract()  # Keras prepares
    prepared, times = lesson["vgg_input"](x), {"extraction": [], "head": [], "with base": []}
    for round_number in range(ROUNDS):  # in turns, so that a busy moment hits all alike
        times["extraction"].append(extract()[0])
        trained = head(features)
        times["head"].append(EPOCHS * lesson["seconds_an_epoch"](trained, features, y, EPOCHS))
        slow = keras.Sequential([keras.Input(x.shape[1:]), base, head(features)])
        times["with base"].append(EPOCHS * lesson["seconds_an_epoch"](slow, prepared, y, EPOCHS_RUN))
        shown = ", ".join(f"{name} {values[-1]:.2f} s" for name, values in times.items())
        print(f"round {round_number + 1}: {shown}", flush=True)
    whole = keras.Sequential([keras.Input(x.shape[1:]), base, trained])
    by_pictures = whole.predict(lesson["vgg_input"](x_validation), batch_size=BATCH, verbose=0)
    by_features = trained.predict(features_validation, batch_size=BATCH, verbose=0)
    difference = float(np.abs(by_pictures - by_features).max())

    median = {name: statistics.median(values) for name, values in times.items()}
    in_all = median["with base"] / (median["extraction"] + median["head"])
    alone = median["with base"] / median["head"]
    reached = in_all >= IN_ALL and alone >= TRAINING_ALONE and difference <= AGREEMENT
    print(
        f"{len(x)} training and {len(x_validation)} validation pictures ({data.info.kind} set), "
        f"{SIZE}x{SIZE}, {EPOCHS} epochs, batches of {BATCH}; medians of {ROUNDS} rounds"
    )
    print(f"base in every epoch: {median['with base']:.2f} s (reckoned from {EPOCHS_RUN} epochs)")
    print(f"features once: {median['extraction']:.2f} s; {EPOCHS} epochs of the head: {median['head']:.2f} s")
    print(f"peak memory {bookkeeping.peak_memory_mb():,.0f} MB")
    print(
        f"ratio={in_all:.2f} in all (bound {IN_ALL}), {alone:.1f} for the training alone (bound "
        f"{TRAINING_ALONE}), largest difference of two probabilities {difference:.1e} "
        f"(bound {AGREEMENT:.0e}); "
        f"{'all bounds reached' if reached else 'BELOW A BOUND'}"
    )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

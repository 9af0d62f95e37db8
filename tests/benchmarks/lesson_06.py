"""Lesson 6's bar: cached features against the frozen VGG16 run in every epoch, 30 epochs at 64x64.

    COURSE_DATA_DIR=... python tests/benchmarks/lesson_06.py

Runs the very recipe cells of the notebook (tag `recipe`). Both ways train the same head with the same
seed, batches of 32 and 30 epochs on the same training pictures, without a look at validation pictures
while the clock runs; what Keras does once (building, tracing) is left out on both sides by a first epoch.
Of the slow way EPOCHS_RUN epochs are run and scaled up to 30. Speed does not depend on what VGG16's
weights have learnt, so random ones serve; nothing is said here about accuracy. Medians of rounds count.
Takes about three minutes on two quiet cores. Exits 1 below a bound, 2 without the real pictures.
"""

import statistics
import sys

import numpy as np
from recipes import judged, real, run_cells

from helpers import datasets, training

EPOCHS, SIZE, BATCH = 30, 64, 32
ROUNDS, EPOCHS_RUN = 5, 4
IN_ALL, TRAINING_ALONE, AGREEMENT = 10, 20, 1e-4  # the bounds


def main() -> int:
    """Measure, print and judge."""
    data = real(datasets.find_car_plane)
    names = {"image_size": SIZE, "batch_size": BATCH, "class_names": list(data.class_names)}
    cells = ("load_pictures", "vgg_input", "head_network", "vgg_features", "seconds_an_epoch")
    lesson = run_cells("06-vgg16-transfer-car-plane", *(f"def {cell}(" for cell in cells), **names)
    keras = lesson["keras"]
    x, y = lesson["load_pictures"](data.train, SIZE)
    x_validation, _ = lesson["load_pictures"](data.validation, SIZE)
    training.set_seed(0)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    base.trainable = False

    def extract() -> tuple[float, np.ndarray, np.ndarray]:
        with training.stopwatch() as watch:
            found = [lesson["vgg_features"](base, pictures) for pictures in (x, x_validation)]
        return watch.seconds, *found

    def head():
        training.set_seed(0)
        return lesson["head_network"](features)

    _, features, features_validation = extract()  # Keras prepares
    prepared, times = lesson["vgg_input"](x), {"extraction": [], "head": [], "with base": []}
    for round_number in range(ROUNDS):  # in turns, so that a busy moment hits all alike
        times["extraction"].append(extract()[0])
        trained = head()
        times["head"].append(EPOCHS * lesson["seconds_an_epoch"](trained, features, y, EPOCHS))
        slow = keras.Sequential([keras.Input(x.shape[1:]), base, head()])
        times["with base"].append(EPOCHS * lesson["seconds_an_epoch"](slow, prepared, y, EPOCHS_RUN))
        print(f"round {round_number + 1}:", *(f"{name} {row[-1]:.2f} s" for name, row in times.items()))
    whole = keras.Sequential([keras.Input(x.shape[1:]), base, trained])
    by_pictures = whole.predict(lesson["vgg_input"](x_validation), batch_size=BATCH, verbose=0)
    by_features = trained.predict(features_validation, batch_size=BATCH, verbose=0)
    difference = float(np.abs(by_pictures - by_features).max())

    once, alone, slow = (statistics.median(values) for values in times.values())
    in_all, training_alone = slow / (once + alone), slow / alone
    reached = in_all >= IN_ALL and training_alone >= TRAINING_ALONE and difference <= AGREEMENT
    print(f"base in every epoch: {slow:.2f} s; features once: {once:.2f} s; the head: {alone:.2f} s")
    print(f"largest difference of two probabilities {difference:.1e} (bound {AGREEMENT:.0e})")
    line = f"ratio={in_all:.2f} in all (bound {IN_ALL}), {training_alone:.1f} for the training alone "
    return judged(reached, line + f"(bound {TRAINING_ALONE})")


if __name__ == "__main__":
    sys.exit(main())

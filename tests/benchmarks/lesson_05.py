"""Lesson 5's bar: the better network against the source's thirty epochs, on the real pictures.

    COURSE_DATA_DIR=... python tests/benchmarks/lesson_05.py

Runs the very recipe cells of notebook 5a (tag `recipe`): a few epochs of the source's recipe before and
after, and between them the better network by its own recipe, with few enough epochs. All train on every
training picture. The source's thirty epochs are not run again: its seconds are those of the median epoch
(the first of each training, in which TensorFlow prepares itself, left out) times thirty, its accuracy is the
one that is stored in data/results/05a.json. The better network's seconds count every epoch, and reading its
pictures, clean and worn. Its accuracy in the full profile, the median of three seeds, is read there as well.
Takes about ten minutes on two quiet cores. Exits 1 below a bound, 2 without the pictures.
"""

import statistics
import sys
import time
from typing import Any

from recipes import judged, real, run_cells

from helpers import datasets, evaluation, published, training

SOURCE_EPOCHS, EPOCHS_TIMED, BETTER_EPOCHS = 30, 3, 14
MOST_PARAMETERS = 500_000
LOWEST_ACCURACY = 0.88  # of the better network in the full profile, median of three seeds
LARGEST_SHARE = 1 / 3  # of the source's seconds, to reach the source's accuracy


def source_seconds(lesson: dict[str, Any], epochs: int) -> list[float]:
    """Train the source's network for a few epochs; seconds of each but the first."""
    training.set_seed(0)
    network, ends, steps = lesson["source_network"](), [], lesson["steps_an_epoch"](lesson["answers"])
    lesson["compile_better"](network, epochs * steps, **lesson["AS_THE_SOURCE"])
    pictures = lesson["kept"](lesson["files"], side=150)
    pictures = lesson["pieces"](pictures, None, lesson["answers"], [150] * epochs, cut=False)
    clock = lesson["keras"].callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    network.fit(pictures, epochs=epochs, steps_per_epoch=steps, callbacks=[clock], verbose=0, shuffle=False)
    return [end - start for start, end in zip(ends[:-1], ends[1:], strict=True)]


def better(lesson: dict[str, Any], epochs: int) -> tuple[float, float, int]:
    """Train the better network by its recipe; its seconds, its test accuracy and its parameters."""
    training.set_seed(0)
    body, steps = lesson["better_body"](), lesson["steps_an_epoch"](lesson["answers"])
    lesson["compile_better"](body, epochs * steps)
    start = time.perf_counter()
    copies = [lesson["kept"](lesson["files"], how) for how in (None, lesson["VARIED"])]
    pictures = lesson["pieces"](*copies, lesson["answers"], lesson["growing"](epochs))
    lesson["train"]("better", body, pictures, epochs, steps)
    seconds = time.perf_counter() - start
    test = lesson["stream"](lesson["test_files"], lesson["test_answers"])
    labels, probabilities = evaluation.predict_dataset(lesson["in_use"](body), test)
    return seconds, float((probabilities.argmax(axis=1) == labels).mean()), body.count_params()


def main() -> int:
    """Measure, print and judge."""
    stored, scenes = published.load_result("05a"), real(datasets.find_intel_scenes)
    if scenes.info.counts != stored["data"]["counts"]:
        print(f"the stored result is of other pictures: {stored['data']['counts']}")
        return 2

    names = {"seed": 0, "batch_size": 32, "learning_rate": 0.001, "kind": scenes.info.kind}
    lesson = run_cells("05a-a-better-scene-network", **names, class_names=list(scenes.class_names))
    for part, prefix in ((scenes.train, ""), (scenes.test, "test_")):
        folder = datasets.usable_pictures(part, scenes.class_names).folder
        lesson[f"{prefix}files"], lesson[f"{prefix}answers"] = lesson["list_pictures"](folder)
    epochs = source_seconds(lesson, EPOCHS_TIMED)
    seconds, accuracy, parameters = better(lesson, BETTER_EPOCHS)
    epochs += source_seconds(lesson, EPOCHS_TIMED)

    source = SOURCE_EPOCHS * statistics.median(epochs)
    goal = stored["runs"]["source"][0]["test_accuracy"]
    full = statistics.median(run["test_accuracy"] for run in stored["runs"]["better"])
    parameters = max(parameters, *(run["parameter_count"] for run in stored["runs"]["better"]))
    checks = {
        f"{parameters:,} parameters, at most {MOST_PARAMETERS:,}": parameters <= MOST_PARAMETERS,
        f"full profile: test accuracy {full:.4f} (bound {LOWEST_ACCURACY})": full >= LOWEST_ACCURACY,
        f"{BETTER_EPOCHS} epochs: test accuracy {accuracy:.4f} (goal {goal:.4f})": accuracy >= goal,
        f"{seconds / source:.2f} of the time (bound {LARGEST_SHARE:.2f})": seconds / source <= LARGEST_SHARE,
    }
    for line, reached in checks.items():
        print(f"better: {line}: {'reached' if reached else 'MISSED'}")
    return judged(all(checks.values()), f"ratio={seconds / source:.3f} of the source's {source:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

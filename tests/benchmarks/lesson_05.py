"""Lesson 5's bar: the better network against the source's thirty epochs, on the real pictures.

    COURSE_DATA_DIR=... python tests/benchmarks/lesson_05.py

Runs the very recipe cells of the notebook (tag `recipe`): a few epochs of the source's recipe before and
after, and between them the better network by its own recipe, with few enough epochs. All train on every
training picture. The source's thirty epochs are not run again: its seconds are those of the median epoch
(the first of each training, in which TensorFlow prepares itself, left out) times thirty, its accuracy is the
one that the full profile stored in data/results/05.json. The better network's seconds count every epoch.
Its accuracy in the full profile, the median over three seeds, is read there as well. Test pictures are
only reported on; nothing is chosen by them.
Takes about ten minutes on two quiet cores. Exits 1 below a bound, 2 without the pictures or the result.
"""

import argparse
import ast
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from helpers import COURSE_FOLDER, CourseError, bookkeeping, datasets, evaluation, published, training

STEM = "05-intel-scenes-cnn"
SOURCE_EPOCHS = 30
MOST_PARAMETERS = 500_000
LOWEST_ACCURACY = 0.88  # of the better network in the full profile, median of three seeds
LARGEST_SHARE = 1 / 3  # of the source's seconds, to reach the source's accuracy


def is_definition(statement: ast.stmt) -> bool:
    """Whether a statement defines a function, a class or a CONSTANT, and so trains nothing."""
    if isinstance(statement, ast.Assign):
        names = [
            name for target in statement.targets for name in ast.walk(target) if isinstance(name, ast.Name)
        ]
        return all(name.id.isupper() for name in names)
    return isinstance(statement, ast.FunctionDef | ast.ClassDef)


def recipes(scenes: datasets.ImageFolders) -> dict[str, Any]:
    """Return what the notebook's imports and recipe cells define, and the files of both parts."""
    notebook = json.loads((COURSE_FOLDER / "notebooks" / f"{STEM}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {
        **{"seed": 0, "batch_size": 32, "learning_rate": 0.001},
        **{"class_names": list(scenes.class_names), "kind": scenes.info.kind},
    }
    for cell in cells:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if "import tensorflow as tf" in source:
            exec(source, names)
        elif "recipe" in tags or "def list_pictures(" in source:
            module = ast.parse(source)
            module.body = [statement for statement in module.body if is_definition(statement)]
            exec(compile(module, STEM, "exec"), names)
    for part in ("train", "test"):
        folder = datasets.usable_pictures(getattr(scenes, part), scenes.class_names).folder
        _, names[f"{part}_files"], names[f"{part}_answers"] = names["list_pictures"](folder)
    return names


def epoch_clock() -> Any:
    """A Keras callback that keeps the seconds of each epoch."""
    import keras

    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seconds = []

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds.append(time.perf_counter() - self.start)

    return Clock()


def source_seconds(lesson: dict[str, Any], epochs: int) -> list[float]:
    """Train the source's network for a few epochs; seconds of each but the first."""
    training.set_seed(0)
    network, clock = lesson["source_network"](), epoch_clock()
    lesson["compile_source"](network)
    pictures = lesson["training_stream"](lesson["train_files"], lesson["train_answers"])
    lesson["train"]("source", network, pictures, epochs, [clock])
    return clock.seconds[1:]


def better(lesson: dict[str, Any], epochs: int) -> tuple[float, float, int]:
    """Train the better network by its recipe; its seconds, its test accuracy and its parameters."""
    training.set_seed(0)
    body = lesson["better_network"]()
    pictures = lesson["one_hot"](lesson["pieces"](lesson["train_files"], lesson["train_answers"]))
    lesson["compile_better"](body, epochs * len(pictures))
    _, seconds = lesson["train"]("better", body, pictures, epochs)
    test = lesson["stream"](lesson["test_files"], lesson["test_answers"])
    labels, probabilities = evaluation.predict_dataset(lesson["in_use"](body), test)
    return seconds, float((probabilities.argmax(axis=1) == labels).mean()), body.count_params()


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description="Lesson 5's bar.")
    parser.add_argument("--source-epochs", type=int, default=3, help="epochs timed, the first left out")
    parser.add_argument("--better-epochs", type=int, default=10, help="epochs of the better network")
    parser.add_argument("--results", type=Path, default=published.RESULTS_FOLDER, help="folder of 05.json")
    options = parser.parse_args()
    try:
        stored = published.load_result("05", options.results)
        if not stored:
            print("data/results/05.json is not there: run the full profile of lesson 5 first")
            return 2
        scenes = datasets.find_intel_scenes("real")
    except CourseError as error:
        print(error)
        return 2
    if scenes.info.counts != stored["data"]["counts"]:
        print(f"the stored result is of other pictures: {stored['data']['counts']}")
        return 2

    start = time.perf_counter()
    with training.quiet_import():
        import keras
    lesson = recipes(scenes)
    epochs = source_seconds(lesson, options.source_epochs)
    keras.backend.clear_session()
    seconds, accuracy, parameters = better(lesson, options.better_epochs)
    keras.backend.clear_session()
    epochs += source_seconds(lesson, options.source_epochs)

    an_epoch = statistics.median(epochs)
    share = seconds / (SOURCE_EPOCHS * an_epoch)
    long_source, *_ = stored["runs"]["source"]
    goal = long_source["test_accuracy"]
    full = sorted(run["test_accuracy"] for run in stored["runs"]["better"])
    checks = {
        f"{parameters:,} parameters, at most {MOST_PARAMETERS:,}": parameters <= MOST_PARAMETERS,
        f"full profile, median of {len(full)} seeds: test accuracy {statistics.median(full):.4f} "
        f"(bound {LOWEST_ACCURACY})": statistics.median(full) >= LOWEST_ACCURACY,
        f"{options.better_epochs} epochs: test accuracy {accuracy:.4f} (the source's {goal:.4f})": accuracy
        >= goal,
        f"{seconds:.0f} s = {share:.2f} of the source's time (bound {LARGEST_SHARE:.2f})": share
        <= LARGEST_SHARE,
    }
    print(
        f"source: {an_epoch:.1f} s an epoch (median of {len(epochs)}), so {SOURCE_EPOCHS * an_epoch:.0f} s "
        f"for {SOURCE_EPOCHS}; measured earlier, full profile, {stored['measured']}: "
        f"{long_source['train_seconds']:.0f} s for {long_source['epochs']}, test accuracy {goal:.4f}"
    )
    for line, reached in checks.items():
        print(f"better: {line}: {'reached' if reached else 'MISSED'}")
    print(
        f"all of it: {time.perf_counter() - start:.0f} s, peak memory {bookkeeping.peak_memory_mb():,.0f} MB"
    )
    reached = all(checks.values())
    print(
        f"ratio={share:.3f} of the source's {SOURCE_EPOCHS * an_epoch:.0f} s (better network: {accuracy:.4f} "
        f"in {seconds:.0f} s, source: {goal:.4f}; full profile {statistics.median(full):.4f}, "
        f"{parameters:,} parameters; {scenes.info.kind} set; "
        f"{'all bounds reached' if reached else 'BELOW A BOUND'})"
    )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

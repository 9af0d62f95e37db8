"""Bookkeeping around a lesson: parameters, seeds, time, memory, progress and the metrics file.

What is trained, and how, stands in the notebooks. Importing this module loads neither TensorFlow
nor matplotlib, pandas or scikit-learn.
"""

import contextlib
import ctypes
import datetime
import hashlib
import importlib.metadata
import json
import logging
import math
import os
import platform
import random
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers import CourseError

COURSE_FOLDER = Path(__file__).resolve().parent.parent
RESULTS_FOLDER = COURSE_FOLDER / "data" / "results"
MODELS_FOLDER = COURSE_FOLDER / "data" / "models"
UNFINISHED_FOLDER = COURSE_FOLDER / "runs" / "unfinished"


# --- parameters ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, both allowed."""

    low: int
    high: int

    def fits(self, value: Any) -> bool:
        """Say whether the value is allowed (True and False are no numbers here)."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Number:
    """A finite number above `above` and at most `high`."""

    above: float
    high: float

    def fits(self, value: Any) -> bool:
        """Say whether the value is allowed (True, False, NaN and infinity are not)."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value) and self.above < value <= self.high

    def __str__(self) -> str:
        return f"a number above {self.above:g} and at most {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def fits(self, value: Any) -> bool:
        """Say whether the value is one of the words."""
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return "one of " + ", ".join(f'"{word}"' for word in self.words)


@dataclass(frozen=True)
class Text:
    """Any text; `meaning` says what it stands for."""

    meaning: str

    def fits(self, value: Any) -> bool:
        """Say whether the value is text."""
        return isinstance(value, str)

    def __str__(self) -> str:
        return f"text: {self.meaning}"


@dataclass(frozen=True)
class Switch:
    """True or False."""

    def fits(self, value: Any) -> bool:
        """Say whether the value is True or False."""
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "True or False"


Rule = Whole | Number | Choice | Text | Switch

RULES: dict[str, Rule] = {
    "data_source": Choice(("auto", "real", "sample")),
    "seed": Whole(0, 2**32 - 1),
    "metrics_path": Text("the JSON file to write the lesson's numbers to, or nothing"),
    "epochs": Whole(1, 1_000),
    "batch_size": Whole(1, 4_096),
    "learning_rate": Number(0, 100),
    "image_size": Whole(32, 512),
    "images_per_class": Whole(5, 100_000),
    "test_images_per_class": Whole(1, 100_000),
    "training_pictures": Whole(100, 1_000_000),
    "compact_epochs": Whole(1, 1_000),
    "better_epochs": Whole(1, 1_000),
    "long_comparison": Switch(),
    "own_digit": Text("the path of a picture file of one digit, or nothing"),
    "own_pictures": Text("a folder of your own photographs, or nothing"),
    "steps": Whole(1, 100_000),
    "repeats": Whole(1, 100),
    "weights": Text('"imagenet", "random" or the path of a weights file'),
}


def check_parameter(name: str, value: Any, rule: Rule | None = None) -> None:
    """Stop with one line when a lesson's parameter has an unknown name, a wrong type or an impossible value.

    `rule` replaces the course-wide rule of that name in `RULES`. Raises `CourseError`.
    """
    rule = rule or RULES.get(name)
    if rule is None:
        raise CourseError(f"unknown parameter {name}: known are {', '.join(sorted(RULES))}")
    if not rule.fits(value):
        raise CourseError(f"{name}={value!r} is not allowed: {name} must be {rule}")


# --- seeds, time, memory -------------------------------------------------------------------------


def set_seed(seed: int) -> None:
    """Make random numbers repeatable: Python's, NumPy's and, where Keras is loaded, Keras's as well.

    With Keras loaded TensorFlow is also asked for operations that add up in a fixed order, so that two
    runs on one machine agree to the last digit.
    """
    random.seed(seed)
    np.random.seed(seed)
    if "keras" in sys.modules:
        import keras

        keras.utils.set_random_seed(seed)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Keep what TensorFlow writes while it is imported out of the notebook.

    Use: `with quiet_import(): import keras`.

    TensorFlow 2.21 tells of missing graphics cards before it reads `TF_CPP_MIN_LOG_LEVEL`, straight to
    file descriptor 2, past `sys.stderr`. Errors of Python still come through. Afterwards TensorFlow's own
    logger tells of errors only: it warns of every sixth network, because a lesson has several.
    """
    _give_memory_back()
    try:
        kept = os.dup(2)
    except OSError:  # no such descriptor, as in some services of Windows: nothing to silence
        yield
        return
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _give_memory_back() -> None:
    """Let the C library return large blocks to the system when they are freed.

    Left alone, glibc keeps ever larger blocks for itself; batches of photographs come and go in such blocks.
    Forty megabytes less in lesson 5. Elsewhere (Windows, macOS) nothing happens.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # musl, the other C library of Linux, has no mallopt
        c_library = ctypes.CDLL(None)
        c_library.mallopt(-3, 131_072)  # M_MMAP_THRESHOLD, in bytes
        c_library.mallopt(-8, 2)  # M_ARENA_MAX


class Stopwatch:
    """Seconds of wall-clock time between entering and leaving a `with` block."""

    def __init__(self) -> None:
        self.seconds = 0.0


@contextlib.contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measure a block: `with stopwatch() as watch: ...`, then read `watch.seconds`."""
    watch = Stopwatch()
    start = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - start


def peak_memory_mb() -> float:
    """Return the largest memory (resident set, in MB of 10**6 bytes) this process has had so far."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def progress(label: str) -> Any:
    """Return a Keras callback that tells of training in one line that overwrites itself.

    The line goes to standard output and stays as one line in the notebook:
    label, epoch, loss and accuracy, those of validation if there are any, seconds so far.
    """
    import keras

    class Progress(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.start = self.last = time.perf_counter()
            self.epoch, self.width = 0, 0

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch + 1

        def on_train_batch_end(self, batch, logs=None):
            if time.perf_counter() - self.last > 1:
                steps = self.params.get("steps") or 0
                self.say(f"batch {batch + 1}" + (f"/{steps}" if steps else ""), logs)

        def on_epoch_end(self, epoch, logs=None):
            self.say("", logs)

        def on_train_end(self, logs=None):
            print(flush=True)

        def say(self, where, logs):
            self.last = time.perf_counter()
            shown = [
                f"{name.replace('val_', 'validation ')} {value:.4f}"
                for name, value in (logs or {}).items()
                if name in ("loss", "accuracy", "val_loss", "val_accuracy")
            ]
            head = f"{label}: epoch {self.epoch}/{self.params['epochs']}"
            line = "  ".join(part for part in (head, where, *shown) if part)
            line += f"  ({self.last - self.start:.0f} s)"
            print("\r" + line.ljust(self.width), end="", flush=True)
            self.width = len(line)

    return Progress()


# --- the lesson and its metrics file -------------------------------------------------------------


def versions() -> dict[str, str]:
    """Return the versions that a lesson's numbers depend on: Python and the libraries now loaded."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "keras"):
        if name.replace("scikit-learn", "sklearn") in sys.modules:
            found[name] = importlib.metadata.version(name)
    return found


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all; NaN and infinity become null.

    Raises `CourseError` naming the file when it cannot be written.
    """
    path = Path(path)
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n"
    scratch = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=path.name, suffix=".tmp", delete=False, encoding="utf-8"
        ) as file:
            scratch = Path(file.name)
            file.write(text)
        # temporary files are for their owner alone; a results file is for whoever may read the folder
        scratch.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        scratch.replace(path)
    except OSError as error:
        if scratch is not None:
            scratch.unlink(missing_ok=True)
        raise CourseError(
            f"{path} cannot be written ({error.strerror or error}): choose a file in a writable folder"
        ) from error


def _plain(value: Any) -> Any:
    """Turn NumPy numbers and arrays, tuples and paths into what JSON knows."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


NETWORK_METRICS = (
    "train_seconds",
    "validation_accuracy",
    "test_accuracy",
    "test_loss",
    "macro_f1",
)


@dataclass
class Lesson:
    """One run of one lesson: its parameters, its data, its networks and what they reached."""

    stem: str
    parameters: dict[str, Any]
    data: dict[str, Any] | None = None
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    start: float = field(default_factory=time.perf_counter)

    def use_data(self, info: Any) -> None:
        """Note which pictures the lesson uses: a `helpers.datasets.DatasetInfo`."""
        self.data = {"name": info.name, "kind": info.kind, "counts": dict(info.counts)}

    def record_network(self, name: str, *, weights: str, parameter_count: int, **metrics: float) -> None:
        """Note what one network reached.

        `weights` is "random" (trained from a random start), "imagenet", "file", "course" or
        "unavailable" (could not be had: leave the metrics out). `metrics` are any of train_seconds (s),
        validation_accuracy, test_accuracy, macro_f1 (0 to 1) and test_loss (at least 0).
        """
        unknown = set(metrics) - set(NETWORK_METRICS)
        if unknown:
            raise TypeError(f"unknown metrics {sorted(unknown)}: known are {NETWORK_METRICS}")
        row = {"weights": weights, "parameter_count": int(parameter_count)}
        self.networks[name] = row | {key: float(value) for key, value in metrics.items()}

    def finish(self) -> None:
        """Say what the lesson cost and, when `metrics_path` is set, write its numbers there."""
        seconds, memory = time.perf_counter() - self.start, peak_memory_mb()
        print(f"This lesson took {seconds:.0f} s and at most {memory:,.0f} MB of memory on this machine.")
        if self.parameters.get("metrics_path"):
            content = {
                "lesson": self.stem,
                "parameters": self.parameters,
                "data": self.data,
                "networks": self.networks,
                "seconds": round(seconds, 2),
                "peak_rss_mb": round(memory, 1),
                "versions": versions(),
            }
            write_json(Path(self.parameters["metrics_path"]), content)


def start_lesson(stem: str, limits: dict[str, Rule] | None = None, /, **parameters: Any) -> Lesson:
    """Check all parameters of a lesson, set the seed and start its clock.

    `stem` is the notebook's file name without its ending; `limits` narrows the rule of a parameter for
    this lesson. Raises `CourseError` before anything is trained: for a value that is not allowed, and
    for a `metrics_path` that could not be written at the end.
    """
    for name, value in parameters.items():
        check_parameter(name, value, (limits or {}).get(name))
    if parameters.get("metrics_path"):
        _check_writable(Path(parameters["metrics_path"]))
    set_seed(parameters.get("seed", 0))
    return Lesson(stem, dict(parameters))


def _check_writable(path: Path) -> None:
    """Find out now, not after an hour of training, that a file cannot be written."""
    reason = None
    if path.is_dir():
        reason = "it is a folder"
    elif not path.parent.is_dir():
        reason = "its folder does not exist"
    else:
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
            if path.exists() and not os.access(path, os.W_OK):
                reason = "the file is read-only"
        except OSError as error:
            reason = error.strerror or str(error)
    if reason:
        raise CourseError(
            f"metrics_path={str(path)!r} cannot be written ({reason}): choose a file in a writable folder"
        )


# --- stored results of the full profile ----------------------------------------------------------


def recipe_hash(notebook: Path) -> str:
    """Return a fingerprint (SHA-256, 16 hex digits) of the cells tagged `recipe` in a notebook file.

    Blank lines and blanks at line ends do not count. A stored result names the recipe it came from;
    a test compares.
    """
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    sources = [
        "".join(cell["source"]) for cell in cells if "recipe" in cell.get("metadata", {}).get("tags", [])
    ]
    lines = [line.rstrip() for source in sources for line in source.splitlines() if line.strip()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def notebook_path(stem: str) -> Path:
    """Return the notebook file of a lesson, whatever the current folder is."""
    return COURSE_FOLDER / "notebooks" / f"{stem}.ipynb"


def store_result(lesson: Lesson, result: dict[str, Any], folder: Path = RESULTS_FOLDER) -> Path:
    """Write `data/results/NN.json`: a full-profile result with date, versions, data and recipe.

    Returns the file. Raises `CourseError` when the lesson did not run on real pictures: the numbers of a
    sample are never published.
    """
    if lesson.data is None or lesson.data["kind"] == "sample":
        raise CourseError("a result on the built-in sample is not stored: run with real pictures")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{lesson.stem[:2]}.json"
    head = {
        "lesson": lesson.stem,
        "measured": datetime.date.today().isoformat(),
        "recipe": recipe_hash(notebook_path(lesson.stem)),
        "versions": versions(),
        "data": lesson.data,
        "parameters": {key: value for key, value in lesson.parameters.items() if key != "metrics_path"},
    }
    write_json(path, head | result)
    _unfinished(lesson).unlink(missing_ok=True)
    return path


def remembered(lesson: Lesson, name: str, experiment: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run one experiment of a long comparison, or take what an interrupted run has measured already.

    `experiment` takes nothing and returns what JSON can hold. Results wait in `runs/unfinished/` until
    `store_result` has written the whole comparison; they serve only the same recipe cells, parameters,
    pictures and versions. On the built-in sample, which is quick, nothing is kept.
    """
    if lesson.data is None or lesson.data["kind"] == "sample":
        return _plain(experiment())
    path = _unfinished(lesson)
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if name in found:
        print(f"{name}: measured before the last run was interrupted")
    else:
        found[name] = _plain(experiment())
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, found)
    return found[name]


def unfinished_file(lesson: Lesson, name: str) -> Path:
    """Return where something of an unfinished long comparison waits, such as a trained network.

    `name` is the file's own name with its ending. The same recipe cells, parameters, pictures and versions
    lead to the same file, as with `remembered`; its folder is made. Whoever uses it removes it.
    """
    path = _unfinished(lesson)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.stem}-{name}")


def _unfinished(lesson: Lesson) -> Path:
    """Return the file where the finished experiments of an unfinished run wait."""
    parameters = {key: value for key, value in lesson.parameters.items() if key != "metrics_path"}
    what = [recipe_hash(notebook_path(lesson.stem)), parameters, lesson.data, versions()]
    key = hashlib.sha256(json.dumps(_plain(what), sort_keys=True).encode()).hexdigest()[:12]
    return UNFINISHED_FOLDER / f"{lesson.stem}-{key}.json"


def store_network(
    lesson: Lesson,
    network: Any,
    name: str,
    file: str,
    class_names: Iterable[str],
    folder: Path = MODELS_FOLDER,
) -> Path:
    """Save a trained network as `data/models/FILE.keras`, and what is known about it as `FILE.json`.

    The JSON holds the metrics of `name` (recorded before with `record_network`), the names of the classes in
    the order of the outputs, and the SHA-256 of the network's file. Returns the network's file. Raises
    `CourseError` when the lesson did not run on real pictures.
    """
    if lesson.data is None or lesson.data["kind"] == "sample":
        raise CourseError("a network trained on the built-in sample is not stored: run with real pictures")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file}.keras"
    network.save(path)
    _open_to_older_keras(path)
    content = {
        "lesson": lesson.stem,
        "parameters": {key: value for key, value in lesson.parameters.items() if key != "metrics_path"},
        "data": lesson.data,
        "networks": {name: lesson.networks[name]},
        "measured": datetime.date.today().isoformat(),
        "recipe": recipe_hash(notebook_path(lesson.stem)),
        "versions": versions(),
        "class_names": [str(label) for label in class_names],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    write_json(path.with_suffix(".json"), content)
    return path


# Settings that Keras 3.13 (which Colab has) does not know yet, with the defaults that change nothing.
NEWER_SETTINGS = {
    "input_axes": None,
    "output_axes": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "quantization_config": None,
}


def _open_to_older_keras(path: Path) -> None:
    """Leave newer settings that stand at their defaults out of a `.keras` file.

    Keras 3.13 refuses a file for the mere name of a setting that it does not know.
    """

    def without_defaults(value: Any) -> Any:
        if isinstance(value, list):
            return [without_defaults(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: without_defaults(item)
            for key, item in value.items()
            if key not in NEWER_SETTINGS or item != NEWER_SETTINGS[key]
        }

    with zipfile.ZipFile(path) as archive:
        parts = [(part, archive.read(part)) for part in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts:
            if part.filename == "config.json":
                content = json.dumps(without_defaults(json.loads(content))).encode()
            archive.writestr(part, content)


def load_result(lesson_number: str, folder: Path = RESULTS_FOLDER) -> dict[str, Any] | None:
    """Return what the full profile measured earlier for a lesson ("04"), or None when nothing is stored."""
    path = folder / f"{lesson_number}.json"
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CourseError(f"data/results/{path.name} is damaged: restore it from the repository") from error

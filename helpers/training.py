"""Around a training: the seed, a quiet import, a stopwatch, progress, and going on after an interruption.

What is trained, and how, stands in the notebooks.
"""

import contextlib
import ctypes
import hashlib
import importlib.metadata
import inspect
import io
import json
import logging
import os
import platform
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from helpers import COURSE_FOLDER, CourseError
from helpers.files import plain, write_bytes, write_json

UNFINISHED_FOLDER = COURSE_FOLDER / "runs" / "unfinished"

# Of each training, by its label in `progress`: what Keras reported after every epoch (loss, accuracy, ...).
histories: dict[str, list[dict[str, float]]] = {}


def set_seed(seed: int) -> None:
    """Make random numbers repeatable: Python's, NumPy's and, where Keras is loaded, Keras's as well.

    TensorFlow then also adds up in a fixed order: two runs on one machine agree to the last digit.
    """
    random.seed(seed)
    np.random.seed(seed)
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(seed)
        if "tensorflow" in sys.modules:
            sys.modules["tensorflow"].config.experimental.enable_op_determinism()


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Keep out of the notebook what TensorFlow writes at its import: `with quiet_import(): import keras`.

    TensorFlow 2.21 reports missing graphics cards before it reads `TF_CPP_MIN_LOG_LEVEL`, straight to
    file descriptor 2, past `sys.stderr`. Python's errors still come through. Afterwards TensorFlow's own
    logger reports errors only: it warns about every sixth network, because a lesson has several. Where
    memory is scarce, as on Binder, the first import prints a line that says what helps.
    """
    _spare_memory()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _spare_memory() -> None:
    """Where MEM_LIMIT (Binder sets it) is under 4 GB, say what helps, and have TensorFlow give memory back.

    Its own pool keeps all that it has ever held: in lesson 5 that is 290 MB more, and 40% less work.
    """
    limit = os.environ.get("MEM_LIMIT", "")
    if limit.isdigit() and int(limit) < 4e9:
        if "tensorflow" not in sys.modules:
            scarce = f"Only {int(limit) / 2**30:.2g} GB of memory, as on Binder"
            print(f"{scarce}: shut down the other lessons' kernels, and allow twice the time.")
        os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")
        with contextlib.suppress(OSError, AttributeError, TypeError):  # only glibc has it
            # M_MMAP_THRESHOLD: larger blocks go back when they are freed
            ctypes.CDLL(None).mallopt(-3, 2**20)


@contextlib.contextmanager
def stopwatch() -> Iterator[SimpleNamespace]:
    """Measure a training (wall clock, s): `with stopwatch() as watch: ...`, then read `watch.seconds`.

    A student who stops it gets one line (`CourseError`) in place of TensorFlow's traceback.
    """
    start, watch = time.perf_counter(), SimpleNamespace(seconds=0.0)
    try:
        yield watch
    except KeyboardInterrupt:
        seconds = time.perf_counter() - start
        raise CourseError(f"stopped after {seconds:.0f} s; run this cell again") from None
    finally:
        watch.seconds = time.perf_counter() - start


def trained(
    lesson: Any,
    name: str,
    fit: Callable,
    network: Any,
    *arguments: Any,
    recipe: Any = (),
    fresh: bool = False,
) -> tuple[dict[str, list[float]], float]:
    """Train a network and return its record and its seconds; one that a lost kernel trained is taken back.

    `fit(network, *arguments)` trains it and returns what `network.fit` returned. Weights, record and seconds
    go to the course's cache. They come back where all is the same: `fit` and the functions in `recipe`, the
    arguments (arrays, texts), the lesson's parameters and pictures, versions, the network and its start
    weights. `fresh=True` trains in any case. Nothing is kept on the built-in sample, which is quick, nor
    where the lesson's numbers are written to a file (`metrics_path`): there every number is measured anew.
    """
    import keras

    if (precision := keras.config.dtype_policy().name) != "float32":
        print(f"{name}: this machine computes in {precision}, not float32: expect slightly other numbers")
    measured = lesson.parameters.get("metrics_path") or lesson.data is None or lesson.data["kind"] == "sample"
    path = None if measured else _kept_file(lesson, name, network, (fit, *recipe, *arguments))
    if path and not fresh and (kept := _take_back(path, name, network)):
        lesson.stored.add(name)
        same = "of the same recipe, pictures and seed; fresh=True trains"
        print(f"{name}: stored, from {kept[1]:.0f} s {same}")
        return kept
    with stopwatch() as watch:
        record = fit(network, *arguments)
    record = getattr(record, "history", record)
    if path:
        content = io.BytesIO()
        np.savez(
            content, np.array(json.dumps([record, watch.seconds], default=float)), *network.get_weights()
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, content.getvalue())
        except (CourseError, OSError) as error:
            reason = error.__context__ or error  # no path of the machine in a notebook
            print(f"{name}: not stored for a restart ({getattr(reason, 'strerror', reason)})")
    lesson.stored.discard(name)
    return record, watch.seconds


def _kept_file(lesson: Any, name: str, network: Any, recipe: Iterable[Any]) -> Path | None:
    """Return where a trained network lies: a path that names all that its training depends on."""
    from helpers.datasets import cache_folder

    built = network.to_json() + json.dumps(network.get_compile_config(), sort_keys=True, default=str)
    built = re.sub(r'"name": "[^"]*"', "", built)  # names count the networks built before
    about = [name, lesson.parameters, lesson.data, versions(), built]
    digest = hashlib.sha256(json.dumps(plain(about), sort_keys=True).encode())
    parts = [*recipe, *network.get_weights()]
    while parts:
        part = parts.pop()
        if isinstance(part, tuple):
            parts += part
            continue
        try:
            content = inspect.getsource(part).encode() if callable(part) else np.asarray(part).tobytes()
        except OSError:  # a function without a source: nothing can be said about it
            return None
        digest.update(content)
    return cache_folder() / "trained" / f"{lesson.stem}-{digest.hexdigest()[:16]}.npz"


def _take_back(path: Path, name: str, network: Any) -> tuple[dict[str, list[float]], float] | None:
    """Load a stored network's weights and return its record and seconds; None where there is none."""
    start = network.get_weights()
    try:
        with np.load(path, allow_pickle=False) as kept:
            about, *weights = (kept[key] for key in kept.files)
        record, seconds = json.loads(str(about))
        network.set_weights(weights)
        return record, float(seconds)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # zip, JSON and Keras have their own kinds
        network.set_weights(start)
        print(f"{name}: what the cache kept of it is damaged ({type(error).__name__}); it is trained anew")
        return None


def progress(label: str) -> Any:
    """Return a Keras callback that reports a training in one line of standard output that overwrites itself:
    label, epoch, loss and accuracy, those of validation if there are any, seconds so far.
    """
    import keras

    class Progress(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.start = self.last = time.perf_counter()
            self.epoch = self.width = 0
            histories[label] = []

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch + 1

        def on_train_batch_end(self, batch, logs=None):
            if time.perf_counter() - self.last > 1:
                self.say(f"  batch {batch + 1}/{self.params.get('steps') or '?'}", logs)

        def on_epoch_end(self, epoch, logs=None):
            histories[label].append({"epoch": epoch + 1, **(logs or {})})
            self.say("", logs)

        def on_train_end(self, logs=None):
            print(flush=True)

        def say(self, where, logs):
            self.last = time.perf_counter()
            line = f"{label}: epoch {self.epoch}/{self.params['epochs']}{where}"
            for name in ("accuracy", "loss", "val_accuracy", "val_loss"):
                if name in (logs or {}):
                    line += f"  {name.replace('val_', 'validation ')} {logs[name]:.4f}"
            line += f"  ({self.last - self.start:.0f} s)"
            print("\r" + line.ljust(self.width), end="", flush=True)
            self.width = len(line)

    return Progress()


def versions() -> dict[str, str]:
    """Return the versions that a lesson's numbers depend on: Python and the libraries now loaded."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "keras"):
        if name.replace("scikit-learn", "sklearn") in sys.modules:
            found[name] = importlib.metadata.version(name)
    return found


def recipe_hash(stem: str) -> str:
    """Return a fingerprint (SHA-256, 16 hex digits) of a lesson's cells that are tagged `recipe`.

    Blank lines and blanks at line ends do not count. A stored result names the recipe it came from.
    """
    path = COURSE_FOLDER / "notebooks" / f"{stem}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    recipes = [cell for cell in cells if "recipe" in cell.get("metadata", {}).get("tags", [])]
    sources = ["".join(cell["source"]) for cell in recipes]
    lines = [line.rstrip() for source in sources for line in source.splitlines() if line.strip()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def origin(lesson: Any) -> dict[str, Any]:
    """Return what a lesson's numbers come from: its recipe cells, versions, pictures and parameters."""
    parameters = {key: value for key, value in lesson.parameters.items() if key != "metrics_path"}
    about = {"recipe": recipe_hash(lesson.stem), "versions": versions()}
    return about | {"data": lesson.data, "parameters": parameters}


def unfinished_file(lesson: Any, name: str) -> Path:
    """Return the path of a file `name` that waits, as a trained network, for the end of a long comparison.

    All that one comparison leaves lies in one folder, named by its recipe cells, parameters, pictures and
    versions: a run with any other finds nothing of it. `forget` removes the folder.
    """
    key = hashlib.sha256(json.dumps(plain(origin(lesson)), sort_keys=True).encode()).hexdigest()[:12]
    folder = UNFINISHED_FOLDER / f"{lesson.stem}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def remembered(lesson: Any, name: str, experiment: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run one experiment of a long comparison, or take what an interrupted run has measured already.

    `experiment` takes nothing and returns what JSON can hold; that waits beside the files of
    `unfinished_file`. On the built-in sample, which is quick, nothing is kept. Raises `CourseError` when
    what was kept is damaged.
    """
    if lesson.data is None or lesson.data["kind"] == "sample":
        return plain(experiment())
    path = unfinished_file(lesson, "results.json")
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError:
        where = f"runs/unfinished/{path.parent.name}"
        raise CourseError(f"{where} is damaged: delete that folder and run again") from None
    if name in found:
        print(f"{name}: measured before the last run was interrupted")
    else:
        found[name] = plain(experiment())
        write_json(path, found)
    return found[name]


def forget(lesson: Any) -> None:
    """Remove what an unfinished long comparison has left, once its results are written elsewhere."""
    shutil.rmtree(unfinished_file(lesson, "results.json").parent, ignore_errors=True)

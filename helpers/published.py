"""For authors: the results and networks of the full profile that the course brings along."""

import datetime
import hashlib
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers import COURSE_FOLDER, CourseError
from helpers.files import write_json
from helpers.training import origin

RESULTS_FOLDER = COURSE_FOLDER / "data" / "results"
MODELS_FOLDER = COURSE_FOLDER / "data" / "models"


def load_result(lesson_number: str, folder: Path = RESULTS_FOLDER) -> dict[str, Any]:
    """Return what the full profile measured earlier for a lesson or deeper notebook ("04", "05a").

    Raises `CourseError` when the file is missing or damaged.
    """
    path = folder / f"{lesson_number}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        what = "damaged" if path.exists() else "missing"
        raise CourseError(f"data/results/{path.name} is {what}: restore it from the repository") from None


def load_network(path: Path) -> Any:
    """Return a stored network, ready to predict; it must consist of built-in layers (`safe_mode=True`).

    Raises `CourseError` when the file is missing, cut short, or not such a network.
    """
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever a damaged archive makes Keras, HDF5 or zipfile raise
        what = type(error).__name__ if path.exists() else "it is missing"
        ours = path.parent == MODELS_FOLDER
        remedy = "restore it from the repository" if ours else "delete it"
        raise CourseError(f"{path.parent.name}/{path.name} cannot be loaded ({what}): {remedy}") from None


def store_result(lesson: Any, result: dict[str, Any], folder: Path = RESULTS_FOLDER) -> Path:
    """Write `data/results/NN.json`: what the full profile measured, and on what; return its path.

    Raises `CourseError` when the lesson did not run on real pictures: no sample's numbers are published.
    """
    path = folder / f"{lesson.stem.partition('-')[0]}.json"
    write_json(path, _origin(lesson, folder) | result)
    return path


def store_network(
    lesson: Any, network: Any, name: str, file: str, class_names: Iterable[str], folder: Path = MODELS_FOLDER
) -> Path:
    """Save a trained network as `data/models/FILE.keras`, and what is known about it as `FILE.json`.

    The JSON holds the metrics of `name` (recorded before with `record_network`), the names of the classes in
    the order of the outputs, and the SHA-256 of the network's file. Errors as `store_result`.
    """
    card = _origin(lesson, folder)
    path = folder / f"{file}.keras"
    network.save(path)
    _open_to_older_keras(path)
    card["networks"] = {name: lesson.networks[name]}
    card["class_names"] = [str(label) for label in class_names]
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_json(path.with_suffix(".json"), card)
    return path


def _origin(lesson: Any, folder: Path) -> dict[str, Any]:
    """Return what a result came from; make its folder."""
    if lesson.data is None or lesson.data["kind"] == "sample":
        raise CourseError("nothing measured on the built-in sample is stored: run with real pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return {"lesson": lesson.stem, "measured": datetime.date.today().isoformat()} | origin(lesson)


# Settings that Keras 3.13 (which Colab has) does not know yet, with the defaults that change nothing:
# it refuses a file for the mere name.
NEWER_SETTINGS = {"input_axes": None, "output_axes": None, "quantization_config": None}
NEWER_SETTINGS |= {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}


def _open_to_older_keras(path: Path) -> None:
    """Leave newer settings that stand at their defaults out of a `.keras` file."""

    def without_defaults(settings: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in settings.items() if (key, value) not in NEWER_SETTINGS.items()}

    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"], object_hook=without_defaults)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | {"config.json": json.dumps(config)}).items():
            archive.writestr(name, content)

"""Tiny lessons for the tests of the command line: no TensorFlow, a second each."""

import json
from pathlib import Path

PARAMETERS = """data_source: str = "auto"  # auto, real or sample
seed: int = 0  # start of all random numbers
metrics_path: str = ""  # where the metrics go
epochs: int = 2  # how often all pictures are seen
learning_rate: float = 0.1  # size of a step
"""

START = """import time
from types import SimpleNamespace
from helpers import CourseError, bookkeeping, training
lesson = bookkeeping.start_lesson(
    "{stem}", data_source=data_source, seed=seed, metrics_path=metrics_path,
    epochs=epochs, learning_rate=learning_rate,
    rules={{"epochs": (1, 1_000), "learning_rate": (0.0, 100.0)}},
)"""

NETWORK = """info = SimpleNamespace(name="dots", kind="{kind}", counts={{"train": 3}})
lesson.use_data(info)
lesson.record_network("tiny", weights="{weights}", parameter_count=1234, test_accuracy=0.5)"""

PICTURE = """import base64
from IPython.display import display
dot = base64.b64decode("{pixel}")
print("before")
display({{"image/png": dot}}, raw=True, metadata={{"image/png": {{"alt": "A \\"black\\" dot <1 pixel>."}}}})
print("after")"""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


def cell(source: str, *tags: str, kind: str = "code") -> dict:
    """Return one cell of a notebook file."""
    found = {
        "cell_type": kind,
        "id": f"c{abs(hash(source)) % 10**10}",
        "metadata": {},
        "source": source.splitlines(True),
    }
    if tags:
        found["metadata"]["tags"] = list(tags)
    return found | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def write_lesson(
    folder: Path, stem: str, *body: str, parameters: str = PARAMETERS, finish: bool = True
) -> Path:
    """Write one lesson whose body is the given code cells; return its file."""
    number = int(stem[:2])
    opening = (
        f"# {number}. Lesson {stem[3:]}\n\nAfter this.\n\n<!-- course:links -->\n<!-- /course:links -->\n"
    )
    cells = [
        cell(opening, kind="markdown"),
        cell(parameters, "parameters"),
        cell(START.format(stem=stem)),
        *(cell(source) for source in body),
        *([cell("lesson.finish()")] if finish else []),
    ]
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / f"{stem}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def network(kind: str = "complete", weights: str = "random") -> str:
    """Return a cell that records one network."""
    return NETWORK.format(kind=kind, weights=weights)


def picture() -> str:
    """Return a cell that shows a picture with a text alternative between two printed lines."""
    return PICTURE.format(pixel=PIXEL)


def write_profile(folder: Path, profile: str, stem: str, text: str) -> None:
    """Write one profile file beside the lessons."""
    path = folder / "profiles" / profile / f"{stem}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

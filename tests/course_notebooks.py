"""Tiny lessons for the tests of the command line: no TensorFlow, a second each."""

import re
import subprocess
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """data_source: str = "auto"  # auto, real or sample
seed: int = 0  # start of all random numbers
metrics_path: str = ""  # where the metrics go
epochs: int = 2  # how often all pictures are seen
learning_rate: float = 0.1  # size of a step
"""
RULES = {"epochs": (1, 1_000), "learning_rate": (0.0, 100.0)}
START = """import os, time
from types import SimpleNamespace
from helpers import CourseError, bookkeeping
names = {names}
lesson = bookkeeping.start_lesson("{stem}", **{{name: globals()[name] for name in names}}, rules={rules})"""
LINKS = "\n\nAfter this.\n\n<!-- course:links -->\n<!-- /course:links -->\n"
PICTURE = """import base64
from IPython.display import display
text = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
print("before")
display({"image/png": base64.b64decode(text)}, raw=True)
print("after")"""


def network(kind: str = "complete") -> str:
    """Return a cell that records one network, trained on this kind of data."""
    data = f'SimpleNamespace(name="dots", kind="{kind}", counts={{"train": 60_000}})'
    return f"""lesson.use_data({data})
lesson.record_network("tiny", weights="random", parameter_count=1234, test_accuracy=0.5)"""


def write_lesson(
    folder: Path, stem: str, *body: str, parameters=PARAMETERS, rules=RULES, finish=True
) -> Path:
    """Write one lesson whose body is the given code cells; return its file."""
    start = START.format(stem=stem, names=re.findall(r"^\w+", parameters, re.M), rules=rules)
    cells = [
        new_markdown_cell(f"# {int(stem[:2])}. Lesson {stem[3:]}{LINKS}"),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        *map(new_code_cell, [start, *body, *["lesson.finish()"] * finish]),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return write_notebook(folder / f"{stem}.ipynb", new_notebook(cells=cells, metadata=metadata))


def write_notebook(path: Path, content: nbformat.NotebookNode) -> Path:
    """Write a notebook as Jupyter does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(content).rstrip("\n") + "\n", encoding="utf-8")
    return path


def write_profile(folder: Path, profile: str, stem: str, text: str) -> None:
    """Write one profile file beside the lessons."""
    path = folder / "profiles" / profile / f"{stem}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, as somebody; return what it prints."""
    somebody = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(["git", *somebody, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout

"""The import rules: helpers stay light, so that lessons 1 to 3 start at once."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "helpers").rglob("*.py")) + sorted((ROOT / "course").glob("*.py"))
HEAVY = ["tensorflow", "keras", "matplotlib", "pandas", "sklearn", "seaborn", "papermill", "nbconvert"]
LIGHT = ["convolution", "datasets", "training", "bookkeeping", "exercises"]
IMPORTS = f"""import numpy, sys, time
start = time.process_time()  # of the processor, not of the clock on the wall
import helpers
from helpers import {", ".join(LIGHT)}
print(time.process_time() - start)
import course.cli
course.cli.build_parser()
print([name for name in {HEAVY} if name in sys.modules])
from helpers import evaluation, figures
print("tensorflow" in sys.modules)"""


def test_helpers_load_quickly_nothing_heavy_and_figures_no_tensorflow():
    seconds = []
    while not seconds or (seconds[-1] > 1 and len(seconds) < 3):
        result = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
        cost, heavy, tensorflow = result.stdout.splitlines()
        seconds.append(float(cost))
    assert (heavy, tensorflow) == ("[]", "False")
    assert seconds[-1] < 1, f"helpers take {min(seconds):.2f} s to import"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_imports_point_one_way(path):
    """Helpers know neither the command line nor the tests, the command line knows no test."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    unknown = {"tests"} if path.parent.name == "course" else {"tests", "course", "papermill", "nbconvert"}
    assert not names & unknown

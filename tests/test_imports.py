"""The import rules: helpers stay light, so that lessons 1 to 3 start at once."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("tensorflow", "keras", "matplotlib", "pandas", "sklearn", "seaborn", "papermill", "nbconvert")
LIGHT = (
    "helpers",
    "helpers.datasets",
    "helpers.convolution",
    "helpers.training",
    "helpers.bookkeeping",
    "course",
)


def fresh(code):
    """Run code in a new interpreter and return what it prints."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_nothing_heavy(module):
    loaded = fresh(f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])")
    assert loaded == "", f"import {module} also loads {loaded}"


def test_light_helpers_load_quickly_after_numpy():
    names = ", ".join(LIGHT[:-1])
    code = f"import time, numpy; t = time.process_time(); import {names}; print(time.process_time() - t)"
    seconds = min(float(fresh(code)) for _ in range(3))  # of the processor, not of the clock on the wall
    assert seconds < 1, f"{names} take {seconds:.2f} s to import"


@pytest.mark.parametrize("module", ["helpers.figures", "helpers.evaluation"])
def test_figures_and_evaluation_do_not_load_tensorflow(module):
    assert fresh(f"import sys, {module}; print('tensorflow' in sys.modules)") == "False"


def test_help_of_the_command_line_loads_nothing_heavy():
    code = f"""import sys, course.cli
try:
    course.cli.main(["run", "--help"])
except SystemExit:
    print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules])"""
    assert fresh(code).endswith("loaded:")


def imported(path):
    """Return the top-level names that a Python file imports, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "helpers").rglob("*.py")), ids=lambda path: path.name)
def test_helpers_never_know_the_command_line_or_the_tests(path):
    assert not imported(path) & {"course", "tests", "papermill", "nbconvert", "nbclient"}


@pytest.mark.parametrize("path", sorted((ROOT / "course").glob("*.py")), ids=lambda path: path.name)
def test_the_command_line_never_knows_the_tests(path):
    assert "tests" not in imported(path)

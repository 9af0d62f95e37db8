"""Run cells of a lesson's notebook outside of it: for the benchmarks, and for the tests of the lessons."""

import ast
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import CourseError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def real(find: Callable[[str], Any]) -> Any:
    """Return real pictures; exit with status 2 where there are none."""
    try:
        return find("real")
    except CourseError as error:
        print(error)
        raise SystemExit(2) from None


def judged(reached: bool, line: str) -> int:
    """Print the last line of a benchmark with its verdict, and return its exit status."""
    print(f"{line}; {'all bounds reached' if reached else 'BELOW A BOUND'}")
    return 0 if reached else 1


def run_cells(stem: str, *markers: str, **names: Any) -> dict[str, Any]:
    """Run all imports of a lesson, then the one cell that holds each marker, in the markers' order.

    Without markers, all recipe cells (tag `recipe`) give their definitions, and whatever they train or print
    is left out. `names` are what the cells find defined; returned are these and all that the cells left.
    Raises `LookupError` when a marker is in no cell or in several.
    """
    cells = _code_cells(stem)
    sources = ["".join(cell["source"]) for cell in cells]
    chosen = ["".join(cell["source"]) for cell in cells if "recipe" in cell["metadata"].get("tags", [])]
    if markers:
        found = [[source for source in sources if marker in source] for marker in markers]
        if wrong := [marker for marker, those in zip(markers, found, strict=True) if len(those) != 1]:
            raise LookupError(f"not one cell of lesson {stem} holds {wrong[0]!r}")
        chosen = [source for (source,) in found]
    space = dict(names)
    _run("\n".join(sources), space, _is_import)
    for source in chosen:
        _run(source, space, (lambda statement: True) if markers else _is_definition)
    return space


def run_lesson(stem: str, without: str, **names: Any) -> dict[str, Any]:
    """Run all cells of a lesson but those in which a pattern is found; return all that they left.

    `names` take the place of what the cells of parameters and of exercises define.
    """
    space: dict[str, Any] = {}
    for cell in _code_cells(stem):
        if not re.search(without, source := "".join(cell["source"])):
            exec(source, space)
            if {"parameters", "exercise"} & set(cell["metadata"].get("tags", [])):
                space.update({name: value for name, value in names.items() if name in space})
    return space


def _code_cells(stem: str) -> list[dict[str, Any]]:
    cells = json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _run(source: str, space: dict[str, Any], wanted: Any) -> None:
    module = ast.parse(source)
    module.body = [statement for statement in module.body if wanted(statement)]
    exec(compile(module, "lesson", "exec"), space)


def _is_import(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.With):  # TensorFlow is imported quietly
        return all(map(_is_import, statement.body))
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _is_definition(statement: ast.stmt) -> bool:
    """Whether a statement defines a function, a class or a CONSTANT, and so trains nothing."""
    if isinstance(statement, ast.Assign):
        targets = [name for target in statement.targets for name in ast.walk(target)]
        return all(name.id.isupper() for name in targets if isinstance(name, ast.Name))
    return isinstance(statement, ast.FunctionDef | ast.ClassDef)

"""Run cells of a lesson's notebook outside of it: for the benchmarks, and for the tests of the lessons."""

import ast
import json
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
IMPORTS = (ast.Import, ast.ImportFrom, ast.With)  # `with` keeps TensorFlow quiet while it is imported


def run_cells(stem: str, *markers: str, definitions_only: bool = False, **names: Any) -> dict[str, Any]:
    """Run a lesson's imports, then the one cell that holds each marker, in the markers' order.

    Without markers, all recipe cells (tag `recipe`) give their definitions. `definitions_only` leaves out
    whatever a cell trains or prints. `names` are what the cells find defined; returned are these and all
    that the cells left.
    """
    notebook = json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    recipes = ["".join(cell["source"]) for cell in cells if "recipe" in cell["metadata"].get("tags", [])]
    sources = [_cell_with(marker, cells) for marker in markers] or recipes
    space = dict(names)
    _run(_cell_with("\nfrom helpers import ", cells), space, lambda line: isinstance(line, IMPORTS))
    for source in sources:
        _run(source, space, _is_definition if definitions_only or not markers else lambda line: True)
    return space


def _cell_with(marker: str, cells: list[dict[str, Any]]) -> str:
    found = [source for cell in cells if marker in (source := "".join(cell["source"]))]
    if len(found) != 1:
        raise LookupError(f"{len(found)} cells hold {marker!r}, not one")
    return found[0]


def _run(source: str, space: dict[str, Any], wanted: Any) -> None:
    module = ast.parse(source)
    module.body = [statement for statement in module.body if wanted(statement)]
    exec(compile(module, "lesson", "exec"), space)


def _is_definition(statement: ast.stmt) -> bool:
    """Whether a statement defines or imports a function, a class or a CONSTANT, and so trains nothing."""
    if isinstance(statement, ast.Assign):
        targets = [name for target in statement.targets for name in ast.walk(target)]
        return all(name.id.isupper() for name in targets if isinstance(name, ast.Name))
    return isinstance(statement, (ast.FunctionDef, ast.ClassDef, *IMPORTS))

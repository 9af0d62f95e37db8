"""What a piece of code needs from the code around it: found by reading, nothing is run."""

import ast
import re
import symtable
from collections.abc import Iterable, Mapping, Sequence


def names_in(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the global names that a statement binds, and those that it uses; local ones are neither."""
    module = symtable.symtable(ast.unparse(statement), "cell", "exec")
    binds = {each.get_name() for each in module.get_symbols() if each.is_assigned() or each.is_imported()}
    uses, tables = {each.get_name() for each in module.get_symbols() if each.is_referenced()}, [module]
    while tables:
        inner = tables.pop().get_children()
        uses |= {each.get_name() for table in inner for each in table.get_symbols() if each.is_global()}
        tables += inner
    return binds, uses


def needed(statements: Sequence[ast.stmt], names: Iterable[str]) -> list[ast.stmt]:
    """Return the statements that bind these names, and whatever those need in turn, in their order.

    `from x import *` may bind anything and is always among them.
    """
    found = [names_in(statement) for statement in statements]
    wanted, open_names = set(), set(names)
    while open_names - wanted:
        wanted |= open_names
        open_names = {name for binds, uses in found if binds & wanted for name in uses}
    return [
        statement
        for statement, (binds, _) in zip(statements, found, strict=True)
        if binds & wanted or (isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*")
    ]


def is_import(statement: ast.stmt) -> bool:
    """Tell whether a statement imports something, in a block as well (`with ...: import keras`)."""
    return not isinstance(statement, (ast.FunctionDef, ast.ClassDef)) and any(
        isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(statement)
    )


def code_cells(notebook: Mapping) -> list[str]:
    """Return the sources of a notebook's code cells; lines for IPython alone become blank lines."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [re.sub(r"(?m)^[ \t]*(%%?|!)[a-z].*$", "", source) for source in sources]

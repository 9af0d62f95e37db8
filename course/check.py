"""`python -m course check`: is this machine ready for the course?"""

import importlib.metadata
import os
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from course import say
from helpers import COURSE_FOLDER, CourseError

# A lesson peaks under 1.5 GB; the rest is for Jupyter itself.
NEEDED_GB = 2.0
INSTALL = "run `python -m pip install --editable .`"


Finding = tuple[bool, str]  # ready, and what was found


def check_machine(root: Path = COURSE_FOLDER) -> int:
    """Print one line each for Python, packages, memory, data and kernel; return 1 when not ready."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        findings = {"Python": check_python(project["requires-python"])}
        findings["Packages"] = check_packages(project["dependencies"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CourseError(f"pyproject.toml cannot be read ({error}); restore it from git") from None
    if findings["Packages"][0]:  # the others need them
        findings |= {"Memory": check_memory(), "Data": check_data(), "Kernel": check_kernel()}
    for name, (ready, text) in findings.items():
        say(f"{name:<9} {'ok' if ready else 'NOT READY':<9}  {text}")
    ready = all(ready for ready, _ in findings.values())
    say(f"\nThis machine is {'ready.' if ready else 'not ready: see above.'}")
    return 0 if ready else 1


def check_python(supported: str, version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Compare this Python with pyproject's `requires-python`, for example `>=3.11,<3.14`."""
    lowest, beyond = map(int, re.findall(r"3\.(\d+)", supported))
    span, text = f"3.{lowest} to 3.{beyond - 1}", ".".join(map(str, version))
    if (3, lowest) <= version[:2] < (3, beyond):
        return True, f"{text} (supported: {span})"
    return False, f"{text} is not supported; install Python {span}"


def check_packages(requirements: Iterable[str]) -> Finding:
    """See that each package of pyproject's list is installed, without importing any."""
    names = [re.match(r"[\w.-]*", requirement)[0] for requirement in requirements]
    missing = [name for name in names if not any(importlib.metadata.distributions(name=name))]
    text = f"missing: {', '.join(missing)}; {INSTALL}" if missing else f"all {len(names)}"
    return not missing, text


def check_memory() -> Finding:
    """Compare the free memory (GB, 10**9 bytes) with what a lesson and Jupyter need together."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    text = f"{free:.1f} GB available, {NEEDED_GB:.0f} GB needed"
    ready = free >= NEEDED_GB
    return ready, text if ready else f"{text}; close other programs"


def check_data(source: ModuleType | None = None) -> Finding:
    """Say which pictures are here. Missing ones are fine, because samples serve; wrong ones are not."""
    from course.data import in_use
    from helpers import datasets

    source = source or datasets
    found, wrong = [], []
    try:
        for name in source.NAMES:
            rows = source.status(name)
            found.append(f"{name} {here.found}" if (here := in_use(rows)) else f"{name} not here")
            wrong += [f"{name}: {row.detail}" for row in rows if row.found == "wrong"]
    except (CourseError, OSError) as error:
        return False, str(error)
    return not wrong, "; ".join(wrong) or f"{', '.join(found)}; see `python -m course data`"


def check_kernel() -> Finding:
    """Start the notebook kernel as a run does, and ask it which Python it is."""
    from nbformat.v4 import new_code_cell, new_notebook

    from course.run import execute

    notebook = new_notebook(cells=[new_code_cell("import sys\nprint(sys.executable, end='')")])
    try:
        problem = execute(notebook, COURSE_FOLDER, os.environ, 60)
    except (OSError, RuntimeError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        return False, f"it does not start ({problem}); {INSTALL} again"
    python = "".join(output.text for output in notebook.cells[0].outputs)
    ready = python == sys.executable
    return ready, "it starts, and it is this Python" if ready else f"it runs {python}"

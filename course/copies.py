"""`python -m course copies`: a student's own copies of the lessons, in `work/`, without their outputs."""

import re
import shutil
from pathlib import Path

from course import say
from helpers import COURSE_FOLDER, CourseError
from helpers.files import write_text


def copy_lessons(fresh: str | None = None, *, root: Path = COURSE_FOLDER) -> int:
    """Copy what is not there yet; never over a file of the student's.

    Args:
        fresh: number of one notebook ("02", "02a"); a clean copy of it is put beside the student's own.
        root: the checkout.

    Returns:
        The exit status, 0.

    Raises:
        CourseError: no such notebook, or `work/` cannot be written.
    """
    source, target = root / "notebooks", root / "work"
    notebooks = sorted(source.glob("[0-9][0-9]*.ipynb"))
    if fresh is not None:
        number = fresh.zfill(3 if fresh[-1:].isalpha() else 2)
        notebooks = [path for path in notebooks if path.stem.split("-")[0] == number]
        if not notebooks:
            raise CourseError(f"there is no lesson {fresh!r}: name one by its number, for example 02 or 02a")
    try:
        target.mkdir(exist_ok=True)
        shutil.copyfile(source / "glossary.md", target / "glossary.md")
    except OSError as error:
        raise CourseError(f"work/ cannot be written ({error.strerror}): make it writable") from None
    written = []
    for path in notebooks:
        copy, number = target / path.name, 1
        while copy.exists() and fresh is not None:
            number += 1
            copy = target / f"{path.stem}-fresh-{number}.ipynb"
        if not copy.exists():
            write_text(copy, without_outputs(path))
            written.append(copy.name)
    say(f"work/: wrote {', '.join(written)}" if written else "work/: all lessons are there; nothing changed")
    return 0


def without_outputs(path: Path) -> str:
    """Return a notebook's text with no output and no execution count, so that no answer is in sight."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("collapsed", None)
            cell.metadata.get("jupyter", {}).pop("outputs_hidden", None)
    # A copy lies beside other copies: links to the lessons' folder stay inside work/.
    return re.sub(r"\(\.\./notebooks/", "(", nbformat.writes(notebook)).rstrip("\n") + "\n"

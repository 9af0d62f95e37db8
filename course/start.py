"""`python -m course start`: a student's own copies of the lessons, in `work/`, without their outputs.

git does not look into `work/`, so that what is written there survives every `git pull`.
"""

import hashlib
import shutil
from pathlib import Path

import nbformat

from course import say
from course.lessons import choose_lessons, find_lessons
from helpers import COURSE_FOLDER, CourseError
from helpers.files import write_text


def start_lessons(fresh: str | None = None, update: bool = False, *, root: Path = COURSE_FOLDER) -> int:
    """Copy what is not there yet; never over a file that the student has changed.

    Args:
        fresh: number of one notebook ("02", "02a"); a clean copy of it is put beside the student's own.
        update: bring the new version of each lesson that has changed since it was copied: in the place
            of a copy that is as it was, and otherwise beside it.
        root: the checkout.

    Returns:
        The exit status, 0.

    Raises:
        CourseError: no such notebook, or `work/` cannot be written.
    """
    source, target = root / "notebooks", root / "work"
    lessons = choose_lessons(find_lessons(source), [] if fresh is None else [fresh], deeper=True)
    try:
        target.mkdir(exist_ok=True)
        shutil.copyfile(source / "glossary.md", target / "glossary.md")
    except OSError as error:
        raise CourseError(f"work/ cannot be written ({error.strerror}): make it writable") from None
    written, newer = [], []
    for path in (lesson.path for lesson in lessons):
        copy, text = target / path.name, clean_copy(path)
        asked = fresh is not None or not copy.exists()
        if not asked:
            newest = nbformat.reads(text, as_version=4).metadata["course_version"]
            if any(known(own)[0] == newest for own in target.glob(f"{path.stem}*.ipynb")):
                continue
            if not update:
                newer.append(path.stem.split("-")[0])
                continue
        if copy.exists() and (fresh is not None or known(copy)[1]):
            number = 2
            while (copy := target / f"{path.stem}-fresh-{number}.ipynb").exists():
                number += 1
        write_text(copy, text)
        written.append(copy.name)
    say(f"work/: wrote {', '.join(written)}" if written else "work/: all lessons are there; nothing changed")
    if newer:
        say(f"There are new versions of {', '.join(newer)}: `python -m course start --update` brings them")
    return 0


def clean_copy(path: Path) -> str:
    """Return a notebook's text with no output and no execution count, so that no answer is in sight.

    Among its metadata is `course_version`, from which a later `start` sees what was copied.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        # A copy lies beside other copies: links to the lessons' folder stay inside work/.
        cell.source = cell.source.replace("(../notebooks/", "(")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("collapsed", None)
            cell.metadata.get("jupyter", {}).pop("outputs_hidden", None)
    notebook.metadata["course_version"] = fingerprint(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """Return twelve hex digits for what stands in a notebook's cells."""
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()[:12]


def known(path: Path) -> tuple[str, bool]:
    """Return the version that a file in `work/` is a copy of, and whether it was changed or run since."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # nbformat raises its own kinds; whatever it is, the file is the student's
        return "", True
    now = fingerprint(notebook)
    version = notebook.metadata.get("course_version", now)
    return version, now != version or any(cell.get("outputs") for cell in notebook.cells)

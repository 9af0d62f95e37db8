"""A student's own copies: `course start`, its `--update` and git's pull, in every order, with real git."""

import itertools

import nbformat
import pytest
from course_notebooks import git, write_lesson

from course.cli import main
from course.start import start_lessons
from helpers import COURSE_FOLDER, CourseError, exercises


def write_course(root, text):
    write_lesson(root / "notebooks", "01-one", f"x = {text!r}")
    write_lesson(root / "notebooks", "02-two", "y = 2")
    (root / "notebooks" / "glossary.md").write_text("# Glossary\n", encoding="utf-8")
    (root / ".gitignore").write_text("work/\n", encoding="utf-8")


@pytest.fixture
def course(tmp_path):
    """A course and a student's clone of it, which has been started."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    write_course(origin, "old")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "old")
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    start_lessons(root=clone)
    return origin, clone


def written_by_the_student(path):
    """Change a copy as JupyterLab would on saving: an answer, an output, another layout of the file."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[-1].source += "\nmine = 3"
    code[-1].outputs = [nbformat.v4.new_output("stream", text="3\n")]
    path.write_text(nbformat.writes(notebook, indent=3), encoding="utf-8")
    return path.read_bytes()


def sources(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


@pytest.mark.parametrize("order", list(itertools.permutations(["pull", "start", "update"])))
def test_what_a_student_wrote_survives_in_every_order(course, order):
    origin, clone = course
    mine = written_by_the_student(clone / "work" / "01-one.ipynb")
    write_course(origin, "new")
    git(origin, "commit", "-qam", "new")
    actions = {
        "pull": lambda: git(clone, "pull", "-q"),
        "start": lambda: start_lessons(root=clone),
        "update": lambda: start_lessons(update=True, root=clone),
    }
    for name in (*order, "update", "pull", "start", "update"):
        actions[name]()
        assert (clone / "work" / "01-one.ipynb").read_bytes() == mine
    assert not git(clone, "status", "--porcelain")
    beside = sorted(path.name for path in (clone / "work").glob("01*"))
    assert beside == ["01-one-fresh-2.ipynb", "01-one.ipynb"]  # the new one is brought once
    assert "'new'" in sources(clone / "work" / beside[0])


def test_a_copy_as_it_was_is_renewed_and_one_that_was_run_is_kept(course, capsys):
    _, clone = course
    for stem in ("01-one", "02-two"):
        write_lesson(clone / "notebooks", stem, "z = 'newer'")
    ran = nbformat.read(clone / "work" / "02-two.ipynb", as_version=4)
    ran.cells[-1].outputs = [nbformat.v4.new_output("stream", text="2\n")]
    nbformat.write(ran, clone / "work" / "02-two.ipynb")
    capsys.readouterr()
    start_lessons(root=clone)
    assert "new versions of 01, 02" in capsys.readouterr().out
    start_lessons(update=True, root=clone)
    assert "newer" in sources(clone / "work" / "01-one.ipynb")
    assert "newer" not in sources(clone / "work" / "02-two.ipynb")
    assert "newer" in sources(clone / "work" / "02-two-fresh-2.ipynb")
    capsys.readouterr()
    start_lessons(update=True, root=clone)
    assert capsys.readouterr().out == "work/: all lessons are there; nothing changed\n"


def test_a_file_that_is_no_notebook_is_kept_and_a_clean_copy_comes_beside_it(course, capsys):
    _, clone = course
    copy = clone / "work" / "01-one.ipynb"
    copy.write_text("my own", encoding="utf-8")
    assert start_lessons(root=clone) == start_lessons("1", root=clone) == 0
    assert start_lessons(update=True, root=clone) == 0
    assert copy.read_text(encoding="utf-8") == "my own"
    assert [path.name for path in (clone / "work").glob("01-one-fresh-*")] == ["01-one-fresh-2.ipynb"]
    assert "'old'" in sources(clone / "work" / "01-one-fresh-2.ipynb")
    with pytest.raises(CourseError, match="unknown lesson '9'"):
        start_lessons("9", root=clone)
    with pytest.raises(SystemExit):
        main(["start", "--help"])
    assert "--fresh" in capsys.readouterr().out


def test_progress_lists_what_was_right_in_the_copies_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exercises, "PROGRESS", tmp_path / "progress.csv")
    assert main(["progress"]) == 0
    assert capsys.readouterr().out.startswith("Nothing was checked in work/ yet")
    lesson = exercises.Exercises("05")
    lesson.guess("steadier", lesson.guesses["steadier"].answer)
    assert not exercises.PROGRESS.exists(), "the lessons themselves leave nothing behind"
    monkeypatch.setattr(exercises.Path, "cwd", lambda: COURSE_FOLDER / "work")
    lesson.check("my_recall", lambda matrix: None)
    lesson.guess("steadier", lesson.guesses["steadier"].answer)
    lesson.guess("loss_of_six", None)
    lesson.check("my_recall", lesson.tasks["my_recall"].answer)
    lesson.check("my_zigzag", lambda accuracy: None)
    capsys.readouterr()
    assert main(["progress"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("- ")]
    total = len(lesson.guesses) + len(lesson.tasks)
    assert line.startswith(f"- 05: 2 of {total} right; not yet: ") and "my_zigzag" in line
    assert "my_recall" not in line and line in (tmp_path / "progress.md").read_text(encoding="utf-8")

"""Thirty submissions, some of them hostile, to one table; nothing outside the sandbox changes."""

import copy
import csv
import functools
import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from course.cli import main
from course.edition import NOTEBOOKS, instructor_notebook
from course.grade import find_submissions, judge, run_notebook
from course.sandbox import read_notebook
from helpers import COURSE_FOLDER

LESSON = "02-convolution-by-hand.ipynb"
TASKS = ("match_map", "my_relu", "my_max_pool", "my_flatten", "my_output_size")


BODIES = {  # what a student wrote in my_relu, the verdict on it, and part of the hint
    "endless loop": ("while True:\n    pass", "time", "does not come to an end"),
    "2 GB list": ("return [0] * 250_000_000", "memory", "MemoryError"),
    "syntax error": ("return np.maximum(values, 0", "no answer", "line 5 of the cell: '(' was never closed"),
    "removes the folder above": (
        "shutil.rmtree('..', ignore_errors=True)\nos.remove('..')\nreturn np.maximum(values, 0)",
        "not yet",
        "PermissionError",
    ),
    "prints 100 MB": ("print('x' * 10**8)\nreturn np.maximum(values, 0)", "right", ""),
    "ends Python": ("os._exit(0)", "not yet", "it ended the process"),
    "line\nbreak and <script>": (
        "raise ValueError('\\ud800 <script>alert(1)</script>')",
        "not yet",
        "ValueError: ? <script>",
    ),
    "lies to the report": (
        """lie = b'{"task": "my_relu", "said": "Right", "results": 5}\\n{"task": 1, "said": 1}\\n'
[os.write(number, lie) for number in range(3, 9) if os.path.exists(f'/proc/self/fd/{number}')]
os._exit(0)""",
        "not yet",
        "it ended the process",
    ),
    "a generator": ("return (max(value, 0) for value in values)", "not yet", "the result has shape ()"),
    "asks to stop": ("sys.exit('enough')", "not yet", "SystemExit: enough"),
    "writes 2 GB": ("open('big', 'wb').truncate(2 << 30)\nreturn values", "not yet", "OSError"),
    "starts a process": (
        "os.system('touch ../../was-here')\nreturn values",
        "not yet",
        "PermissionError: os.system is not allowed",
    ),
    "patches from inside": (
        "import helpers.exercises\nhelpers.exercises._same = lambda *_: True\nreturn values",
        "not yet",
        "examples agree",
    ),
    "edited checker": ("return values", "not yet", "examples agree"),
}
OVERLAPPING = """def my_max_pool(a):
    r, c = a.shape
    return np.array([[a[i:i + 2, j:j + 2].max() for j in range(c - 1)] for i in range(r - 1)])"""


@functools.cache
def with_answers():
    return instructor_notebook(NOTEBOOKS / LESSON)


def submission(**functions):
    """Return the lesson with all answers in place, but for these: name -> new source of its cell."""
    notebook = copy.deepcopy(with_answers())
    for cell in notebook.cells:
        for name, source in functions.items():
            if "exercise" in cell.metadata.get("tags", []) and f"def {name}(" in cell.source:
                cell.source = source
    return notebook


def relu(body):
    return submission(
        my_relu=f"import os, shutil, sys\n\n\ndef my_relu(values):\n{textwrap.indent(body, ' ' * 4)}"
    )


def replace(notebook, old, new):
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)


def handed_in():
    """Return one notebook a student: the bodies above, and those that are odd in other ways."""
    found = {student: relu(body) for student, (body, *_) in BODIES.items()}
    names = (
        "Zoë Müller, 2. Abgabe",
        "deleted checker",
        "no tags",
        "two cells",
        "cannot be compiled elsewhere",
    )
    found |= {student: submission() for student in names}
    found["wrong: overlap"] = submission(my_max_pool=OVERLAPPING)
    cells = found["deleted checker"].cells
    found["deleted checker"].cells = [cell for cell in cells if 'check("my_relu"' not in cell.source]
    for number, cell in enumerate(found["no tags"].cells):
        cell.metadata, cell.id = {}, f"another-{number}"
    replace(found["two cells"], "return np.maximum(values, 0)", "return clip_below(values)")
    helper = "%matplotlib inline\ndef clip_below(a):\n    return np.where(a > 0, a, 0)"
    found["two cells"].cells.insert(8, nbformat.v4.new_code_cell(helper))
    twice = nbformat.v4.new_code_cell("def twice(a, a):\n    return a")
    found["cannot be compiled elsewhere"].cells.insert(3, twice)
    # The checker is edited as a student might, in a cell of their own and where it is imported.
    patch = "Exercises.check = lambda self, name, attempt: print('Right: all 2 examples agree.')"
    replace(found["edited checker"], 'exercises = Exercises("02")', f'{patch}\nexercises = Exercises("02")')
    for cell in found["edited checker"].cells:
        if 'check("my_relu"' in cell.source:
            cell.outputs = [nbformat.v4.new_output("stream", text="Right: all 2 examples agree.\n")]
    return found


def fingerprint(folder):
    """Return every file below a folder with its bytes, its rights and its time of change."""
    return {
        path: (path.stat().st_mode, path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and not {"__pycache__", ".git", "runs", "build"} & set(path.parts)
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Hand in thirty files; return the rows of the table, and its page."""
    home = tmp_path_factory.mktemp("grading")
    folder = home / "handed in"
    folder.mkdir()
    notebooks = handed_in()
    notebooks |= {"=HYPERLINK(1)": submission(), "02-empty": nbformat.v4.new_notebook()}
    for number in range(30 - len(notebooks) - 3):
        notebooks[f"student {number}"] = relu("return abs(values)") if number % 2 else submission()
    for student, notebook in notebooks.items():
        (folder / f"{student.replace(':', '')}.ipynb").write_text(nbformat.writes(notebook), "utf-8")
    (folder / "not a notebook.ipynb").write_bytes(b"%PDF-1.4\x00\xff")
    (folder / "essay.docx").write_bytes(b"PK\x03\x04")
    (folder / "Moodle, Anna Berg").mkdir()
    (folder / "Moodle, Anna Berg" / LESSON).write_text((NOTEBOOKS / LESSON).read_text("utf-8"), "utf-8")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "old.ipynb").write_text("{}")
    (home / "a file of somebody else").write_text("untouched")
    before = [fingerprint(home), fingerprint(COURSE_FOLDER / "helpers")]
    assert main(["grade", str(folder), "--output", str(home / "table")]) == 0
    written = {path: seen for path, seen in fingerprint(home).items() if path.parent.name != "table"}
    assert [written, fingerprint(COURSE_FOLDER / "helpers")] == before
    with (home / "table" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, (home / "table" / "grades.html").read_text("utf-8")


def rows_of(graded, student):
    name = student.replace(":", "").replace("\n", " ")
    return {row["task"]: row for row in graded[0] if row["student"] == name}


@pytest.mark.kernel
def test_thirty_submissions_give_a_table_of_thirty(graded):
    assert len({row["student"] for row in graded[0]}) == 30
    page = BeautifulSoup(graded[1], "html.parser")
    assert len(page.select("tbody tr")) == 28 and len(page.select("thead th")) == 1 + len(TASKS)
    assert not page.select("script")
    assert "not a notebook" in page.get_text() and "Zoë Müller, 2. Abgabe" in page.get_text()
    assert "2 times in my_relu: a negative number becomes 0; you dropped its sign." in page.get_text()
    harmless = rows_of(graded, "'=HYPERLINK(1)")  # for a spreadsheet, which would run it
    assert harmless["my_relu"]["verdict"] == "right"


@pytest.mark.fault
@pytest.mark.kernel
def test_a_bad_notebook_gets_its_verdict_and_its_other_tasks_are_graded(graded):
    missed = {}
    for student in handed_in():
        rows = rows_of(graded, student)
        _, word, hint = BODIES.get(student, ("", "right", ""))
        others = {row["verdict"] for task, row in rows.items() if task not in ("my_relu", "my_max_pool")}
        mine = rows["my_relu"]
        if mine["verdict"] != word or hint not in mine["hint"] or others != {"right"}:
            missed[student] = rows
    assert not missed


@pytest.mark.kernel
def test_a_typical_mistake_gets_its_own_hint(graded):
    wrong = [row for row in graded[0] if row["task"] == "my_max_pool" and row["verdict"] == "not yet"]
    assert [row["student"] for row in wrong] == ["wrong overlap"]
    assert "your windows overlap" in wrong[0]["hint"]


@pytest.mark.kernel
def test_untouched_and_empty_notebooks_have_no_answer_and_unreadable_files_are_named(graded):
    for student in ("Moodle, Anna Berg", "02-empty"):
        rows = rows_of(graded, student)
        assert {row["verdict"] for row in rows.values()} == {"no answer"} and set(rows) == set(TASKS)
    for student in ("not a notebook", "essay"):
        assert [row["hint"] for row in rows_of(graded, student).values()] == ["not a notebook"]


@pytest.mark.kernel
@pytest.mark.fault
@pytest.mark.skipif(sys.platform == "win32", reason="there the clock alone ends it")
def test_a_loop_that_catches_everything_is_ended_and_the_other_tasks_are_graded(tmp_path):
    path = tmp_path / LESSON
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    path.write_text(nbformat.writes(relu(stubborn)))
    rows = judge(run_notebook(path, {"lesson": "02", "known": ["02"], "seconds": 3}))
    found = {row["task"]: row["verdict"] for row in rows}
    assert found == dict.fromkeys(TASKS, "right") | {"my_relu": "time"}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("0*.ipynb")), ids=lambda path: path.name[:3])
def test_every_cell_of_a_lesson_as_it_is_handed_out_can_be_read(path):
    statements, broken = read_notebook(path)
    assert statements and not broken


DELETE = {
    "Python, where the kernel does not help": "sys.platform = ''; confine(here, 9); os.remove('../mine')",
    "a library in C, which Python does not see": "confine(here, 9); assert libc.unlink(b'../mine')",
}


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
@pytest.mark.parametrize("who", DELETE)
def test_a_file_outside_cannot_be_deleted_by(tmp_path, who):
    (tmp_path / "mine").write_text("x")
    (tmp_path / "work").mkdir()
    start = (
        "import ctypes, os, sys; from pathlib import Path; from course.sandbox import confine\n"
        "here = Path.cwd(); libc = ctypes.CDLL(None); print(libc.syscall(444, None, 0, 1))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", start + DELETE[who] + "; print('ok')"],
        cwd=tmp_path / "work",
        env=os.environ | {"PYTHONPATH": str(COURSE_FOLDER)},
        capture_output=True,
        text=True,
    )
    landlock, *rest = done.stdout.split()
    if "in C" in who and int(landlock) < 1:
        pytest.skip("this kernel has no Landlock")
    assert (tmp_path / "mine").exists()
    assert rest == ["ok"] or "os.remove is not allowed" in done.stderr


@pytest.mark.fault
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no such folder"], "no such folder holds no file to grade"),
        (["{here}", "--lesson", "99"], "unknown lesson '99'; there are: 01-"),
        (["{here}", "--output", "{here}"], "is not empty: name a new folder with --output"),
    ],
)
def test_a_mistake_of_the_instructor_is_one_line(tmp_path, capsys, arguments, says):
    (tmp_path / "a.ipynb").write_text("{}")
    assert main(["grade", *(text.format(here=tmp_path) for text in arguments)]) == 2
    assert says in capsys.readouterr().err


def test_several_notebooks_of_one_student_are_all_graded(tmp_path):
    for name in ("anna/01.ipynb", "anna/02.ipynb", "anna/photo.png", "ben.ipynb", "ben.txt", "carl.zip"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({}))
    found = [(student, path.name) for student, path in find_submissions(tmp_path)]
    assert found == [("anna", "01.ipynb"), ("anna", "02.ipynb"), ("ben", "ben.ipynb"), ("carl", "carl.zip")]

"""`python -m course grade FOLDER`: submitted notebooks to one table, by student and task, as CSV and HTML.

A student's function is found by its name, and judged by the course's own checker. Each notebook runs in a
process of its own (`course.sandbox`), two at a time; what it calls right is compared once more here.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from course import sandbox, say
from course.lessons import choose_lessons, find_lessons
from course.results import new_folder, render
from helpers import COURSE_FOLDER, CourseError
from helpers.exercises import Exercises, Task, verdict
from helpers.files import write_text

PROCESSOR_SECONDS = 40  # for one notebook; importing TensorFlow takes five of them
WALL_SECONDS = 240  # the same by the clock, on a machine that has other things to do
MEMORY_MB = sandbox.MEMORY_MB + 700  # Python and TensorFlow included
REPORT_MB = 20  # of what a process reports, this much is read
COLUMNS = ("student", "file", "lesson", "task", "verdict", "hint")
FORMULA = ("=", "+", "-", "@")
Row = dict[str, str]


def grade_folder(folder: Path, lesson: str | None = None, output: Path | None = None) -> int:
    """Grade all notebooks in a folder and its subfolders; write grades.csv and grades.html.

    Args:
        folder: the submissions: one file a student, or one subfolder a student. Nothing in it is changed.
        lesson: number of the lesson that was set ("02"); else it is looked for in each notebook.
        output: new or empty folder for the table; else runs/grades-<time>.

    Returns:
        The exit status, 0, whatever the grades.

    Raises:
        CourseError: there is nothing to grade, no such lesson, or the table cannot be written.
    """
    known = sorted(path.stem for path in (COURSE_FOLDER / "notebooks" / "answers").glob("*.py"))
    wanted = lesson and choose_lessons(find_lessons(), [lesson])[0].stem.partition("-")[0]
    submissions = list(find_submissions(folder))
    if not submissions:
        raise CourseError(f"{folder} holds no file to grade: name the folder of the submitted notebooks")
    table = new_folder(output, "grades-")
    asked = {"lesson": wanted, "known": known, "seconds": PROCESSOR_SECONDS}
    rows: list[Row] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        reports = pool.map(lambda submission: run_notebook(submission[1], asked), submissions)
        for number, ((student, path), report) in enumerate(zip(submissions, reports, strict=True), 1):
            about = {"student": student, "file": str(path.relative_to(folder))}
            mine = [_readable(dict.fromkeys(COLUMNS, "") | about | row) for row in judge(report)]
            counts = Counter(row["verdict"] for row in mine)
            words = ", ".join(f"{count} {word}" for word, count in counts.items())
            say(f"[{number}/{len(submissions)}] {mine[0]['student']}: {words}")
            rows += mine
    write_text(table / "grades.csv", csv_text(rows))
    write_text(table / "grades.html", page(rows))
    say(f"{len(submissions)} submissions: {table / 'grades.html'}")
    return 0


def find_submissions(folder: Path) -> Iterable[tuple[str, Path]]:
    """Give each student's notebooks, or what else was handed in where there is none: (student, file).

    The student's name is that of the first subfolder, or of the file where there is no subfolder.
    """
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            files.setdefault(parts[0] if len(parts) > 1 else path.stem, []).append(path)
    for student, paths in files.items():
        notebooks = [path for path in paths if path.suffix.lower() == ".ipynb"]
        yield from ((student, path) for path in notebooks or paths[:1])


def run_notebook(path: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the notebook's process reports; a task that ends it is left out of the next one."""
    answers: dict[str, dict[str, Any]] = {}
    while True:
        lines, ended = _run(asked | {"path": str(path.resolve()), "done": list(answers)})
        if not lines or not lines[0].get("tasks"):
            return lines[0] if lines else {"problem": "the process of this notebook ended at once"}
        for line in lines[1:]:  # a student's code may have written some of them
            if isinstance(line.get("said"), str) and isinstance(line.get("results"), (list, type(None))):
                answers[str(line.get("task"))] = {key: line[key] for key in ("said", "results")}
        left = [name for name in lines[0]["tasks"] if name not in answers]
        if not left:
            return lines[0] | {"answers": answers}
        answers[left[0]] = {"said": ended, "results": []}  # they run in their order


def _run(asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Run `course.sandbox` once; return the lines that it reports, and how it ended."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    with (
        tempfile.TemporaryDirectory(prefix="course-grade-", ignore_cleanup_errors=True) as outer,
        tempfile.TemporaryFile() as report,
    ):
        folder = Path(outer, "work")
        folder.mkdir()
        home = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder))
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "course.sandbox", json.dumps(asked)],
            cwd=folder,
            env=keep | threads | home | {"PYTHONPATH": str(COURSE_FOLDER), "MPLBACKEND": "Agg"},
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ended = _watch(child)
        report.seek(0)
        texts = report.read(REPORT_MB << 20).decode("ascii", "replace").splitlines()
    lines = []
    for text in texts:
        with contextlib.suppress(ValueError, RecursionError):
            line = json.loads(text)
            lines += [line] if isinstance(line, dict) else []
    return lines, ended


def _watch(child: subprocess.Popen) -> str:
    """Wait for a process, end it when it takes too long or too much, and say how it ended."""
    last, ended = time.monotonic() + WALL_SECONDS, ""
    while child.poll() is None and not ended:
        time.sleep(0.05)
        with contextlib.suppress(psutil.Error):
            ended = "MemoryError" if psutil.Process(child.pid).memory_info().rss > MEMORY_MB << 20 else ""
        ended = "does not come to an end" if time.monotonic() > last else ended
    if hasattr(os, "killpg"):  # and whatever it has started
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
    if not ended and child.returncode == -getattr(signal, "SIGXCPU", 0):
        ended = "does not come to an end"
    return ended or f"it ended the process (status {child.returncode})"


def judge(report: Mapping[str, Any]) -> list[Row]:
    """Return a row a task: its verdict in a word or two, and the hint."""
    if "problem" in report:
        return [{"verdict": "no answer", "hint": report["problem"]}]
    rows = []
    for name, task in Exercises(report["lesson"]).tasks.items():
        word, hint = _verdict(task, name, **report["answers"][name])
        rows.append({"lesson": report["lesson"], "task": name, "verdict": word, "hint": hint})
    return rows


def _verdict(task: Task, name: str, said: str, results: list | None) -> tuple[str, str]:
    """Return the word and the hint; "Right" is believed only where the results agree here as well."""
    if said.startswith("Right"):
        replay = iter(results or [])
        try:
            said = verdict(task, name, lambda *_: next(replay))
        except Exception:  # results that no function of the task returns
            said = "its results cannot be compared"
    if said.startswith("Right"):
        return "right", ""
    hint = said.removeprefix("Not yet: ")
    if results is None or "nothing comes back from" in hint:
        return "no answer", hint
    if "does not come to an end" in hint:
        return "time", hint
    return ("memory" if "MemoryError" in hint else "not yet"), hint


def _readable(row: Row) -> Row:
    """Return a row of single lines in valid UTF-8, whatever a file is called or an error says."""
    return {
        key: " ".join(text.encode("utf-8", "replace").decode("utf-8").splitlines())
        for key, text in row.items()
    }


def csv_text(rows: Iterable[Row]) -> str:
    """Return grades.csv; a text of a student's that a spreadsheet would take for a formula gets a '."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.map(lambda text: f"'{text}" if text.startswith(FORMULA) else text)
    return "\ufeff" + table.to_csv(index=False, lineterminator="\n")


def page(rows: list[Row]) -> str:
    """Return grades.html: for each lesson a table of students and tasks, and what the class stumbled over."""
    lessons: dict[str, dict[tuple[str, str], dict[str, Row]]] = {}
    for row in rows:
        student = (row["student"], row["file"])
        lessons.setdefault(row["lesson"], {}).setdefault(student, {})[row["task"]] = row
    hints = Counter((row["task"], row["hint"]) for row in rows if row["verdict"] == "not yet")
    return render(
        "grades.html.j2",
        lessons={number: students for number, students in sorted(lessons.items()) if number},
        problems=[row for row in rows if not row["lesson"]],
        common=[(task, hint, count) for (task, hint), count in hints.most_common(10) if count > 1],
        students=len({row["student"] for row in rows}),
    )

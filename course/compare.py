"""`python -m course compare RUN RUN...`: the page of a sweep for runs that exist already."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from course import say
from course.lessons import Lesson
from course.report import PAGE, ROW, Result, write_report
from course.results import Outcome, new_folder
from helpers import CourseError


def compare_runs(folders: Sequence[Path], output: Path | None = None) -> int:
    """Write one page on the runs in these folders, which `course run` or `course sweep` left.

    Returns the exit status, 0. Raises CourseError for a folder that holds no results, for fewer than two
    runs of a lesson, and for an `output` that is not empty or cannot be written.
    """
    folders = list(dict.fromkeys(folder.expanduser().absolute() for folder in folders))
    results = [result for folder in folders for result in _results_in(folder)]
    stems = [result.outcome.lesson.stem for result in results]
    shared = [result for result in results if stems.count(result.outcome.lesson.stem) > 1]
    if not shared:
        raise CourseError("there is nothing to compare: name two runs of the same lesson, or more")
    place = new_folder(output, "compare-")
    write_report(shared, place, f"{len(shared)} runs")
    say(f"{len(shared)} runs compared: {place / PAGE}")
    return 0


def _results_in(folder: Path) -> Iterator[Result]:
    """Yield a result for each finished run of a sweep, for one of these, or for each lesson of a run."""
    try:
        rows = sorted([*folder.glob(f"done/*/{ROW}"), *folder.glob(ROW)])
        for path in rows:
            yield Result.read(path.parent)
        if rows:
            return
        for stem, lines in pd.read_csv(folder / "results.csv").groupby("lesson", sort=False):
            line, metrics = lines.iloc[0], {}
            if (path := folder / f"{stem}.json").exists():
                metrics = json.loads(path.read_text(encoding="utf-8"))
            error = "see its results page" if line["status"] == "failed" else ""
            lesson = Lesson(folder / f"{stem}.ipynb", line["title"])
            outcome = Outcome(lesson, line["profile"], line["lesson_seconds"], error, metrics)
            yield Result("/".join(folder.parts[-2:]), outcome, folder)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        problem = f"holds no readable results of a run ({type(error).__name__})"
        raise CourseError(f"{str(folder)!r} {problem}; name a folder such as runs/<time>") from None

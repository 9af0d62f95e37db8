"""`python -m course history [CSV ...] [--check]`: do the lessons still reach what they reached?

`data/results/history.csv` has a row for each lesson, network and metric of a run on real pictures. A value is
outside its band when it is farther from the median of the earlier ones than three times the larger of

- what chance allows: sqrt(p (1 - p) / n) for a share p of n pictures. Another random start, or another order
  of additions in a new TensorFlow, gives another network, which gets other pictures right;
- what these runs have shown: 1.4826 times the median distance from their median. For normal values that is
  the standard deviation, and one bad week does not widen it.

By chance alone that happens to one value in a hundred after three earlier ones, and to one in two hundred or
fewer after six (simulated, 2,158 and 10,000 pictures; four times as often with 40 pictures). With fewer than
three there is no band yet.
"""

import contextlib
import datetime
import json
import os
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from course import say
from helpers import COURSE_FOLDER, CourseError
from helpers.files import write_text

HISTORY = COURSE_FOLDER / "data" / "results" / "history.csv"
SERIES = ("lesson", "network", "weights", "profile", "data", "metric")  # values that may be compared
COLUMNS = ("date", "commit", *SERIES[:5], "pictures", "tensorflow", "keras", "metric", "value")
METRICS = {"test_accuracy": "test", "validation_accuracy": "validation"}  # and the pictures that it counts
FEWEST = 3
Row = dict[str, str]


def keep_history(results: Sequence[Path] = (), *, check: bool = False, path: Path = HISTORY) -> int:
    """Add the rows of each results.csv to the history; with `check`, compare the newest value of each series.

    Returns the exit status, 1 when `check` finds a value outside its band. Raises CourseError for a
    results.csv or a history that cannot be read.
    """
    rows = read_rows(path, COLUMNS) if path.exists() else []
    before = len(rows)
    for row in (row for each in results for row in rows_of(each)):
        rows += [row] if row not in rows else []
    if len(rows) > before:
        write_text(path, pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n"))
    if results:
        say(f"{path.name}: {len(rows) - before} row(s) added")
    outside = [found for found in judge(rows) if check]
    for line in outside:
        say(line, error=True)
    if check and not outside:
        say(f"{path.name}: no newest value is outside the band of its own history")
    return 1 if outside else 0


def read_rows(path: Path, columns: Iterable[str]) -> list[Row]:
    """Return a CSV file's rows. Raises CourseError where one of the columns is missing."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read ({type(error).__name__}): name a results.csv") from None
    if missing := [column for column in columns if column not in table]:
        raise CourseError(f"{path} lacks the column {missing[0]!r}: it is not the table of a run")
    return table.to_dict("records")


def rows_of(results: Path) -> list[Row]:
    """Return the history's rows for a results.csv: each network's accuracies on real pictures.

    Left out is what says nothing about the course: samples, changed parameters, failed lessons. Versions and
    counts of pictures come from the lesson's JSON file beside the table.
    """
    found, day = [], datetime.date.today()
    with contextlib.suppress(ValueError):
        day = datetime.date.fromisoformat(results.resolve().parent.name[:10])  # of runs/<time>
    about = {"date": day.isoformat(), "commit": _commit()}
    for row in read_rows(results, ("lesson", "network", "status", "changed", "test_accuracy")):
        if not row["network"] or row["status"] != "ok" or row["changed"] or row["data"] == "sample":
            continue
        try:
            measured = json.loads((results.parent / f"{row['lesson']}.json").read_text(encoding="utf-8"))
            counts = {**measured["data"]["counts"], **measured["data"].get("used", {})}
            versions = {name: str(measured["versions"][name]) for name in ("tensorflow", "keras")}
        except (OSError, ValueError, LookupError, TypeError):
            raise CourseError(f"{results.parent} lacks a readable {row['lesson']}.json of this run") from None
        for metric, part in METRICS.items():
            if row.get(metric) and part in counts:
                value = {
                    "metric": metric,
                    "value": f"{float(row[metric]):.6f}",
                    "pictures": str(counts[part]),
                }
                found.append({column: (row | about | versions | value)[column] for column in COLUMNS})
    return found


def judge(rows: Sequence[Row]) -> list[str]:
    """Return a line for each series whose newest value is outside the band of the earlier ones."""
    outside, table = [], pd.DataFrame(rows, columns=COLUMNS).sort_values("date", kind="stable")
    for key, kept in table.groupby(list(SERIES), sort=False):
        (*earlier, last), newest = kept["value"].astype(float), kept.iloc[-1]
        if len(earlier) >= FEWEST:
            low, high = band(earlier, int(newest["pictures"]))
            if not low <= last <= high:
                where = f"{newest['date']}, TensorFlow {newest['tensorflow']}, Keras {newest['keras']}"
                outside.append(f"{' '.join(key)}: {last:.4f} is outside {low:.4f} to {high:.4f} ({where})")
    return outside


def band(values: Sequence[float], pictures: int) -> tuple[float, float]:
    """Return the lowest and the highest share that fits these earlier ones, each of so many pictures."""
    middle = statistics.median(values)
    share = min(max(middle, 1 / pictures), 1 - 1 / pictures)  # all right so far: one mistake is no alarm
    chance = (share * (1 - share) / pictures) ** 0.5
    seen = 1.4826 * statistics.median(abs(value - middle) for value in values)
    return middle - 3 * max(chance, seen), middle + 3 * max(chance, seen)


def _commit() -> str:
    ask = ["git", "-C", str(COURSE_FOLDER), "rev-parse", "--short=7", "HEAD"]
    try:
        return os.environ.get("GITHUB_SHA", "")[:7] or subprocess.check_output(ask, text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

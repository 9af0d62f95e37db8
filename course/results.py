"""What a run measured: rows of `results.csv`, the page `index.html` and the table at the end."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import CourseError

COLUMNS = (
    "lesson",
    "title",
    "profile",
    "network",
    "weights",
    "data",
    "status",
    "parameter_count",
    "train_seconds",
    "validation_accuracy",
    "test_accuracy",
    "test_loss",
    "macro_f1",
    "lesson_seconds",
    "peak_rss_mb",
)
_MEASURED = ("train_seconds", "validation_accuracy", "test_accuracy", "test_loss", "macro_f1")


@dataclass(frozen=True)
class Outcome:
    """One lesson's end: `error` is empty when it went well, `metrics` is empty when it left none."""

    stem: str
    title: str
    profile: str
    seconds: float
    error: str = ""
    metrics: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether the lesson ran to its end."""
        return not self.error

    @property
    def data_kind(self) -> str:
        """`complete`, `partial`, `sample` or `none`."""
        return ((self.metrics or {}).get("data") or {}).get("kind") or "none"

    def rows(self) -> list[dict[str, Any]]:
        """Return the lesson's rows of results.csv: one a network, or one for the lesson."""
        metrics = self.metrics or {}
        base = dict.fromkeys(COLUMNS, "") | {
            "lesson": self.stem,
            "title": self.title,
            "profile": self.profile,
            "data": self.data_kind,
            "status": "ok" if self.ok else "failed",
            "lesson_seconds": round(self.seconds, 1),
            "peak_rss_mb": metrics.get("peak_rss_mb", ""),
        }
        networks = metrics.get("networks") or {}
        if not networks:
            return [base]
        return [base | _network_columns(name, network, base["status"]) for name, network in networks.items()]


def _network_columns(name: str, network: Mapping[str, Any], status: str) -> dict[str, Any]:
    weights = network.get("weights", "")
    found = {"network": name, "weights": weights, "parameter_count": network.get("parameter_count", "")}
    if weights == "unavailable":
        return found | {"parameter_count": "", "status": "unavailable" if status == "ok" else status}
    measured = {key: network.get(key) for key in _MEASURED}
    return found | {key: "" if value is None else value for key, value in measured.items()}


def read_metrics(path: Path) -> dict[str, Any] | None:
    """Return a lesson's metrics file, or None when there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file whole or not at all. Raises CourseError when it cannot be written."""
    try:
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            Path(scratch).chmod(mode)  # mkstemp makes files that only their owner can read
            Path(scratch).replace(path)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason, remedy = error.strerror or error, "make room or choose another folder"
        raise CourseError(f"{path} cannot be written ({reason}); {remedy}") from None


def csv_text(outcomes: Sequence[Outcome]) -> str:
    """Return results.csv: one row a lesson and network, columns in the order of `COLUMNS`."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        writer.writerows(outcome.rows())
    return buffer.getvalue()


def warnings(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what a reader of the table must not overlook: samples, random weights, missing weights."""
    found = []
    on_sample = [outcome.stem[:2] for outcome in outcomes if outcome.data_kind == "sample"]
    if on_sample:
        found.append(
            f"BUILT-IN SAMPLES served as pictures in lesson {', '.join(on_sample)}: "
            "these numbers say nothing about the real sets."
        )
    for outcome in outcomes:
        networks = (outcome.metrics or {}).get("networks") or {}
        asked = ((outcome.metrics or {}).get("parameters") or {}).get("weights")
        weights = {name: network.get("weights") for name, network in networks.items()}
        without = [name for name, kind in weights.items() if "vgg16" in name and kind == "random"]
        if without and asked != "random":
            found.append(
                f"RANDOM WEIGHTS stood in for the trained ones in lesson {outcome.stem[:2]} "
                f"({', '.join(without)}): that is no transfer learning."
            )
        missing = [name for name, kind in weights.items() if kind == "unavailable"]
        if missing:
            found.append(
                f"Weights could not be had in lesson {outcome.stem[:2]}: {', '.join(missing)} not measured."
            )
    return found


def _number(value: Any, form: str) -> str:
    return format(value, form) if isinstance(value, (int, float)) else ""


_SHOWN = (
    ("lesson", lambda row: row["lesson"]),
    ("status", lambda row: row["status"]),
    ("network", lambda row: row["network"]),
    ("weights", lambda row: row["weights"]),
    ("data", lambda row: row["data"].upper() if row["data"] == "sample" else row["data"]),
    ("parameters", lambda row: _number(row["parameter_count"], ",")),
    ("validation acc.", lambda row: _number(row["validation_accuracy"], ".4f")),
    ("test acc.", lambda row: _number(row["test_accuracy"], ".4f")),
    ("seconds", lambda row: _number(row["lesson_seconds"], ".1f")),
    ("peak MB", lambda row: _number(row["peak_rss_mb"], ",.0f")),
)
_TEXT_COLUMNS = 5


def _shown_rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    return [[show(row) for _, show in _SHOWN] for outcome in outcomes for row in outcome.rows()]


def table_text(outcomes: Sequence[Outcome]) -> str:
    """Return the table that a run prints at its end, with the warnings below it."""
    rows = [[name for name, _ in _SHOWN], *_shown_rows(outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_SHOWN))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, *warnings(outcomes)])


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; }}
body {{ margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }}
th, td {{ padding: .35rem .5rem; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top; }}
th, td {{ white-space: nowrap; }}
td:first-child {{ white-space: normal; }}
.number {{ text-align: right; }}
.loud {{ border: 3px solid #9a3412; padding: .6rem 1rem; font-weight: 700; }}
.failed {{ font-weight: 700; }}
pre {{ white-space: pre-wrap; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
{loud}
<div class="scroll">
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
{errors}
<p><a href="results.csv">results.csv</a> holds all columns; each lesson's JSON file holds its parameters and
versions.</p>
</body>
</html>
"""


def index_html(outcomes: Sequence[Outcome], *, title: str, summary: str, folder: Path) -> str:
    """Return the page that shows the results and links to each lesson's page and notebook."""
    head = "".join(
        f'<th scope="col"{"" if column < _TEXT_COLUMNS else " class=number"}>{name}</th>'
        for column, (name, _) in enumerate(_SHOWN)
    )
    lines = []
    for outcome in outcomes:
        for index, row in enumerate(outcome.rows()):
            shown = [html.escape(show(row)) for _, show in _SHOWN]
            shown[0] = _links(outcome, folder) if index == 0 else ""
            cells = [
                f'<td class="{"number" if column >= _TEXT_COLUMNS else row["status"]}">{cell}</td>'
                for column, cell in enumerate(shown)
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
    errors = "".join(
        f"<h2>{html.escape(outcome.stem)} failed</h2>\n<pre>{html.escape(outcome.error)}</pre>\n"
        for outcome in outcomes
        if not outcome.ok
    )
    loud = "".join(f'<p class="loud">{html.escape(line)}</p>\n' for line in warnings(outcomes))
    return _PAGE.format(
        title=html.escape(title),
        summary=html.escape(summary),
        loud=loud,
        head=head,
        body="\n".join(lines),
        errors=errors,
    )


def _links(outcome: Outcome, folder: Path) -> str:
    name = html.escape(outcome.stem)
    page = f'<a href="{name}.html">{name}</a>' if (folder / f"{outcome.stem}.html").exists() else name
    others = [
        f'<a href="{name}{ending}" aria-label="{name}, {what}">{what}</a>'
        for ending, what in ((".ipynb", "notebook"), (".json", "metrics"))
        if (folder / f"{outcome.stem}{ending}").exists()
    ]
    return page + (f" ({', '.join(others)})" if others else "")

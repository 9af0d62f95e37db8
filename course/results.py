"""What a run measured: rows of `results.csv`, the page `index.html` and the table at the end."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader

from course.lessons import Lesson
from helpers import COURSE_FOLDER, CourseError
from helpers.bookkeeping import NETWORK_METRICS

TEMPLATES = Path(__file__).resolve().parent / "templates"
COLUMNS = (
    *("lesson", "title", "profile", "network", "weights", "data", "status", "parameter_count"),
    *NETWORK_METRICS,
    *("lesson_seconds", "peak_rss_mb", "changed"),
)
# What the printed table and the page show: column, heading, form of the numbers.
_SHOWN = (
    ("lesson", "lesson", ""),
    ("status", "status", ""),
    ("network", "network", ""),
    ("weights", "weights", ""),
    ("data", "data", ""),
    ("parameter_count", "parameters", ",d"),
    ("validation_accuracy", "validation acc.", ".4f"),
    ("test_accuracy", "test acc.", ".4f"),
    ("lesson_seconds", "seconds", ".1f"),
    ("peak_rss_mb", "peak MB", ",.0f"),
    ("changed", "changed", ""),
)


@dataclass(frozen=True)
class Outcome:
    """One lesson's end: `error` is empty when it went well, `metrics` is empty when it left none."""

    lesson: Lesson
    profile: str
    seconds: float
    error: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data_kind(self) -> str:
        """`complete`, `partial`, `sample` or `none`."""
        return (self.metrics.get("data") or {}).get("kind") or "none"

    @property
    def data_words(self) -> str:
        """The kind of data for a reader, with `600 of 60,000` where fewer pictures were used."""
        data = self.metrics.get("data") or {}
        counts, used = data.get("counts") or {}, data.get("used") or {}
        fewer = [f"{used[part]:,} of {counts[part]:,} {part}" for part in used if used[part] != counts[part]]
        return ", ".join([self.data_kind.replace("sample", "SAMPLE"), *fewer])

    def in_words(self) -> str:
        """Return how it went and what it cost, for the line that a run prints."""
        memory = self.metrics.get("peak_rss_mb")
        cost = f"{self.seconds:.1f} s" + (f", {memory:,.0f} MB" if memory else "")
        if self.error:
            return f"FAILED ({cost})\n    {self.error}"
        data = self.data_words.replace("SAMPLE", "BUILT-IN SAMPLES")
        return f"ok ({cost})" if data == "none" else f"ok ({cost}, data: {data})"

    def rows(self) -> list[dict[str, Any]]:
        """Return the lesson's rows of results.csv: one a network, or one for the lesson."""
        base = dict.fromkeys(COLUMNS, None) | {
            "lesson": self.lesson.stem,
            "title": self.lesson.title,
            "profile": self.profile,
            "data": self.data_kind,
            "status": "failed" if self.error else "ok",
            "lesson_seconds": round(self.seconds, 1),
            "peak_rss_mb": self.metrics.get("peak_rss_mb"),
            "changed": " ".join(f"{name}={value}" for name, value in self.changed.items()),
        }
        found = []
        for name, network in (self.metrics.get("networks") or {}).items():
            row = base | {"network": name, "weights": network.get("weights")}
            if row["weights"] != "unavailable":
                row |= {key: network.get(key) for key in ("parameter_count", *NETWORK_METRICS)}
            elif not self.error:
                row["status"] = "unavailable"
            found.append(row)
        return found or [base]


def csv_text(outcomes: Sequence[Outcome]) -> str:
    """Return results.csv: one row a lesson and network, columns in the order of `COLUMNS`."""
    rows = [row for outcome in outcomes for row in outcome.rows()]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object).to_csv(index=False, lineterminator="\n")


def warnings(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what a reader of the table must not overlook: samples, random weights, missing weights."""
    found = []
    samples = ", ".join(each.lesson.number for each in outcomes if each.data_kind == "sample")
    if samples:
        served = f"BUILT-IN SAMPLES served as pictures in lesson {samples}"
        found.append(f"{served}: these numbers say nothing about the real sets.")
    for outcome in outcomes:
        lesson = f"lesson {outcome.lesson.number}"
        asked = (outcome.metrics.get("parameters") or {}).get("weights")
        networks = (outcome.metrics.get("networks") or {}).items()
        weights = {name: network.get("weights") for name, network in networks}
        borrowed = {name: kind for name, kind in weights.items() if name.startswith(("vgg16", "mobilenet"))}
        random = ", ".join(name for name, kind in borrowed.items() if kind == "random")
        if random and asked != "random":
            text = f"RANDOM WEIGHTS stood in for the trained ones in {lesson} ({random})"
            found.append(f"{text}: that is not transfer learning.")
        missing = ", ".join(name for name, kind in weights.items() if kind == "unavailable")
        if missing:
            found.append(f"Weights were unavailable in {lesson}: {missing} not measured.")
    return found


def _shown(outcome: Outcome) -> list[dict[str, str]]:
    """Return the lesson's rows as texts by heading, in the order of the table."""
    rows = [row | {"data": outcome.data_words} for row in outcome.rows()]
    return [
        {title: "" if row[name] is None else format(row[name], form) for name, title, form in _SHOWN}
        for row in rows
    ]


def table_text(outcomes: Sequence[Outcome]) -> str:
    """Return the table that a run prints at its end, with the warnings below it."""
    table = pd.DataFrame([row for outcome in outcomes for row in _shown(outcome)], dtype=str)
    for _, title, form in _SHOWN:
        if not form:  # texts to the left, numbers to the right
            width = max(table[title].str.len().max(), len(title))
            table[title] = table[title].str.ljust(width)
            table = table.rename(columns={title: title.ljust(width)})
    return "\n".join([table.to_string(index=False), *warnings(outcomes)])


def render(template: str, **values: Any) -> str:
    """Return a page: a file in `templates/`, filled in."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    return environment.get_template(template).render(**values)


def new_folder(output: Path | None, name: str, runs: Path = COURSE_FOLDER / "runs") -> Path:
    """Make the folder of a command, `output` or `runs/<name><time>`.

    Raises CourseError when it is not empty or cannot be made.
    """
    time = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    try:
        folder = (output or runs / f"{name}{time}").expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CourseError(f"{folder} is not empty: name a new folder with --output")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CourseError(f"{output or runs} cannot hold the results ({reason}); see --output") from None
    return folder


def index_html(outcomes: Sequence[Outcome], summary: str, folder: Path) -> str:
    """Return the page that shows the results and links to each lesson's page and notebook."""
    return render(
        "results.html.j2",
        summary=summary,
        results=[(outcome.lesson, outcome.error, _shown(outcome)) for outcome in outcomes],
        headings=[heading for _, heading, _ in _SHOWN],
        numbers=[heading for _, heading, form in _SHOWN if form],
        warnings=warnings(outcomes),
        files=sorted(path.name for path in folder.iterdir() if path.name != "index.html"),
    )

"""What many runs of a lesson reached: `sweep.csv`, `sweep.parquet` and one page, `sweep.html`."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course import say
from course.lessons import SET_BY_RUN, Lesson, seen_from
from course.results import COLUMNS, Outcome, render, warnings
from helpers.files import write_json, write_text

# What runs are judged by: the first that a lesson measures. Test pictures choose nothing where others can.
_JUDGED_BY = ("validation_accuracy", "test_accuracy", "macro_f1", "test_loss")
_SMALLER_IS_BETTER = ("test_loss",)
_OVER_SEEDS = {"median": "median", "lowest": "min", "highest": "max"}
_WORDS = {"lesson_seconds": "seconds of a run", "peak_rss_mb": "memory (MB)"}
ROW, PAGE = "row.json", "sweep.html"


@dataclass(frozen=True)
class Result:
    """One run: what it is called, how it went, and the folder with its files (none when it died)."""

    name: str
    outcome: Outcome
    folder: Path | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The run's parameters, as far as they are known."""
        changed = self.outcome.changed  # in the order of the command
        known = {**changed, **(self.outcome.metrics.get("parameters") or {}), **changed}
        return {name: value for name, value in known.items() if name != SET_BY_RUN}

    def write(self, folder: Path) -> None:
        """Write the row of a run that has ended into its folder. Raises CourseError when that fails."""
        one = self.outcome
        row = {"name": self.name, "lesson": one.lesson.stem, "title": one.lesson.title}
        row |= {"profile": one.profile, "values": dict(one.changed), "seconds": one.seconds}
        write_json(folder / ROW, row | {"error": one.error, "metrics": one.metrics})

    @classmethod
    def read(cls, folder: Path) -> "Result":
        """Read such a row. Raises OSError, ValueError, LookupError or TypeError when it is damaged."""
        row = json.loads((folder / ROW).read_text(encoding="utf-8"))
        lesson = Lesson(folder / f"{row['lesson']}.ipynb", row["title"])
        texts = ("profile", "seconds", "error", "metrics", "values")
        return cls(row["name"], Outcome(lesson, *(row[name] for name in texts)), folder)


def write_report(results: Sequence[Result], folder: Path, summary: str) -> None:
    """Write the table as CSV and, where pyarrow is installed, as Parquet, and the page on it.

    `results` may be of several lessons; each gets its part of the page. Raises CourseError or OSError when
    a file cannot be written.
    """
    lessons: dict[str, list[Result]] = {}
    for result in results:
        lessons.setdefault(result.outcome.lesson.stem, []).append(result)
    tables = {stem: table(group, folder) for stem, group in lessons.items()}
    whole = pd.concat(tables.values(), ignore_index=True)
    write_text(folder / "sweep.csv", whole.to_csv(index=False, lineterminator="\n"))
    try:
        scratch = folder / "sweep.parquet.tmp"
        whole.to_parquet(scratch, index=False)
        scratch.replace(folder / "sweep.parquet")
    except ImportError:
        say("sweep.parquet was left out: it needs pyarrow (python -m pip install --editable '.[cluster]').")
    parts = [_part(group, tables[stem]) for stem, group in lessons.items()]
    write_text(folder / PAGE, render("sweep.html", parts=parts, summary=summary))


def _in_words(metric: str) -> str:
    return _WORDS.get(metric, metric.replace("_", " "))


def reached(outcome: Outcome) -> str:
    """Return what a run's networks reached, in words; nothing where it measured none."""
    networks = outcome.metrics.get("networks") or {}
    for metric in _JUDGED_BY:
        if found := [
            f"{name} {row[metric]:.4f}" for name, row in networks.items() if row.get(metric) is not None
        ]:
            return f"{_in_words(metric)}: {', '.join(found)}"
    return ""


def varied(results: Sequence[Result]) -> dict[str, list[Any]]:
    """Return the parameters in which runs of a lesson differ, each with its values in their order."""
    names = dict.fromkeys(name for result in results for name in result.values)
    found = {}
    for name in names:
        values = list(dict.fromkeys(result.values[name] for result in results if name in result.values))
        if len(values) > 1:
            found[name] = sorted(values, key=lambda value: (isinstance(value, str), value))
    return found


def table(results: Sequence[Result], folder: Path) -> pd.DataFrame:
    """Return one row a run and network: `parameter.NAME` for what varied, and the columns of results.csv.

    `notebook` is the executed notebook's file as seen from `folder`.
    """
    names, rows = varied(results), []
    for result in results:
        notebook = ""
        if result.folder is not None:
            notebook = seen_from(folder, result.folder / f"{result.outcome.lesson.stem}.ipynb")
        head = {"run": result.name, **{f"parameter.{name}": result.values.get(name) for name in names}}
        last = {"error": result.outcome.error, "notebook": notebook}
        rows += [head | row | last for row in result.outcome.rows()]
    frame = pd.DataFrame(
        rows, columns=["run", *(f"parameter.{name}" for name in names), *COLUMNS, "error", "notebook"]
    )
    measured = [*_JUDGED_BY, "parameter_count", "train_seconds", "lesson_seconds", "peak_rss_mb"]
    frame[measured] = frame[measured].apply(pd.to_numeric)
    frame[["network", "weights"]] = frame[["network", "weights"]].fillna("")
    return frame


def _part(results: Sequence[Result], frame: pd.DataFrame) -> dict[str, Any]:
    """Return what the page says about one lesson."""
    names, outcomes = varied(results), [result.outcome for result in results]
    metric = next((name for name in _JUDGED_BY if frame[name].notna().any()), "")
    judged = frame[frame[metric].notna()] if metric else frame[:0]
    settings = {f"parameter.{name}": name for name in names if name != "seed"}
    settings = settings or ({"lesson": "lesson"} if names else {"run": "run"})  # the seed alone is no setting
    first = results[0].values
    same = [name for name in first if all(result.values.get(name) == first[name] for result in results)]
    kinds = {outcome.data_kind for outcome in outcomes if outcome.metrics}
    loud = list(dict.fromkeys(line for outcome in outcomes for line in warnings([outcome])))
    if len(kinds) > 1:
        loud.append(f"These runs saw different pictures ({', '.join(sorted(kinds))}): do not compare them.")
    memory = frame["peak_rss_mb"].max()
    ends, pairs = _ends(judged, names, metric, results)
    return {
        "lesson": outcomes[0].lesson,
        "loud": loud,
        "varied": {name: ", ".join(map(str, values)) for name, values in names.items()},
        "same": ", ".join(f"{name}={first[name]}" for name in same if first[name] != ""),
        "data": ", ".join(dict.fromkeys(outcome.data_words for outcome in outcomes if outcome.metrics)),
        "profiles": ", ".join(dict.fromkeys(outcome.profile for outcome in outcomes)),
        "metric": _in_words(metric),
        "summary": _summary(judged, settings, metric),
        "charts": _charts(judged, settings, metric, results),
        "ends": ends,
        "pairs": pairs,
        "count": len(results),
        "minutes": sum(outcome.seconds for outcome in outcomes) / 60,
        "slowest": max(outcome.seconds for outcome in outcomes),
        "memory": None if np.isnan(memory) else memory,
        "runs": _runs(frame, names, metric),
        "failed": [
            (_named(result, names), result.outcome.error) for result in results if result.outcome.error
        ],
    }


def _named(result: Result, names: Iterable[str]) -> str:
    """Return what distinguishes a run, in words: its values, or its name where there are none."""
    return (
        ", ".join(f"{name}={result.values[name]}" for name in names if name in result.values) or result.name
    )


def _summary(judged: pd.DataFrame, settings: Mapping[str, str], metric: str) -> list[dict[str, str]]:
    """Return the table over the seeds: a row for each network and setting; the best median is marked."""
    rows = []
    for network, of_network in judged.groupby("network", sort=False):
        groups = list(of_network.groupby(list(settings), sort=False, dropna=False))
        medians = pd.Series([group[metric].median() for _, group in groups])
        best = medians.idxmin() if metric in _SMALLER_IS_BETTER else medians.idxmax()
        for number, (values, group) in enumerate(groups):
            row = dict(zip(settings.values(), map(str, values), strict=True))
            row["network"] = network
            row |= {name: f"{group[metric].agg(of):.4g}" for name, of in _OVER_SEEDS.items()}
            row["runs"] = f"{len(group)}"
            if metric == "validation_accuracy" and judged["test_accuracy"].notna().any():
                row["test accuracy, median"] = f"{group['test_accuracy'].median():.4g}"
            row["seconds, median"] = f"{group['lesson_seconds'].median():.1f}"
            row["note"] = "best median" if medians.nunique() > 1 and number == best else ""
            rows.append(row)
    empty = "" if any(row["note"] for row in rows) else "note"
    return [{name: text for name, text in row.items() if name != empty} for row in rows]


def _charts(
    judged: pd.DataFrame, settings: Mapping[str, str], metric: str, results: Sequence[Result]
) -> list[tuple[str, Any]]:
    """Return the charts, each with its caption."""
    from course import charts  # matplotlib takes a second

    words, found = _in_words(metric), []
    for column, name in settings.items() if metric else ():
        caption = f"{words.capitalize()} against {name}: every run a faint mark, the median a full one."
        found.append((caption, charts.effect(judged, column, name, metric, words)))
    for pair in itertools.combinations(settings, 2):
        names = [settings[column] for column in pair]
        for network, rows in judged.groupby("network", sort=False):
            caption = f"Median {words} of {network} by {names[0]} and {names[1]}."
            found.append((caption, charts.heat_map(rows, pair, names, metric, f"{words} of {network}")))
    trainings: dict[str, list[tuple[str, Any]]] = {}
    for result in results:
        name = next(iter(settings.values()))
        label = f"{name}={result.values[name]}" if name in result.values else result.name
        for what, epochs in (result.outcome.metrics.get("history") or {}).items():
            if len(epochs) > 1:
                trainings.setdefault(what, []).append((label, epochs))
    for what, group in trainings.items():
        key = next((key for key in ("val_loss", "loss") if all(key in epochs[-1] for _, epochs in group)), "")
        if key:
            caption = f"Training of {what}: {key} after each epoch, one line a run."
            found.append((caption, charts.curves(group, key, f"Training of {what}")))
    return found


def _ends(
    judged: pd.DataFrame, names: Iterable[str], metric: str, results: Sequence[Result]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return each network's best and worst run, and the two compared picture by picture where possible."""
    by_name, found, pairs = {result.name: result for result in results}, [], []
    for network, rows in judged.groupby("network", sort=False):
        rows = rows.sort_values(metric, ascending=metric in _SMALLER_IS_BETTER, kind="stable")
        ends = [rows.iloc[0], rows.iloc[-1]] if len(rows) > 1 else []
        for word, row in zip(("best", "worst"), ends, strict=False):
            result = by_name[row["run"]]
            values = {"network": network, "run": word, "settings": _named(result, names)}
            found.append(values | {"value": f"{row[metric]:.4g}", "notebook": row["notebook"]})
        if ends:
            pairs += _paired(network, *(by_name[row["run"]] for row in ends), names)
    return found, pairs


def _paired(network: str, best: Result, worst: Result, names: Iterable[str]) -> list[dict[str, str]]:
    """Compare two runs that say of the same test pictures which they had right ("0110..."), in words."""
    metrics = [result.outcome.metrics for result in (best, worst)]
    rights = [each["networks"][network].get("right", "") for each in metrics]
    if not rights[0] or len(rights[0]) != len(rights[1]) or _tested_on(metrics[0]) != _tested_on(metrics[1]):
        return []
    from helpers.evaluation import compare

    compared = compare(*(np.array(list(right)) == "1" for right in rights))
    if compared.p_value < 0.05:
        ahead = "best" if compared.only_a > compared.only_b else "worst"
        meaning = f"the {ahead} run has more pictures right, and chance hardly explains how many more"
    elif compared.only_a + compared.only_b:
        meaning = "chance alone may explain the difference"
    else:
        meaning = "both have the same pictures right"
    counts = {"both right": compared.both, "only best right": compared.only_a}
    counts |= {"only worst right": compared.only_b, "both wrong": compared.neither}
    row = {"network": network, "best run": _named(best, names), "worst run": _named(worst, names)}
    row |= {words: f"{count:,}" for words, count in counts.items()}
    p = "below 0.001" if compared.p_value < 0.001 else f"{compared.p_value:.2g}"
    return [row | {"p": p, "what it means": meaning}]


def _tested_on(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells runs' test pictures apart; they may have learnt from different numbers of others."""
    data = metrics.get("data") or {}
    return data | {"used": (data.get("used") or {}).get("test")}


def _runs(frame: pd.DataFrame, names: Iterable[str], metric: str) -> list[dict[str, str]]:
    """Return the table of all runs as texts."""
    forms = {"test_accuracy": ".4g", "lesson_seconds": ".1f", "peak_rss_mb": ",.0f"}
    forms = ({metric: ".4g"} if metric else {}) | forms
    forms = {name: form for name, form in forms.items() if frame[name].notna().any()}
    rows = []
    for row in frame.to_dict("records"):
        shown = {name: str(row[f"parameter.{name}"]) for name in names} | {"network": row["network"]}
        shown |= {"data": row["data"].replace("sample", "SAMPLE"), "status": row["status"]}
        for name, form in forms.items():
            shown[_in_words(name)] = "" if np.isnan(row[name]) else format(row[name], form)
        rows.append({"run": row["run"], "notebook": row["notebook"], "cells": shown})
    return rows

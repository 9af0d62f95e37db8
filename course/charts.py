"""The charts of a sweep's page: SVG in the page's own colours, light or dark, each with its text."""

import io
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

_INK = "#010203"  # stands for the page's colour of text
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b5679a", "#7a7a7a", "#a67c00")  # seen on white and on black
_MARKERS, _LINES = "osD^vP", ("-", "--", "-.", ":")
_KINDS = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
_STYLE = matplotlib.rc_context(
    dict.fromkeys(_KINDS, _INK)
    | dict.fromkeys(("axes.facecolor", "figure.facecolor", "legend.facecolor"), "none")
    | dict.fromkeys(("text.parse_math", "axes.spines.top", "axes.spines.right", "legend.frameon"), False)
    | {"svg.fonttype": "none", "font.size": 11, "axes.grid": True, "grid.alpha": 0.2}
)
_numbers = itertools.count(1)


def grows_by_factors(values: Sequence[Any]) -> bool:
    """Tell whether values belong on a logarithmic axis: 0.001, 0.003, 0.01 do, 1, 2, 3 do not."""
    if not all(_is_number(value) and value > 0 for value in values) or len(values) < 2:
        return False
    ordered = sorted(values)
    if len(ordered) == 2:
        return ordered[1] / ordered[0] >= 10
    steps, factors = np.diff(ordered), np.diff(np.log(ordered))
    return bool(factors.std() / factors.mean() < steps.std() / steps.mean())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


@_STYLE
def effect(frame: pd.DataFrame, column: str, name: str, metric: str, words: str) -> Markup:
    """Draw a metric against one parameter: all runs as dots, the median of each network as a line."""
    values = sorted(frame[column].unique(), key=lambda value: (isinstance(value, str), value))
    numeric, log = all(map(_is_number, values)), grows_by_factors(values)
    places = dict(zip(values, values if numeric else range(len(values)), strict=True))
    fig, axis = _axes(words, name)
    said = []
    for number, (network, rows) in enumerate(frame.groupby("network", sort=False)):
        look = {"color": _COLOURS[number % 6], "marker": _MARKERS[number % 6]}
        axis.plot(rows[column].map(places), rows[metric], alpha=0.55, linestyle="none", markersize=5, **look)
        medians = rows.groupby(column)[metric].median()
        x = [places[value] for value in medians.index]
        axis.plot(x, medians, linewidth=2, linestyle=_LINES[number % 4], label=network, **look)
        said.append(
            f"{network} " + ", ".join(f"{median:.4g} at {value}" for value, median in medians.items())
        )
    if log:
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
    if not numeric or len(values) <= 8:
        axis.set_xticks(list(places.values()), [str(value) for value in values])
    _legend(axis, len(said))
    scale = ", logarithmic axis" if log else ""
    return _svg(fig, f"{words} against {name}{scale}; median of the runs: {'; '.join(said)}.")


@_STYLE
def heat_map(
    frame: pd.DataFrame, columns: Sequence[str], names: Sequence[str], metric: str, words: str
) -> Markup:
    """Draw the median of a metric for each pair of values of two parameters."""
    grid = frame.pivot_table(index=columns[0], columns=columns[1], values=metric, aggfunc="median")
    fig = Figure(figsize=(1.6 + 0.95 * len(grid.columns), 1.3 + 0.5 * len(grid)), layout="constrained")
    axis = fig.add_subplot(xlabel=names[1], ylabel=names[0])
    axis.grid(False)
    mesh = axis.pcolormesh(grid.to_numpy(), cmap="viridis", edgecolors=_INK, linewidth=0.5)
    said = []
    for (row, column), value in np.ndenumerate(grid.to_numpy()):
        if not np.isnan(value):
            light = sum(mesh.cmap(mesh.norm(value))[:3]) > 1.5
            ink = "black" if light else "white"
            axis.text(column + 0.5, row + 0.5, f"{value:.4g}", ha="center", va="center", color=ink)
            said.append(f"{value:.4g} at {grid.index[row]} and {grid.columns[column]}")
    axis.set_xticks(np.arange(len(grid.columns)) + 0.5, [str(value) for value in grid.columns])
    axis.set_yticks(np.arange(len(grid)) + 0.5, [str(value) for value in grid.index])
    return _svg(fig, f"Median {words} by {names[0]} and {names[1]}: {'; '.join(said)}.")


@_STYLE
def curves(trainings: Sequence[tuple[str, Sequence[Mapping[str, float]]]], key: str, what: str) -> Markup:
    """Draw what was reported after each epoch, one line a training; a colour for each label."""
    labels = list(dict.fromkeys(label for label, _ in trainings))
    fig, axis = _axes(key, "epoch")
    said = []
    for number, label in enumerate(labels):
        shade = matplotlib.colormaps["viridis"](0.3 + 0.5 * number / len(labels))
        colour = shade if len(labels) > len(_COLOURS) else _COLOURS[number]
        look = {"color": colour, "linestyle": _LINES[number % 4], "linewidth": 1.5, "alpha": 0.8}
        group = [epochs for each, epochs in trainings if each == label]
        for first, epochs in zip([label, *[None] * len(group)], group, strict=False):
            axis.plot([row["epoch"] for row in epochs], [row[key] for row in epochs], label=first, **look)
        ends = [epochs[-1][key] for epochs in group]
        said.append(f"{label or 'all runs'} from {min(ends):.4g} to {max(ends):.4g}")
    axis.xaxis.get_major_locator().set_params(integer=True)
    _legend(axis, len(labels) if any(labels) else 0)
    return _svg(
        fig, f"{what}: {key} after each epoch of {len(trainings)} trainings; at the end {'; '.join(said)}."
    )


def _axes(words: str, name: str) -> tuple[Figure, Any]:
    fig = Figure(figsize=(7.5, 3.8), layout="constrained")
    return fig, fig.add_subplot(xlabel=name, ylabel=words)


def _legend(axis: Any, lines: int) -> None:
    if lines > 1:
        axis.legend(fontsize=10, ncols=1 + lines // 8)


def _svg(fig: Figure, text: str) -> Markup:
    """Return a figure for a page: as wide as the page, ids of its own, `text` as its alternative."""
    buffer, key = io.StringIO(), f"chart{next(_numbers)}"
    fig.savefig(buffer, format="svg", metadata={"Date": None})
    svg = re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    svg = re.sub(r'(?<=\bid=")|(?<=url\(#)|(?<=href="#)', f"{key}-", svg)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2).replace(_INK, "currentColor")
    head = f'<svg role="img" aria-labelledby="{key}" style="max-width: {fig.get_figwidth() * 6:.0f}rem"'
    svg = svg.replace("<svg", head, 1)
    return Markup(svg.replace(">", f'><title id="{key}">{escape(text)}</title>', 1))

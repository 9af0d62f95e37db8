"""Drawings of lessons 2 and 2a: a network with all its numbers, and a window that a slider moves."""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from helpers import figures
from helpers.convolution import correlate2d


def network_strip(stages: Mapping[str, Sequence[np.ndarray]], *, alt: str, caption: str) -> None:
    """Draw the stages of a network, each a title and 2-D arrays of values from -1 to 1, in full."""
    tables, arrows, left = [], [], 0.0
    for title, arrays in stages.items():
        top = -sum(len(array) + 0.8 for array in arrays) / 2
        arrows += [left - 1.3] if left else []
        for array in arrays:
            tables.append((array, left, top, title, "PuOr" if left else "gray", 1, None))
            top, title = top + len(array) + 0.8, ""
        left += arrays[0].shape[1] + 1.4
    _show(tables, arrows, 7.5, alt, caption)


def window_view(picture: np.ndarray, kernel: np.ndarray, place: int, divide: int = 1, **settings: int):
    """Draw one window of a picture, its products with a kernel, and all results up to this place.

    `place` counts from 1, row by row, and stops at the last one. The sum of the products is divided by
    `divide`. `settings` are those of `correlate2d`.
    """
    stride, dilation = settings.get("stride", 1), settings.get("dilation", 1)
    results = correlate2d(picture, kernel, **settings) / divide
    place = min(place, results.size)
    row, column = np.unravel_index(place - 1, results.shape)
    padded, reach = np.pad(picture, settings.get("padding", 0)), dilation * (len(kernel) - 1) + 1
    top, left, side = row * stride, column * stride, padded.shape[1]
    seen = padded[top : top + reach : dilation, left : left + reach : dilation]
    total = f"{(seen * kernel).sum():g}" + f"; by {divide}: {results[row, column]:.2f}" * (divide > 1)
    results.flat[place:] = np.nan  # not reached yet
    tables = [(padded, 0, 0, "picture", "gray", 1, (top, left, reach, reach))]
    for start, array, title in ((1, seen, "window"), (5, kernel, "kernel"), (9, seen * kernel, "products")):
        tables.append((array, side + start, 0, title, "gray", 1, None))
    tables.append((results, side + 13, 0, "results so far", "PuOr", 9 / divide, (row, column, 1, 1)))
    caption = f"Place {place} of {results.size}: the products add up to {total}."
    alt = f"The window at row {top + 1}, column {left + 1} is framed, and so is its result. {caption}"
    _show(tables, [], 8, alt, caption)


def slider(draw: Callable[[int], None], places: int, still: int) -> None:
    """Let a slider call `draw(place)` with 1 to `places`; where there are no sliders, draw place `still`."""
    in_vs_code = hasattr(sys.modules["__main__"], "__vsc_ipynb_file__")
    live = in_vs_code or "JPY_SESSION_NAME" in os.environ or "google.colab" in sys.modules
    if live and importlib.util.find_spec("ipywidgets"):
        import ipywidgets

        ipywidgets.interact(draw, place=ipywidgets.IntSlider(value=1, min=1, max=places))
    else:
        draw(still)


def _show(tables: Sequence[tuple], arrows: Sequence[float], size: float, alt: str, caption: str) -> None:
    """Draw tables of (array, left, top, title, colours, largest value, framed cells), measured in cells."""
    fig, axes = plt.subplots()
    for array, left, top, title, colours, most, frame in tables:
        edges = (left, left + array.shape[1], top + len(array), top)
        axes.imshow(array, extent=edges, cmap=colours, vmin=-most, vmax=most)
        axes.text((left + edges[1]) / 2, top - 0.25, title, ha="center", va="bottom", fontsize=9)
        for row, column in np.argwhere(np.isfinite(array)):
            value = round(float(array[row, column]), 2)
            text = f"{value:.0f}" if value == round(value) else f"{value:.2f}".replace("0.", ".", 1)
            ink = "white" if (value < 0 if colours == "gray" else abs(value) > 0.6 * most) else "black"
            look = {"color": ink, "fontsize": size, "ha": "center", "va": "center"}
            axes.text(left + column + 0.5, top + row + 0.5, text, **look)
        frames = [((0, 0, *array.shape), "0.5", 1)] + ([(frame, figures.COLOURS[3], 3)] if frame else [])
        for (row, column, high, wide), colour, line in frames:
            axes.add_patch(Rectangle((left + column, top + row), wide, high, fill=False, ec=colour, lw=line))
    for left in arrows:
        axes.annotate("", (left + 1.2, 0), (left, 0), arrowprops={"arrowstyle": "-|>"})
    right = max(table[1] + table[0].shape[1] for table in tables)
    upper, lower = min(table[2] for table in tables) - 1.5, max(table[2] + len(table[0]) for table in tables)
    axes.set(xlim=(-0.2, right + 0.2), ylim=(lower + 0.2, upper), position=(0, 0, 1, 1))
    axes.set_axis_off()
    fig.set_size_inches(0.262 * (right + 0.4), 0.262 * (lower + 0.2 - upper))  # a cell is 26 pixels wide
    figures.show(fig, alt=alt, caption=caption)

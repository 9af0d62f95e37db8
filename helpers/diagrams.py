"""The drawing of lesson 2's whole network, with all its numbers."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from helpers import figures


def network_strip(stages: Mapping[str, Sequence[np.ndarray]], *, alt: str, caption: str) -> None:
    """Draw the stages of a network, each a title and 2-D arrays of values from -1 to 1, in full."""
    fig, axes = plt.subplots()
    left, lowest, highest = 0.0, 0.0, 0.0  # measured in cells
    for title, arrays in stages.items():
        if left:
            axes.annotate("", (left - 0.1, 0), (left - 1.3, 0), arrowprops={"arrowstyle": "-|>"})
        top = -sum(len(array) + 0.8 for array in arrays) / 2
        highest = min(highest, top)
        for array in arrays:
            _table(axes, array, left, top, title, "PuOr" if left else "gray")
            top, title = top + len(array) + 0.8, ""
        lowest = max(lowest, top - 0.8)
        left += arrays[0].shape[1] + 1.4
    axes.set(xlim=(-0.2, left - 1.2), ylim=(lowest + 0.2, highest - 1.5), position=(0, 0, 1, 1))
    axes.set_axis_off()
    fig.set_size_inches(0.262 * (left - 1), 0.262 * (lowest + 1.7 - highest))  # a cell is 26 pixels wide
    figures.show(fig, alt=alt, caption=caption)


def _table(axes: plt.Axes, array: np.ndarray, left: float, top: float, title: str, colours: str) -> None:
    """Draw one array from its top left corner on, with its numbers in the cells."""
    edges = (left, left + array.shape[1], top + len(array), top)
    axes.imshow(array, extent=edges, cmap=colours, vmin=-1, vmax=1)
    axes.text((left + edges[1]) / 2, top - 0.25, title, ha="center", va="bottom", fontsize=9)
    for (row, column), number in np.ndenumerate(array):
        value = round(float(number), 2)
        text = f"{value:.0f}" if value == round(value) else f"{value:.2f}".replace("0.", ".", 1)
        ink = "white" if (value < 0 if colours == "gray" else abs(value) > 0.6) else "black"
        look = {"color": ink, "fontsize": 7.5, "ha": "center", "va": "center"}
        axes.text(left + column + 0.5, top + row + 0.5, text, **look)
    axes.add_patch(Rectangle((left, top), array.shape[1], len(array), fill=False, ec="0.5", lw=1))

"""Every plot that more than one lesson draws, each with its caption and its text alternative.

All functions take `alt` (what is to be seen, for someone who cannot see it) and `caption` (one
sentence, shown below the picture) and hand these `texts` to `show`. Colours survive colour blindness
and grey print: series also differ in line style and marker, heat maps run from light to dark and carry
their numbers. Titles and names are drawn as they are written, `$` included.
"""

import base64
import html
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from helpers.evaluation import wilson_interval

MOST_THUMBNAILS = 24
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
COLOURS = sns.color_palette("colorblind")
# matplotlib's own font lacks Burmese; Linux, Windows and macOS have it under different names
BURMESE = {"Noto Sans Myanmar", "Padauk", "Myanmar Text", "Myanmar MN"} & set(get_font_names())

WIDE = 10.4  # inches: in a window of 800 pixels the writing on a wider figure would shrink to a few

plt.rc("figure", dpi=100)
plt.rc("font", size=11, family=["sans-serif", *sorted(BURMESE)])
plt.rc("axes", titlesize=11, prop_cycle=plt.cycler(color=COLOURS))
plt.rc("axes.spines", top=False, right=False)
plt.rc("legend", frameon=False)
plt.rc("image", cmap="gray")
AS_WRITTEN = plt.rc_context({"text.parse_math": False})  # a name such as "cash $5$" is not a formula


def show(fig: Figure, *, alt: str, caption: str, photo: bool = False) -> None:
    """Display a finished figure with its text alternative and its caption, and close it.

    JupyterLab and Colab take no notice of the text alternative that a picture carries, so it also stands,
    folded, below the caption. `photo=True` stores it as JPEG (quality 80), which is a sixth of the size for
    photographs; graphs stay PNG. A wide figure is not shrunk to JupyterLab's window but scrolls within its
    own box. Raises `ValueError` when alt or caption is empty.
    """
    alt, caption = _readable(alt), _readable(caption)
    if not alt.strip() or not caption.strip():
        raise ValueError("a figure needs a text alternative (alt) and a caption")
    kind, options = ("image/jpeg", {"pil_kwargs": {"quality": 80}}) if photo else ("image/png", {})
    look = {"alt": alt} | ({"unconfined": True} if fig.get_figwidth() > WIDE else {})
    picture = io.BytesIO()
    fig.savefig(picture, format=kind.split("/")[1], bbox_inches="tight", facecolor="white", **options)
    plt.close(fig)
    content = base64.b64encode(picture.getvalue()).decode("ascii")
    display({kind: content, "text/plain": f"[Figure: {alt}]"}, raw=True, metadata={kind: look})
    words = html.escape(" ".join(alt.split()), quote=False)
    display(Markdown(f"*{caption}*\n\n<details><summary>In words</summary>{words}</details>"))


def _readable(name: Any) -> str:
    """Return a name as text; what is not valid UTF-8, as in some file names, becomes a question mark."""
    return str(name).encode("utf-8", "replace").decode()


def _grid(count: int, columns: int, width: float, height: float, **ratios: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` bare axes in rows of `columns`, of `width` x `height` inches on average."""
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    size = (width * columns, height * rows)
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **ratios)
    for axis in axes.flat:
        axis.set_axis_off()
    return fig, list(axes.flat)[:count]


@AS_WRITTEN
def number_pictures(
    arrays: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    decimals: int = 0,
    numbers: bool = True,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str = "gray",
    columns: int = 3,
    cell: float = 0.36,
    windows: Sequence[tuple[int, int, int, int] | None] | None = None,
    **texts: str,
) -> None:
    """Show small 2-D arrays as pictures with their numbers written into the cells.

    `arrays` have shape (rows, columns), any range: `vmin` is drawn dark and `vmax` light (the smallest
    and largest value of all arrays unless given). `windows` frames, in each array, the cells of
    (first row, first column, rows, columns). `cell` is the side of a cell in inches.
    """
    arrays = [np.atleast_2d(np.asarray(array, dtype=float)) for array in arrays]
    low = min(np.nanmin(array) for array in arrays) if vmin is None else vmin
    high = max(np.nanmax(array) for array in arrays) if vmax is None else vmax
    # every cell is drawn equally large, so that a 3x3 kernel looks smaller than the picture it meets
    columns = max(1, min(columns, len(arrays)))
    widths = [max([4.0, *(a.shape[1] for a in arrays[start::columns])]) for start in range(columns)]
    heights = [max(a.shape[0] for a in arrays[top : top + columns]) for top in range(0, len(arrays), columns)]
    width, height = cell * np.mean(widths) + 0.3, cell * np.mean(heights) + 0.5
    fig, axes = _grid(len(arrays), columns, width, height, width_ratios=widths, height_ratios=heights)
    for position, (axis, array, title) in enumerate(zip(axes, arrays, titles, strict=True)):
        middle, room = array.shape[1] / 2 - 0.5, widths[position % columns] / 2
        picture = axis.imshow(array, cmap=cmap, vmin=low, vmax=high)
        axis.set_xlim(middle - room, middle + room)
        axis.set_ylim(heights[position // columns] - 0.5, -0.5)
        axis.add_patch(Rectangle((-0.5, -0.5), *array.shape[::-1], fill=False, ec="0.4", clip_on=False))
        axis.set_title(_readable(title))
        if numbers:
            _write_numbers(picture, array, decimals, cell)
        if windows and windows[position]:
            row, column, tall, wide = windows[position]
            for ink, line in (("white", 5), (COLOURS[3], 2.5)):  # white: seen on dark cells
                corner = column - 0.5, row - 0.5
                axis.add_patch(Rectangle(corner, wide, tall, fill=False, ec=ink, lw=line))
    show(fig, **texts)


def _write_numbers(picture: AxesImage, array: np.ndarray, decimals: int, cell: float) -> None:
    """Write each number into its cell: black on light cells, white on dark ones."""
    texts = [f"{value:z.{decimals}f}" for value in array.flat]  # z: no "-0.00"
    size = min(11.0, cell * 72 / (0.62 * max(2, *map(len, texts))) * 0.85)
    light = picture.to_rgba(array)[..., :3] @ (0.299, 0.587, 0.114) > 0.5
    for (row, column), text in zip(np.ndindex(array.shape), texts, strict=True):
        ink = "black" if light[row, column] else "white"
        picture.axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)


@AS_WRITTEN
def photo_grid(
    images: Iterable[np.ndarray],
    titles: Iterable[str],
    *,
    columns: int = 6,
    size: float = 1.6,
    photo: bool = True,
    right: Sequence[bool] | None = None,
    **texts: str,
) -> None:
    """Show at most 24 pictures as thumbnails, `size` inches wide, with a title each.

    Pictures have shape (height, width), (height, width, 1) or (height, width, 3): whole numbers
    0..255 or floats 0..1. `right` puts a tick or a cross before each title. `photo=False` stores a PNG
    (drawings, digits). Raises `ValueError` for more pictures.
    """
    images, titles = [np.asarray(image) for image in images], [_readable(title) for title in titles]
    if len(images) > MOST_THUMBNAILS:
        raise ValueError(f"{len(images)} pictures: a figure shows at most {MOST_THUMBNAILS}")
    if right is not None:
        titles = [f"{'✓' if ok else '✗'} {title}" for ok, title in zip(right, titles, strict=True)]
    lines = max(title.count("\n") + 1 for title in titles)
    tall = min(2.2, max(image.shape[0] / image.shape[1] for image in images))
    fig, axes = _grid(len(images), columns, size, size * tall + 0.22 * lines)
    for axis, image, title in zip(axes, images, titles, strict=True):
        whole = image.max() > 1 or np.issubdtype(image.dtype, np.integer)
        axis.imshow(image.astype("uint8") if whole else image, vmin=0, vmax=255 if whole else 1)
        axis.set_title(title, fontsize=9)
    show(fig, **texts, photo=photo)


@AS_WRITTEN
def curves(histories: Mapping[str, Any], **texts: str) -> None:
    """Draw loss and accuracy after each epoch: training dashed, validation solid.

    `histories` maps a network's name to what `fit` returned, or to its `history` dictionary
    (lists of one number an epoch, under "loss", "accuracy", "val_loss", "val_accuracy").
    """
    records = {name: getattr(history, "history", history) for name, history in histories.items()}
    last = max(len(values) for record in records.values() for values in record.values())
    fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, metric in zip(axes, ("loss", "accuracy"), strict=True):
        for position, (name, record) in enumerate(records.items()):
            look = {"color": COLOURS[position % 10], "marker": MARKERS[position % 7], "markersize": 5}
            look["markevery"] = max(1, last // 20)  # a marker at each of 200 epochs would hide the line
            for key, style, fill in ((metric, "--", "white"), (f"val_{metric}", "-", None)):
                if key in record:
                    phase = "validation" if key.startswith("val_") else "training"
                    label = f"{name}, {phase}" if name else phase
                    epochs = range(1, len(record[key]) + 1)
                    axis.plot(epochs, record[key], style, mfc=fill, label=label, **look)
        room = max(0.5, 0.05 * (last - 1))  # whole epochs only, even when there is just one
        axis.set(xlabel="epoch", ylabel=metric, xlim=(1 - room, last + room))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axis.grid(alpha=0.3)
    axes[1].set_ylabel("accuracy (share right)")
    keys = axes[0].get_legend_handles_labels()
    fig.legend(*keys, loc="outside lower center", ncols=len(records), fontsize=9)
    show(fig, **texts)


def lines(
    series: Mapping[str, tuple], xlabel: str, ylabel: str, points: Any = (), log: bool = False, **texts: str
) -> None:
    """Draw lines in one pair of axes, each with its own colour and style, and marked points (lesson 3).

    `series` maps a name to (x values, y values), `points` are (name, x, y); `log=True` makes the
    vertical axis logarithmic.
    """
    fig, axis = plt.subplots(figsize=(7.5, 3.8), layout="constrained")
    for position, (name, (x, y)) in enumerate(series.items()):
        look = {"color": COLOURS[position % 10], "linestyle": LINE_STYLES[position % 4]}
        axis.plot(x, y, label=name, linewidth=2.2, **look)
    for position, (name, x, y) in enumerate(points):
        axis.plot(x, y, MARKERS[position % 7], color="black", markersize=8, label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    axis.grid(alpha=0.3)
    if len(series) + len(points) > 1:
        axis.legend(fontsize=10)
    show(fig, **texts)


@AS_WRITTEN
def confusion_heatmap(matrix: np.ndarray, class_names: Sequence[Any], **texts: str) -> None:
    """Draw a confusion matrix (counts of pictures): rows true, columns predicted, darker is more.

    The shade is the share of the row, so that classes of different size can be compared.
    """
    matrix, names = np.asarray(matrix), [_readable(name) for name in class_names]
    side = max(3.6, 0.62 * len(names) + 1.6)
    fig, axis = plt.subplots(figsize=(side + 1.2, side), layout="constrained")
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    bar = {"label": "share of the true class", "shrink": 0.8}
    look = {"cmap": "Blues", "vmin": 0, "vmax": 1, "square": True, "linewidths": 0.5, "cbar_kws": bar}
    sns.heatmap(shares, annot=matrix, fmt=",d", xticklabels=names, yticklabels=names, ax=axis, **look)
    axis.set(xlabel="predicted class", ylabel="true class")
    axis.tick_params(axis="y", rotation=0)
    axis.tick_params(axis="x", rotation=45 if max(map(len, names)) > 3 else 0)
    show(fig, **texts)


@AS_WRITTEN
def accuracy_intervals(scores: Mapping[str, tuple[int, int]], **texts: str) -> None:
    """Draw accuracies as points with their 95% Wilson intervals, one row a name.

    `scores` maps a name to (right answers, all answers).
    """
    fig, axis = plt.subplots(figsize=(7.5, 0.5 * len(scores) + 1.1), layout="constrained")
    for row, (correct, total) in enumerate(scores.values()):
        low, high = (100 * end for end in wilson_interval(correct, total))
        colour = COLOURS[row % 10]
        axis.plot([low, high], [row, row], color=colour, linewidth=3, solid_capstyle="butt")
        axis.plot(100 * correct / total, row, MARKERS[row % 7], color=colour, markersize=8)
        axis.text(high, row, f"  {correct:,} of {total:,}", va="center", fontsize=9)
    axis.set_yticks(range(len(scores)), [_readable(name) for name in scores])
    axis.margins(x=0.2)
    axis.set(xlabel="accuracy (%) with its 95% interval", ylim=(len(scores) - 0.5, -0.5))
    axis.grid(axis="x", alpha=0.3)
    show(fig, **texts)


@AS_WRITTEN
def seed_dots(scores: Mapping[str, Sequence[float]], xlabel: str, **texts: str) -> None:
    """Draw what each seed reached as open dots, one row a name, with a line and a number at the median.

    `scores` maps a name to shares (0 to 1, one a seed), drawn in per cent; the first name is on top.
    """
    fig, axis = plt.subplots(figsize=(7.5, 0.6 * len(scores) + 0.8), layout="constrained")
    reached = [100 * np.asarray(shares, dtype=float) for shares in scores.values()]
    digits = 2 if np.ptp(np.concatenate(reached)) < 5 else 1
    for row, shares in enumerate(reached):
        apart = np.linspace(-0.12, 0.12, len(shares))  # equal seeds must not hide each other
        axis.plot(shares, row + apart, "o", color=COLOURS[0], mfc="none", markersize=8, mew=1.6)
        middle = np.median(shares)
        axis.plot([middle, middle], [row - 0.24, row + 0.24], color="black", linewidth=2.5)
        axis.text(middle, row - 0.27, f"{middle:.{digits}f}", ha="center", va="bottom", fontsize=9)
    axis.set_yticks(range(len(scores)), [_readable(name) for name in scores])
    axis.margins(x=0.08)
    axis.set(xlabel=_readable(xlabel), ylim=(len(scores) - 0.5, -0.6))
    axis.grid(axis="x", alpha=0.3)
    show(fig, **texts)


@AS_WRITTEN
def network_drawing(model: Any, **texts: str) -> None:
    """Draw a built Keras network as boxes, one a layer, six a row: high as its maps, wide as its channels.

    Both on a logarithmic scale; a row of n numbers counts as n channels of 1x1. A shaded box has
    parameters. A network inside the network is one box with a thick edge.
    """
    boxes = [("input", model.inputs[0].shape, 0, False)]
    for layer in model.layers:
        kind, nested = type(layer).__name__, hasattr(layer, "layers")
        words = layer.name if nested else re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "\n", kind)
        boxes += [(words, layer.output.shape, layer.count_params(), nested)] * (kind != "InputLayer")
    sizes = [(shape[1] if len(shape) > 2 else 1, shape[-1]) for _, shape, *_ in boxes]
    scaled = np.log2(1 + np.array(sizes, dtype=float))
    scaled = 0.08 + 0.62 * scaled / scaled.max(axis=0)
    fig, axes = _grid(len(boxes), 6, 1.32, 1.75)
    for axis, (words, shape, count, nested), (high, wide) in zip(axes, boxes, scaled, strict=True):
        look = {"fc": COLOURS[9] if count else "white", "ec": "black", "lw": 3 if nested else 1}
        axis.add_patch(Rectangle((0.5 - wide / 2, 0.75 - high / 2), wide, high, **look))
        if axis is not axes[0]:
            arrow = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0}
            axis.annotate("", (0.5 - wide / 2, 0.75), (-0.02, 0.75), arrowprops=arrow)
        lines = (words, "×".join(map(str, shape[1:])), f"{count:,} parameters" if count else "")
        axis.text(0.5, 0.36, "\n".join(lines), ha="center", va="top", fontsize=8.5)
        axis.set(xlim=(0, 1), ylim=(-0.1, 1.12))
    show(fig, **texts)


def histogram(
    values: Sequence[float], xlabel: str, ylabel: str, marks: Mapping[str, float], **texts: str
) -> None:
    """Draw how often values occur, with named vertical lines at some of them (lesson 5).

    `values` has shape (n,), any range; `marks` maps the name of a line to its place.
    """
    fig, axis = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
    axis.hist(values, bins=25, color=COLOURS[0], alpha=0.55, edgecolor="white")
    for number, (name, place) in enumerate(marks.items(), 1):
        look = {"color": "black", "linestyle": LINE_STYLES[number % 4], "linewidth": 2}
        axis.axvline(place, label=f"{name}: {place:.1f}", **look)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.legend(fontsize=10)
    show(fig, **texts)


LABS = Path(__file__).with_name("labs")
# Views that strip frames (GitHub) strip this style as well, and so show the picture.
LAB_STYLE = """<style>.lab img {{ display: none; max-width: 100% }} .lab iframe {{ width: 100%; border: 0 }}
@media print {{ {still} }}</style><noscript><style>{still}</style></noscript>""".format(
    still=".lab img { display: block } .lab iframe { display: none }"
)


def lab(name: str) -> None:
    """Show an interactive page of `helpers/labs`, which needs no kernel; where none can run, its picture.

    `name` is that of a page there, without ".html". Raises `ValueError` when there is none.
    """
    if not (LABS / f"{name}.html").is_file():
        names = ", ".join(sorted(path.stem for path in LABS.glob("*.html")))
        raise ValueError(f"there is no lab {name!r}; the labs are {names}")
    texts = json.loads((LABS / "src" / "en.json").read_text(encoding="utf-8"))[name]
    title, alt = (html.escape(texts[key]) for key in ("title", "alt"))
    page = html.escape((LABS / f"{name}.html").read_text(encoding="utf-8"))
    still = base64.b64encode((LABS / f"{name}.png").read_bytes()).decode("ascii")
    frame = f'<iframe title="{title}" srcdoc="{page}" height="900"></iframe>'
    picture = f'<img src="data:image/png;base64,{still}" alt="{alt}">'
    shown = {"text/html": f'{LAB_STYLE}<div class="lab">{frame}{picture}</div>'}
    display({**shown, "text/plain": f"[Lab: {texts['alt']}]"}, raw=True)

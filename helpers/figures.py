"""Every plot that more than one lesson draws, each with its caption and its text alternative.

All functions take `alt` (what is to be seen, for someone who cannot see it) and `caption` (one
sentence, shown below the picture). Colours survive colour blindness and grey print: series also
differ in line style and marker, heat maps run from light to dark and carry their numbers.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.display import Markdown, display
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from PIL import Image

from helpers.evaluation import wilson_interval

MOST_THUMBNAILS = 24
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
COLOURS = sns.color_palette("colorblind")

plt.rcParams.update(
    {
        "figure.dpi": 100,
        "font.size": 11,
        "axes.titlesize": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "legend.frameon": False,
        "image.cmap": "gray",
    }
)


def show(fig: Figure, *, alt: str, caption: str, photo: bool = False) -> None:
    """Display a finished figure with its text alternative and its caption, and close it.

    `photo=True` stores it as JPEG (quality 80), which is a sixth of the size for photographs; graphs
    stay PNG. Raises `ValueError` when alt or caption is empty.
    """
    if not alt.strip() or not caption.strip():
        raise ValueError("a figure needs a text alternative (alt) and a caption")
    kind = "image/jpeg" if photo else "image/png"
    picture = io.BytesIO()
    options: dict[str, Any] = {"pil_kwargs": {"quality": 80}} if photo else {}
    fig.savefig(picture, format=kind.split("/")[1], bbox_inches="tight", facecolor="white", **options)
    plt.close(fig)
    content = base64.b64encode(picture.getvalue()).decode("ascii")
    display({kind: content, "text/plain": f"[Figure: {alt}]"}, raw=True, metadata={kind: {"alt": alt}})
    display(Markdown(f"*{caption}*"))


def _grid(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Any]]:
    """Return a figure of `count` axes in rows of `columns`; the unused ones are hidden."""
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    fig, axes = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False, layout="constrained"
    )
    flat = list(axes.ravel())
    for unused in flat[count:]:
        unused.set_axis_off()
    return fig, flat[:count]


def number_pictures(
    arrays: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    alt: str,
    caption: str,
    decimals: int = 0,
    numbers: bool = True,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str = "gray",
    columns: int = 3,
    cell: float = 0.36,
    windows: Sequence[tuple[int, int, int, int] | None] | None = None,
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
    fig, grid = plt.subplots(
        len(heights),
        columns,
        figsize=(cell * sum(widths) + 0.3 * columns, cell * sum(heights) + 0.5 * len(heights)),
        width_ratios=widths,
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    axes = list(grid.ravel())
    for axis in axes:
        axis.set_axis_off()
    axes = axes[: len(arrays)]
    shade = plt.get_cmap(cmap)
    for position, (axis, array, title) in enumerate(zip(axes, arrays, titles, strict=True)):
        rows, width = array.shape
        top, left = heights[position // columns], widths[position % columns]
        axis.imshow(array, cmap=cmap, vmin=low, vmax=high)
        axis.set_xlim(width / 2 - 0.5 - left / 2, width / 2 - 0.5 + left / 2)
        axis.set_ylim(top - 0.5, -0.5)
        edge = Rectangle((-0.5, -0.5), width, rows, fill=False, edgecolor="0.4", linewidth=1, clip_on=False)
        axis.add_patch(edge)
        axis.set_title(title)
        if numbers:
            _write_numbers(axis, array, decimals, shade, low, high, cell)
        window = windows[position] if windows else None
        if window:
            row, column, rows, width = window
            frame = (column - 0.5, row - 0.5)
            axis.add_patch(Rectangle(frame, width, rows, fill=False, edgecolor="white", linewidth=5))
            axis.add_patch(Rectangle(frame, width, rows, fill=False, edgecolor=COLOURS[3], linewidth=2.5))
    show(fig, alt=alt, caption=caption)


def _write_numbers(
    axis: Any, array: np.ndarray, decimals: int, shade: Any, low: float, high: float, cell: float
) -> None:
    longest = max(len(f"{value:.{decimals}f}") for value in array.ravel())
    size = min(11.0, cell * 72 / (0.62 * max(longest, 2)) * 0.85)
    for (row, column), value in np.ndenumerate(array):
        red, green, blue, _ = shade((value - low) / ((high - low) or 1))
        ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
        text = f"{value:.{decimals}f}"
        if text.strip("-0.") == "":
            text = text.lstrip("-")  # no "-0.00"
        axis.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)


def _marked(titles: Iterable[str], right: Sequence[bool] | None) -> tuple[list[str], int]:
    """Return titles, with a tick or a cross each if it is known, and how many lines the longest has."""
    titles = list(titles)
    if right is not None:
        titles = [f"{'✓' if ok else '✗'} {title}" for ok, title in zip(right, titles, strict=True)]
    return titles, max((title.count("\n") + 1 for title in titles), default=1)


def photo_grid(
    images: Iterable[np.ndarray],
    titles: Iterable[str],
    *,
    alt: str,
    caption: str,
    columns: int = 6,
    size: float = 1.6,
    photo: bool = True,
    right: Sequence[bool] | None = None,
) -> None:
    """Show at most 24 pictures as thumbnails of `size` inches with a title each.

    Pictures have shape (height, width), (height, width, 1) or (height, width, 3): whole numbers
    0..255 or floats 0..1. `right` puts a tick or a cross before each title. `photo=False` stores a PNG
    (drawings, digits).
    """
    images = list(images)
    if len(images) > MOST_THUMBNAILS:
        raise ValueError(f"{len(images)} pictures: a figure shows at most {MOST_THUMBNAILS}")
    titles, lines = _marked(titles, right)
    fig, axes = _grid(len(images), columns, size, size + 0.22 * lines)
    for axis, image, title in zip(axes, images, titles, strict=True):
        image = np.asarray(image)
        if image.ndim == 3 and image.shape[-1] == 1:
            image = image[..., 0]
        whole = image.max(initial=0) > 1 or np.issubdtype(image.dtype, np.integer)
        axis.imshow(image.astype("uint8") if whole else image, vmin=0, vmax=255 if whole else 1)
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    show(fig, alt=alt, caption=caption, photo=photo)


def curves(
    histories: Mapping[str, Any],
    *,
    alt: str,
    caption: str,
    metrics: Sequence[str] = ("loss", "accuracy"),
) -> None:
    """Draw loss and accuracy after each epoch: training dashed, validation solid.

    `histories` maps a network's name to what `fit` returned, or to its `history` dictionary
    (lists of one number an epoch, under "loss", "accuracy", "val_loss", "val_accuracy").
    """
    fig, axes = plt.subplots(1, len(metrics), figsize=(5.0 * len(metrics), 3.6), layout="constrained")
    for axis, metric in zip(np.atleast_1d(axes), metrics, strict=True):
        for position, (name, history) in enumerate(histories.items()):
            record = getattr(history, "history", history)
            look = {"color": COLOURS[position % 10], "marker": MARKERS[position % 7], "markersize": 5}
            for key, style, label in ((metric, "--", "training"), (f"val_{metric}", "-", "validation")):
                if key in record:
                    epochs = np.arange(1, len(record[key]) + 1)
                    label = f"{name}, {label}" if name else label
                    fill = {"markerfacecolor": "white"} if style == "--" else {}
                    every = max(1, len(epochs) // 20)  # a marker at each of 200 epochs would hide the line
                    axis.plot(epochs, record[key], style, label=label, markevery=every, **look, **fill)
        axis.set_xlabel("epoch")
        axis.set_ylabel(metric + (" (share right)" if metric == "accuracy" else ""))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
    np.atleast_1d(axes)[0].legend(fontsize=9)
    show(fig, alt=alt, caption=caption)


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    ylabel: str,
    *,
    alt: str,
    caption: str,
    points: Sequence[tuple[str, float, float]] = (),
    log: bool = False,
) -> None:
    """Draw lines in one pair of axes, each with its own colour and style, and marked points (lesson 3).

    `series` maps a name to (x values, y values), `points` are (name, x, y); `log=True` makes each mark
    of the upright axis ten times the last.
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
    show(fig, alt=alt, caption=caption)


def confusion_heatmap(matrix: np.ndarray, class_names: Sequence[Any], *, alt: str, caption: str) -> None:
    """Draw a confusion matrix (counts of pictures): rows true, columns predicted, darker is more.

    The shade is the share of the row, so that classes of different size can be compared.
    """
    matrix = np.asarray(matrix)
    side = max(3.6, 0.62 * len(class_names) + 1.6)
    fig, axis = plt.subplots(figsize=(side + 1.2, side), layout="constrained")
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    sns.heatmap(
        shares,
        annot=matrix,
        fmt=",d",
        cmap="Blues",
        vmin=0,
        vmax=1,
        square=True,
        linewidths=0.5,
        linecolor="white",
        xticklabels=class_names,
        yticklabels=class_names,
        cbar_kws={"label": "share of the true class", "shrink": 0.8},
        ax=axis,
    )
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    axis.tick_params(axis="y", rotation=0)
    if any(len(str(name)) > 3 for name in class_names):
        axis.tick_params(axis="x", rotation=45)
    show(fig, alt=alt, caption=caption)


def accuracy_intervals(scores: Mapping[str, tuple[int, int]], *, alt: str, caption: str) -> None:
    """Draw accuracies as points with their 95% Wilson intervals, one row a name.

    `scores` maps a name to (right answers, all answers).
    """
    fig, axis = plt.subplots(figsize=(7.5, 0.5 * len(scores) + 1.1), layout="constrained")
    for row, (_name, (correct, total)) in enumerate(scores.items()):
        low, high = wilson_interval(correct, total)
        colour = COLOURS[row % 10]
        axis.plot([100 * low, 100 * high], [row, row], color=colour, linewidth=3, solid_capstyle="butt")
        axis.plot(100 * correct / total, row, MARKERS[row % 7], color=colour, markersize=8)
        axis.annotate(
            f"{correct:,} of {total:,}", (100 * high, row), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=9,
        )  # fmt: skip
    axis.set_yticks(range(len(scores)), list(scores))
    axis.set_ylim(len(scores) - 0.5, -0.5)
    axis.margins(x=0.2)
    axis.set_xlabel("accuracy (%) with its 95% interval")
    axis.grid(axis="x", alpha=0.3)
    show(fig, alt=alt, caption=caption)


def crop_and_numbers(
    picture: np.ndarray, row: int, column: int, *, alt: str, caption: str, side: int = 12, photo: bool = False
) -> None:
    """Show a grey picture, `side` x `side` pixels of it enlarged, and the numbers of these, side by side.

    `picture` has shape (height, width), values 0 to 255; the crop begins at `row` and `column` and
    is framed in the first panel. `photo=True` stores a JPEG. Raises `ValueError` when the crop does not
    lie within the picture.
    """
    picture = np.asarray(picture)
    height, width = picture.shape
    if min(row, column) < 0 or row + side > height or column + side > width:
        raise ValueError(f"a {side}x{side} crop at ({row}, {column}) leaves the picture of {picture.shape}")
    crop = picture[row : row + side, column : column + side]
    fig, axes = plt.subplots(1, 3, figsize=(10.6, 4.1), width_ratios=[3, 3, 4], layout="constrained")
    axes[0].imshow(picture, vmin=0, vmax=255)
    for colour, thickness in (("white", 4), (COLOURS[3], 2)):
        frame = Rectangle((column - 0.5, row - 0.5), side, side, fill=False, ec=colour, lw=thickness)
        axes[0].add_patch(frame)
    edges = (column - 0.5, column + side - 0.5, row + side - 0.5, row - 0.5)
    axes[1].imshow(crop, vmin=0, vmax=255, extent=edges)
    axes[2].imshow(np.ones_like(crop), vmin=0, vmax=1, extent=edges)
    for (down, right), value in np.ndenumerate(crop):
        axes[2].text(column + right, row + down, f"{value:.0f}", ha="center", va="center", fontsize=8)
    titles = ("the picture", f"{side}x{side} pixels of it", "what the computer has")
    for axis, title in zip(axes, titles, strict=True):
        axis.set(title=title, xlabel="column")
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axis.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axis.spines[["top", "right"]].set_visible(True)
    axes[0].set_ylabel("row")
    show(fig, alt=alt, caption=caption, photo=photo)


def framed_pictures(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str],
    frames: Sequence[Iterable[tuple[str, int, int, float]]],
    *,
    alt: str,
    caption: str,
    columns: int = 3,
    side: int = 3,
) -> None:
    """Show small pictures with the places framed where pieces of `side` x `side` pixels match best.

    `pictures` have shape (rows, columns), any range. `frames` holds for each picture its frames:
    (name of the piece, first row, first column, how well it matches). Frames of one name share colour
    and line style, told in a legend; the match is written beside the frame's outer edge, inside it.
    """
    frames = [list(marks) for marks in frames]
    names = list(dict.fromkeys(name for marks in frames for name, *_ in marks))
    looks = {
        name: {"ec": COLOURS[(2, 3, 0)[number % 3]], "ls": LINE_STYLES[number % 3], "lw": 2.2, "fill": False}
        for number, name in enumerate(names)
    }
    fig, axes = _grid(len(pictures), columns, 2.9, 3.1)
    for axis, picture, title, marks in zip(axes, pictures, titles, frames, strict=True):
        axis.imshow(picture)
        axis.set_title(title)
        axis.set_axis_off()
        middle = np.shape(picture)[1] / 2
        for name, row, column, match in marks:
            corner = (column - 0.45, row - 0.45)
            axis.add_patch(Rectangle(corner, side - 0.1, side - 0.1, fill=False, ec="white", lw=4))
            axis.add_patch(Rectangle(corner, side - 0.1, side - 0.1, **looks[name]))
            outer = column if column + side / 2 <= middle + 0.5 else column + side - 1
            axis.text(
                outer, row + side // 2, f"{match:.2f}", ha="center", va="center", fontsize=8, color="white",
                bbox={"facecolor": "black", "edgecolor": "none", "pad": 1.0},
            )  # fmt: skip
    keys = [Rectangle((0, 0), 1, 1, **looks[name]) for name in names]
    fig.legend(keys, names, loc="outside lower center", ncols=len(names))
    show(fig, alt=alt, caption=caption)


def histogram(
    values: Sequence[float],
    xlabel: str,
    ylabel: str,
    *,
    alt: str,
    caption: str,
    marks: Mapping[str, float] | None = None,
) -> None:
    """Draw how often values occur, with named upright lines at some of them (lesson 5).

    `values` has shape (n,), any range; `marks` maps the name of a line to its place.
    """
    values = np.asarray(values, dtype=float)
    fig, axis = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
    axis.hist(values, bins=25, color=COLOURS[0], alpha=0.55, edgecolor="white")
    for position, (name, place) in enumerate((marks or {}).items()):
        style = LINE_STYLES[(position + 1) % 4]
        axis.axvline(place, color="black", linestyle=style, linewidth=2, label=f"{name}: {place:.1f}")
    axis.set(xlabel=xlabel, ylabel=ylabel)
    if marks:
        axis.legend(fontsize=10)
    show(fig, alt=alt, caption=caption)


def where_it_looks(
    images: Sequence[np.ndarray],
    heat: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    alt: str,
    caption: str,
    right: Sequence[bool] | None = None,
    columns: int = 4,
    size: float = 1.9,
) -> None:
    """Show photographs and, below each, where a network looks (lesson 5): dark does not count, framed does.

    `images` have shape (height, width, 3), 0..255; `heat` are coarse maps of shape (rows, columns), at
    least 0, each scaled by its own largest value and drawn smoothly over its photograph. The frame runs where
    the heat is half of the largest. No colours are used, so it survives grey print. At most 12 pictures.
    """
    if 2 * len(images) > MOST_THUMBNAILS:
        raise ValueError(f"{len(images)} pictures, two thumbnails each: at most {MOST_THUMBNAILS // 2}")
    titles, lines = _marked(titles, right)
    columns = max(1, min(columns, len(titles)))
    rows = -(-len(titles) // columns)
    height = rows * (2 * size + 0.22 * lines + 0.1)
    fig, axes = plt.subplots(
        2 * rows, columns, figsize=(size * columns, height), squeeze=False, layout="constrained"
    )
    for axis in axes.ravel():
        axis.set_axis_off()
    for position, (image, coarse, title) in enumerate(zip(images, heat, titles, strict=True)):
        above = axes[2 * (position // columns), position % columns]
        below = axes[2 * (position // columns) + 1, position % columns]
        image = np.asarray(image, dtype=float) / 255
        smooth = _stretched(np.asarray(coarse, dtype=float), image.shape[:2])
        smooth /= smooth.max() or 1
        above.imshow(image.clip(0, 1))
        above.set_title(title, fontsize=9)
        below.imshow((image * (0.25 + 0.75 * smooth[..., np.newaxis])).clip(0, 1))
        if smooth.max() > 0.5:
            for colour, thickness in (("black", 3.5), ("white", 1.5)):
                below.contour(smooth, levels=[0.5], colors=[colour], linewidths=thickness)
    show(fig, alt=alt, caption=caption, photo=True)


def _stretched(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Stretch a coarse map to (height, width), in straight lines between the middles of its cells."""
    height, width = shape
    whole = Image.fromarray(coarse.astype("float32")).resize((width, height), Image.Resampling.BILINEAR)
    return np.array(whole)

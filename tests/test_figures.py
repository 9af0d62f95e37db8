import base64
import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from helpers import figures

TEXTS = {"alt": "what is to be seen", "caption": "One sentence."}


@pytest.fixture
def shown(monkeypatch):
    """Collect what figures display instead of showing it."""
    calls = []
    monkeypatch.setattr(figures, "display", lambda item, **options: calls.append((item, options)))
    return calls


def picture(shown):
    (data, options), (caption, _) = shown
    kind = next(iter(data))
    assert options["metadata"] == {kind: {"alt": TEXTS["alt"]}}
    folded = f"<details><summary>In words</summary>{TEXTS['alt']}</details>"
    assert caption.data == f"*One sentence.*\n\n{folded}"
    assert data["text/plain"] == f"[Figure: {TEXTS['alt']}]"
    return kind, Image.open(io.BytesIO(base64.b64decode(data[kind])))


def test_show_stores_alt_text_and_caption_and_closes_the_figure(shown):
    figures.show(plt.figure("mine"), **TEXTS)
    kind, image = picture(shown)
    assert (kind, image.format) == ("image/png", "PNG") and "mine" not in plt.get_figlabels()


@pytest.mark.parametrize("missing", ["alt", "caption"])
def test_figure_without_its_texts_is_refused(missing):
    with pytest.raises(ValueError, match="text alternative"):
        figures.show(plt.Figure(), **{**TEXTS, missing: " "})


def draw(monkeypatch, function, *args, **options):
    """Return the finished figure instead of its picture, to look at what is drawn in it."""
    kept = []
    monkeypatch.setattr(figures, "show", lambda fig, **_: kept.append(fig))
    function(*args, **options, **TEXTS)
    plt.close(kept[0])
    return kept[0]


NAMES = ["cash $^_^$.jpg", "not utf-8 \udcff.jpg"]  # as a formula the first is an error


def test_names_are_drawn_as_they_are_written(shown):
    figures.photo_grid([np.zeros((2, 2))] * 2, NAMES, **TEXTS)
    figures.number_pictures([np.eye(2)] * 2, NAMES, **TEXTS)
    figures.accuracy_intervals(dict.fromkeys(NAMES, (1, 2)), **TEXTS)
    figures.confusion_heatmap(np.eye(2, dtype=int), NAMES, **TEXTS)
    assert len(shown) == 8


def test_number_pictures_write_every_number_on_one_scale(monkeypatch):
    array = np.array([[-0.001, 0.5], [1, -1]])
    windows = [(0, 0, 2, 1), None]  # a frame must not change the scale of what is drawn after it
    both, names = [array, array * 9], ["a", "b"]
    fig = draw(monkeypatch, figures.number_pictures, both, names, decimals=2, windows=windows)
    assert [text.get_text() for text in fig.axes[0].texts] == ["0.00", "0.50", "1.00", "-1.00"]
    assert [axis.images[0].get_clim() for axis in fig.axes] == [(-9, 9), (-9, 9)]


def test_pictures_keep_their_range(monkeypatch):
    images = [np.full((4, 4, 3), 200, np.uint8), np.full((4, 4, 1), 0.5), np.full((4, 4, 3), 128.0)]
    fig = draw(monkeypatch, figures.photo_grid, images, ["a", "b", "c"], right=[True, False, True])
    assert [axis.images[0].get_array().max() for axis in fig.axes[:3]] == [200, 0.5, 128]
    assert [axis.get_title() for axis in fig.axes[:3]] == ["✓ a", "✗ b", "✓ c"]


def test_photographs_are_stored_as_jpeg_and_not_too_many(shown):
    figures.photo_grid([np.zeros((2, 2))], ["a"], **TEXTS)
    assert picture(shown)[0] == "image/jpeg"
    with pytest.raises(ValueError, match="at most 24"):
        figures.photo_grid([0] * 25, ["a"] * 25, **TEXTS)


@pytest.mark.parametrize("epochs", [1, 2])
def test_curves_draw_whole_epochs_and_tell_training_from_validation(monkeypatch, epochs):
    history = {key: [0.5, 0.6][:epochs] for key in ("loss", "val_loss", "accuracy", "val_accuracy")}
    fig = draw(monkeypatch, figures.curves, {"net": history})
    loss = fig.axes[0]
    drawn = [(line.get_label(), line.get_linestyle()) for line in loss.lines]
    assert drawn == [("net, training", "--"), ("net, validation", "-")]
    shown = [tick for tick in loss.get_xticks() if loss.viewLim.x0 < tick < loss.viewLim.x1]
    assert shown == list(range(1, epochs + 1))
    assert len(fig.legends) == 1 and loss.get_legend() is None, "the legend would hide the lines"


def test_heatmap_writes_counts_and_intervals_are_wilsons(monkeypatch):
    fig = draw(monkeypatch, figures.confusion_heatmap, np.array([[3, 1], [0, 1500]]), ["a", "b"])
    assert [text.get_text() for text in fig.axes[0].texts] == ["3", "1", "0", "1,500"]
    fig = draw(monkeypatch, figures.accuracy_intervals, {"a": (14, 15)})
    assert fig.axes[0].lines[0].get_xdata() == pytest.approx([70.18, 98.81], abs=0.01)


def test_lines_differ_in_colour_and_in_style(monkeypatch):
    series = {"a": ([0, 1], [1, 2]), "b": ([0, 1], [2, 1])}
    axis = draw(monkeypatch, figures.lines, series, "x", "y", points=[("p", 0, 1)]).axes[0]
    first, second, point = axis.get_lines()
    assert first.get_linestyle() != second.get_linestyle() and first.get_color() != second.get_color()
    assert point.get_marker() == figures.MARKERS[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b", "p"]


def test_seed_dots_show_each_seed_and_the_median_in_the_order_given(monkeypatch):
    scores = {"first $": [0.5, 0.9, 0.8], "second": [0.98, 0.98]}
    fig = draw(monkeypatch, figures.seed_dots, scores, "accuracy (%)")
    dots, line, same, _ = fig.axes[0].lines
    assert dots.get_xdata().tolist() == pytest.approx([50, 90, 80]) and dots.get_mfc() == "none"
    assert line.get_xdata() == pytest.approx([80, 80])
    assert len(set(same.get_ydata())) == 2, "equal seeds hide each other"
    assert [text.get_text() for text in fig.axes[0].texts] == ["80.0", "98.0"]


def test_network_drawing_has_a_box_a_layer_with_shape_and_parameters(monkeypatch):
    def layer(kind, shape, count=0, **more):  # stands for one of Keras: TensorFlow takes seconds to import
        output = SimpleNamespace(shape=shape)
        return type(kind, (), {"output": output, "count_params": lambda self: count, **more})()

    picture = (None, 64, 64, 3)
    base = layer("Functional", (None, 8, 8, 512), 14_714_688, layers=[1, 2], name="vgg16")
    layers = [layer("InputLayer", picture), layer("MaxPooling2D", (None, 32, 32, 3)), base]
    layers.append(layer("Dense", (None, 6), 3_078))
    network = SimpleNamespace(inputs=[SimpleNamespace(shape=picture)], layers=layers)
    drawn = [axis for axis in draw(monkeypatch, figures.network_drawing, network).axes if axis.patches]
    assert [axis.texts[-1].get_text().split("\n") for axis in drawn] == [
        ["input", "64×64×3", ""],
        ["Max", "Pooling2D", "32×32×3", ""],
        ["vgg16", "8×8×512", "14,714,688 parameters"],
        ["Dense", "6", "3,078 parameters"],
    ]
    edges = [axis.patches[0].get_linewidth() for axis in drawn]
    assert edges == [1, 1, 3, 1], "the nested network has a thick edge"

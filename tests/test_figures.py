import base64
import io

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
    kind = next(key for key in data if key.startswith("image/"))
    assert options["metadata"] == {kind: {"alt": TEXTS["alt"]}}
    assert caption.data == "*One sentence.*"
    assert TEXTS["alt"] in data["text/plain"]
    return kind, Image.open(io.BytesIO(base64.b64decode(data[kind])))


def test_show_stores_alt_text_and_caption_and_closes_the_figure(shown):
    before = plt.get_fignums()
    fig, axis = plt.subplots()
    axis.plot([1, 2])
    figures.show(fig, **TEXTS)
    kind, image = picture(shown)
    assert kind == "image/png"
    assert image.width > 200
    assert plt.get_fignums() == before


@pytest.mark.parametrize("missing", ["alt", "caption"])
def test_figure_without_its_texts_is_refused(shown, missing):
    fig, _ = plt.subplots()
    with pytest.raises(ValueError, match="text alternative"):
        figures.show(fig, **{**TEXTS, missing: " "})
    plt.close(fig)


def draw(monkeypatch, function, *args, **options):
    """Return the finished figure instead of its picture, to look at what is drawn in it."""
    kept = []
    monkeypatch.setattr(figures, "show", lambda fig, **_: kept.append(fig))
    function(*args, **options, **TEXTS)
    plt.close(kept[0])
    return kept[0]


def test_number_pictures_write_every_number(monkeypatch):
    array = np.array([[-0.001, 0.5], [1, -1]])
    fig = draw(monkeypatch, figures.number_pictures, [array], ["a"], decimals=2, windows=[(0, 0, 1, 2)])
    assert [text.get_text() for text in fig.axes[0].texts] == ["0.00", "0.50", "1.00", "-1.00"]
    assert np.array_equal(fig.axes[0].images[0].get_array(), array)


def test_number_pictures_share_one_scale(monkeypatch):
    fig = draw(monkeypatch, figures.number_pictures, [np.zeros((2, 2)), np.full((3, 3), 9.0)], ["a", "b"])
    assert [axis.images[0].get_clim() for axis in fig.axes] == [(0, 9), (0, 9)]


def test_photographs_are_stored_as_jpeg(shown):
    images = [np.full((8, 9, 3), 200, np.uint8), np.full((8, 9, 1), 0.5)]
    figures.photo_grid(images, ["car", "digit"], right=[True, False], **TEXTS)
    assert picture(shown)[0] == "image/jpeg"


def test_pictures_keep_their_range(monkeypatch):
    images = [
        np.full((4, 4, 3), 200, np.uint8),
        np.full((4, 4), 0.5),
        np.zeros((4, 4, 3), np.float32) + 128.0,
    ]
    fig = draw(monkeypatch, figures.photo_grid, images, ["a", "b", "c"], right=[True, False, True])
    whole, share, raw = (axis.images[0] for axis in fig.axes[:3])
    assert whole.get_array().max() == 200
    assert (share.get_clim(), share.get_array().max()) == ((0, 1), 0.5)
    assert raw.get_array().max() == 128
    assert [axis.get_title() for axis in fig.axes[:3]] == ["✓ a", "✗ b", "✓ c"]


def test_too_many_thumbnails_are_refused(shown):
    with pytest.raises(ValueError, match="at most 24"):
        figures.photo_grid([np.zeros((2, 2))] * 25, ["a"] * 25, **TEXTS)


def test_curves_draw_training_and_validation_differently(monkeypatch):
    history = {"loss": [2, 1], "val_loss": [3, 2], "accuracy": [0.5, 0.6], "val_accuracy": [0.4, 0.5]}
    fig = draw(monkeypatch, figures.curves, {"net": history})
    loss, accuracy = fig.axes
    assert [line.get_label() for line in loss.lines] == ["net, training", "net, validation"]
    assert [line.get_linestyle() for line in loss.lines] == ["--", "-"]
    assert loss.lines[1].get_ydata().tolist() == [3, 2]
    assert accuracy.lines[0].get_xdata().tolist() == [1, 2]
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss")


def test_confusion_heatmap_writes_counts(monkeypatch):
    fig = draw(monkeypatch, figures.confusion_heatmap, np.array([[3, 1], [0, 1500]]), ["a", "b"])
    assert [text.get_text() for text in fig.axes[0].texts] == ["3", "1", "0", "1,500"]
    assert fig.axes[0].get_ylabel() == "true class"


def test_accuracy_intervals_span_wilson(monkeypatch):
    fig = draw(monkeypatch, figures.accuracy_intervals, {"a": (14, 15)})
    assert fig.axes[0].lines[0].get_xdata() == pytest.approx([70.18, 98.81], abs=0.01)

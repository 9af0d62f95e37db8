"""What lesson 1 says of its letters and shows of them, computed by its own cells."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from benchmarks.recipes import run_cells

from helpers import figures

CELLS = ("def drawn(", "pieces = {", "def best_near(", "crop, edges = ", "looks = {", "ways = {")


@pytest.fixture(scope="module")
def letters():
    """Everything that lesson 1 defines for its letters and its finished figures, from its own cells."""
    names = {"digit": np.arange(28 * 28).reshape(28, 28) % 256, "label": 5, "drawn_figures": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "show", lambda fig, **_: names["drawn_figures"].append(fig))
        space = run_cells("01-how-a-computer-reads-an-image", *CELLS, **names)
    plt.close("all")
    return space


def test_pixel_by_pixel_no_threshold_tells_every_x_from_what_is_none(letters):
    shares = {name: letters["share"](picture) for name, picture in letters["pictures"].items()}
    assert shares["shifted X"] == pytest.approx(55 / 81) and min(shares, key=shares.get) == "shifted X"
    assert min(share for name, share in shares.items() if "X" in name) < max(shares["O"], shares["empty"])


def test_with_the_threshold_fixed_beforehand_only_the_thick_x_fails_piece_by_piece(letters):
    wrong = {
        way: [
            name
            for name, picture in letters["pictures"].items()
            if (score(picture) > letters["thresholds"][way]) != ("X" in name)
        ]
        for way, score in letters["ways"].items()
    }
    assert wrong == {"pixel by pixel": ["shifted X", "rotated X"], "piece by piece": ["thick X"]}


def test_crop_shows_the_framed_pixels_and_their_numbers(letters):
    picture, crop, numbers = letters["drawn_figures"][0].axes
    part = letters["digit"][8:20, 8:20]
    assert np.array_equal(crop.images[0].get_array(), part)
    assert {frame.get_bbox().bounds for frame in picture.patches} == {(7.5, 7.5, 12, 12)}
    written = {text.get_position(): text.get_text() for text in numbers.texts}
    assert written == {(8 + column, 8 + row): str(value) for (row, column), value in np.ndenumerate(part)}


def test_frames_lie_where_the_pieces_fit_best_with_their_scores(letters):
    axes = letters["drawn_figures"][1].axes
    assert [axis.get_title() for axis in axes] == [
        f"{name}: {letters['likeness'](letters['pictures'][name]):.2f}" for name in letters["shown"]
    ]
    for axis, name in zip(axes, letters["shown"], strict=True):
        best = [letters["best_near"](letters["pictures"][name], *place) for place in letters["places"]]
        frames = [frame.get_center() for frame in axis.patches if frame.get_edgecolor()[:3] != (1, 1, 1)]
        assert frames == [pytest.approx((column + 1, row + 1)) for _, row, column, _ in best]
        assert [text.get_text() for text in axis.texts] == [f"{score:.2f}" for *_, score in best]

"""The two figures that lesson 1 brought into `helpers.figures`; its numbers are checked in the notebook."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import figures

TEXTS = {"alt": "what is to be seen", "caption": "One sentence."}


@pytest.fixture
def draw(monkeypatch):
    """Return a function that gives the finished figure instead of showing it."""
    kept = []
    monkeypatch.setattr(figures, "show", lambda fig, **options: kept.append((fig, options)))

    def run(function, *args, **options):
        function(*args, **options, **TEXTS)
        fig, shown = kept.pop()
        plt.close(fig)
        assert {key: shown[key] for key in TEXTS} == TEXTS
        return fig

    return run


def test_crop_shows_the_framed_pixels_and_their_numbers(draw):
    picture = np.arange(20 * 30).reshape(20, 30) % 256
    fig = draw(figures.crop_and_numbers, picture, 5, 7, side=4)
    whole, crop, numbers = fig.axes
    assert np.array_equal(whole.images[0].get_array(), picture)
    assert np.array_equal(crop.images[0].get_array(), picture[5:9, 7:11])
    frame = whole.patches[-1]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((6.5, 4.5), 4, 4)
    written = {text.get_position(): text.get_text() for text in numbers.texts}
    assert written == {(c, r): str(picture[r, c]) for r in range(5, 9) for c in range(7, 11)}
    # the same pixel has the same place, in rows and columns of the whole picture, in all three panels
    assert crop.images[0].get_extent() == numbers.images[0].get_extent() == [6.5, 10.5, 8.5, 4.5]


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (17, 0), (0, 27)])
def test_crop_outside_the_picture_is_refused(draw, row, column):
    with pytest.raises(ValueError, match="leaves the picture"):
        draw(figures.crop_and_numbers, np.zeros((20, 30)), row, column, side=4)


def test_frames_lie_on_their_places_and_one_name_has_one_look(draw):
    marks = [[("stroke", 1, 1, 0.78), ("cross", 3, 3, 1.0)], [("stroke", 0, 5, -0.11)]]
    fig = draw(figures.framed_pictures, [np.zeros((9, 9))] * 2, ["a", "b"], marks)
    drawn = [[patch for patch in axis.patches if patch.get_linewidth() < 3] for axis in fig.axes[:2]]
    assert [[patch.get_center() for patch in patches] for patches in drawn] == [
        [pytest.approx((2, 2)), pytest.approx((4, 4))],
        [pytest.approx((6, 1))],
    ]
    looks = [[(patch.get_linestyle(), patch.get_edgecolor()) for patch in patches] for patches in drawn]
    assert looks[0][0] == looks[1][0]
    assert looks[0][0][0] != looks[0][1][0], "in grey print only the line style tells frames apart"
    assert [text.get_text() for axis in fig.axes[:2] for text in axis.texts] == ["0.78", "1.00", "-0.11"]
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["stroke", "cross"]

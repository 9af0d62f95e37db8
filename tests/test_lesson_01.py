"""What lesson 1 says of its letters, computed by its own cells, and the two figures that it alone uses."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import COURSE_FOLDER, figures


@pytest.fixture
def draw(monkeypatch):
    """Return a function that gives the finished figure instead of showing it."""
    kept = []
    monkeypatch.setattr(figures, "show", lambda fig, **options: kept.append(fig))

    def run(function, *args, **options):
        function(*args, **options, alt="what is to be seen", caption="One sentence.")
        plt.close(kept[-1])
        return kept.pop()

    return run


@pytest.fixture(scope="module")
def letters():
    """Everything that lesson 1 defines for its letters, from its own cells."""
    path, names = COURSE_FOLDER / "notebooks" / "01-how-a-computer-reads-an-image.ipynb", {"np": np}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["id"] in ("draw-letters", "define-pieces", "search", "judge-all"):
            exec("".join(cell["source"]), names)
    return names


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


def test_crop_shows_the_framed_pixels_and_their_numbers(draw):
    picture = np.arange(20 * 30).reshape(20, 30) % 256
    _, crop, numbers = draw(figures.crop_and_numbers, picture, 5, 7, side=4).axes
    assert np.array_equal(crop.images[0].get_array(), picture[5:9, 7:11])
    written = {text.get_position(): text.get_text() for text in numbers.texts}
    assert written == {(c, r): str(picture[r, c]) for r in range(5, 9) for c in range(7, 11)}
    with pytest.raises(ValueError, match="leaves the picture"):
        draw(figures.crop_and_numbers, picture, 17, 0, side=4)


def test_frames_lie_on_their_places_with_their_scores(draw):
    fig = draw(
        figures.framed_pictures, [np.zeros((9, 9))], ["a"], [[("cross", 1, 1, 0.78), ("arm", 3, 5, 1.0)]]
    )
    frames = [patch.get_center() for patch in fig.axes[0].patches if patch.get_linewidth() < 3]
    assert frames == [pytest.approx((2, 2)), pytest.approx((6, 4))]
    assert [text.get_text() for text in fig.axes[0].texts] == ["0.78", "1.00"]

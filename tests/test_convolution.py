"""helpers.convolution against plain loops, SciPy and Keras, and against mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal as scipy_signal

from helpers.convolution import correlate1d, correlate2d, flatten, max_pool2d, relu

VALUES = st.floats(-1, 1, allow_subnormal=False)


@st.composite
def correlations(draw):
    """A picture, grey or with channels, a kernel that fits, and settings."""
    kernel_sides = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride, dilation, padding = (draw(st.integers(low, 3)) for low in (1, 1, 0))
    shortest = [dilation * (side - 1) + 1 - 2 * padding for side in kernel_sides]
    sides = [draw(st.integers(max(side, 1), 12)) for side in shortest]
    channels = draw(st.sampled_from([(), (1,), (2,), (5,)]))
    image = draw(hnp.arrays(np.float64, (*sides, *channels), elements=VALUES))
    kernel = draw(hnp.arrays(np.float64, (*kernel_sides, *channels), elements=VALUES))
    return image, kernel, {"stride": stride, "padding": padding, "dilation": dilation}


def by_scipy(image, kernel, stride, padding, dilation):
    """SciPy knows neither padding by number, nor stride, nor dilation: build them around it."""
    image, kernel = np.atleast_3d(image, kernel)
    height, width, depth = kernel.shape
    spread = np.zeros((dilation * (height - 1) + 1, dilation * (width - 1) + 1, depth))
    spread[::dilation, ::dilation] = kernel
    return sum(
        scipy_signal.correlate2d(np.pad(image[..., channel], padding), spread[..., channel], mode="valid")
        for channel in range(depth)
    )[::stride, ::stride]


# ---- values known from the lecture, and small enough to check on paper


def test_lecture_first_row_of_numbers():
    signal, kernel = [5, 3, 2, 5, 9, 7], [1, 2, 3]
    assert correlate1d(signal, kernel).tolist() == [17, 22, 39, 44]
    assert correlate1d(signal, kernel[::-1]).tolist() == np.convolve(signal, kernel, "valid").tolist()


def test_every_table_of_the_lecture():
    file = Path(__file__).resolve().parent.parent / "data" / "lecture12-tables.json"
    slides = json.loads(file.read_text(encoding="utf-8"))
    cross = slides["cross"]
    difference = np.round(correlate2d(cross["picture"], cross["filter"]) / 9, 2) - cross["printed"]
    assert np.argwhere(np.abs(difference) > 0.001).tolist() == [[3, 0]]  # the slide's slip: a lost minus
    assert difference[3, 0] == pytest.approx(-0.22)

    maps = [correlate2d(slides["x"]["picture"], kernel) / 9 for kernel in slides["x"]["filters"]]
    after_relu = [relu(feature_map) for feature_map in maps]
    pooled = [max_pool2d(feature_map) for feature_map in after_relu]
    np.testing.assert_allclose(np.round(maps[0], 2), slides["x"]["first_map"])
    np.testing.assert_allclose(np.round(after_relu, 2), slides["x"]["after_relu"])
    np.testing.assert_allclose(np.round(pooled, 2), slides["x"]["after_pooling"])
    twelve = np.round(flatten([max_pool2d(feature_map) for feature_map in pooled]), 2)
    assert twelve.tolist() == [1, 0.56, 0.56, 1, 1, 0.56, 0.56, 0.56, 0.56, 1, 1, 0.56]


def test_pictures_of_bytes_do_not_overflow():
    image = np.full((3, 3), 200, np.uint8)
    assert correlate2d(image, np.ones((3, 3), np.uint8)).tolist() == [[1800]]
    assert correlate1d(np.array([200, 200], np.uint8), np.array([1, 1], np.uint8)).tolist() == [400]


def test_input_is_left_as_it_was_and_what_computes_nothing_new_keeps_the_dtype():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    before = image.copy()
    for result in (correlate2d(image, [[1]]), relu(image), max_pool2d(image, 1, 1), flatten(image)):
        result += 1
    assert np.array_equal(image, before)
    assert max_pool2d(before).dtype == relu(before).dtype == flatten(before).dtype == before.dtype


# ---- properties, with settings drawn at random


@settings(deadline=None, max_examples=200)
@given(correlations())
def test_grey_and_colour_agree_with_scipy(case):
    image, kernel, options = case
    ours, theirs = correlate2d(image, kernel, **options), by_scipy(image, kernel, **options)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@settings(deadline=None)
@given(hnp.arrays(float, 12, elements=VALUES), hnp.arrays(float, 4, elements=VALUES), st.integers(1, 4))
def test_one_dimension_agrees_with_numpy(signal, kernel, stride):
    expected = np.correlate(signal, kernel, "valid")[::stride]
    np.testing.assert_allclose(correlate1d(signal, kernel, stride=stride), expected, atol=1e-9)


MAPS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=3, max_side=9), elements=VALUES)


@settings(deadline=None)
@given(MAPS, st.integers(1, 4), st.integers(1, 4))
def test_max_pooling_agrees_with_its_description(feature_map, size, stride):
    def starts(side):
        count = int(np.ceil(max(side - size, 0) / stride)) + 1
        return [start for start in range(0, count * stride, stride) if start < side]

    expected = [
        [feature_map[r : r + size, c : c + size].max(axis=(0, 1)) for c in starts(feature_map.shape[1])]
        for r in starts(feature_map.shape[0])
    ]
    np.testing.assert_array_equal(max_pool2d(feature_map, size, stride), expected)


# ---- mistakes: what was given, and what is allowed

PICTURE, KERNEL, COLOUR = np.ones((7, 7)), np.ones((3, 3)), np.ones((7, 7, 3))
MISTAKES = [
    (lambda: correlate2d(PICTURE, KERNEL, stride=0), "stride=0: a whole number of at least 1"),
    (lambda: correlate2d(PICTURE, KERNEL, padding="same"), "padding='same': a whole number of at least 0"),
    (lambda: correlate2d(PICTURE, KERNEL, dilation=4), "reaches over 9 pixels, but size 7"),
    (lambda: correlate2d(PICTURE, np.ones(3)), r"kernel has shape \(3,\); it must be 2- or 3-dimensional"),
    (lambda: correlate2d(COLOUR, KERNEL), r"\(7, 7, 3\) and \(3, 3\); both height x width"),
    (lambda: correlate2d(COLOUR, np.ones((3, 3, 4))), "equally many channels"),
    (lambda: max_pool2d(np.ones((0, 4))), r"\(0, 4\); it must be .* not empty"),
    (lambda: relu(["a"]), "not <U1"),
    (lambda: flatten([[1, 2], [3]]), "rows of different lengths"),
]


@pytest.mark.parametrize(("call", "message"), MISTAKES)
def test_a_mistake_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_whole_numbers_of_numpy_are_welcome():
    step = np.uint8(5)  # 5 * 60 is more than a uint8 holds
    assert correlate2d(np.ones((301, 7)), KERNEL, stride=step, padding=np.int32(1)).shape == (61, 2)

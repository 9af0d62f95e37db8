"""helpers.convolution against plain loops, SciPy and Keras, and against mistakes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal as scipy_signal

from helpers.convolution import correlate1d, correlate2d, flatten, max_pool2d, output_size, relu

VALUES = st.floats(-1, 1, allow_subnormal=False)


@st.composite
def correlations(draw, *, channels=None, longest=14, stride_or_dilation=False):
    """A picture, a kernel that fits, and settings."""
    kernel_sides = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.integers(1, 4))
    dilation = 1 if stride_or_dilation and stride > 1 else draw(st.integers(1, 3))
    padding = draw(st.integers(0, 3))
    sides = []
    for side in kernel_sides:
        reach = dilation * (side - 1) + 1
        sides.append(draw(st.integers(max(reach - 2 * padding, 1), longest)))
    tail = () if channels is None else (draw(channels),)
    image = draw(hnp.arrays(np.float64, (*sides, *tail), elements=VALUES))
    kernel = draw(hnp.arrays(np.float64, (*kernel_sides, *tail), elements=VALUES))
    return image, kernel, {"stride": stride, "padding": padding, "dilation": dilation}


def by_scipy(image, kernel, stride, padding, dilation):
    """SciPy knows neither padding by number, nor stride, nor dilation: build them around it."""
    image, kernel = np.atleast_3d(image), np.atleast_3d(kernel)
    image = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    height, width, depth = kernel.shape
    spread = np.zeros((dilation * (height - 1) + 1, dilation * (width - 1) + 1, depth))
    spread[::dilation, ::dilation] = kernel
    maps = [
        scipy_signal.correlate2d(image[..., channel], spread[..., channel], mode="valid")
        for channel in range(depth)
    ]
    return sum(maps)[::stride, ::stride]


# ---- values known from the lecture, and small enough to check on paper


def test_lecture_first_row_of_numbers():
    signal, kernel = [5, 3, 2, 5, 9, 7], [1, 2, 3]
    assert correlate1d(signal, kernel).tolist() == [17, 22, 39, 44]
    assert correlate1d(signal, kernel[::-1]).tolist() == np.convolve(signal, kernel, "valid").tolist()
    assert correlate1d(signal, kernel, stride=2).tolist() == [17, 39]


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


def test_two_dimensions_on_paper():
    image = np.arange(12).reshape(3, 4)
    assert correlate2d(image, [[1, 0], [0, -1]]).tolist() == [[-5, -5, -5], [-5, -5, -5]]
    assert correlate2d(image, [[1, 2], [3, 4]]).tolist() == [[34, 44, 54], [74, 84, 94]]
    assert correlate2d(image, [[1, 2], [3, 4]], stride=2).tolist() == [[34, 54]]
    assert correlate2d([[1, 2]], [[3]], padding=1).tolist() == [[0, 0, 0, 0], [0, 3, 6, 0], [0, 0, 0, 0]]
    assert correlate2d(image, [[1, 1]], dilation=3).tolist() == [[3], [11], [19]]


def test_channels_are_summed():
    image = np.stack([np.full((2, 2), 1), np.full((2, 2), 10), np.full((2, 2), 100)], axis=-1)
    assert correlate2d(image, [[[1, 2, 3]]]).tolist() == [[321, 321], [321, 321]]


def test_pictures_of_bytes_do_not_overflow():
    image = np.full((3, 3), 200, np.uint8)
    assert correlate2d(image, np.ones((3, 3), np.uint8)).tolist() == [[1800]]
    assert correlate1d(np.array([200, 200], np.uint8), np.array([1, 1], np.uint8)).tolist() == [400]


def test_input_is_left_as_it_was():
    image, kernel = np.arange(16.0).reshape(4, 4), np.ones((2, 2))
    before = image.copy()
    correlate2d(image, kernel, padding=1)
    relu(-image)
    max_pool2d(image, 3, 2)
    flatten(image)[0] = 99
    assert np.array_equal(image, before) and np.array_equal(kernel, np.ones((2, 2)))


def test_taller_than_a_band_of_rows():
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(301, 40)), rng.normal(size=(3, 4))
    for stride in (1, 2, 3):
        expected = scipy_signal.correlate2d(image, kernel, mode="valid")[::stride, ::stride]
        np.testing.assert_allclose(correlate2d(image, kernel, stride=stride), expected, atol=1e-12)


def test_not_a_number_spreads_only_where_the_kernel_sees_it():
    image = np.zeros((4, 4))
    image[0, 0] = np.nan
    assert np.isnan(correlate2d(image, np.ones((2, 2)))).sum() == 1
    assert np.isnan(relu(image)).sum() == 1
    assert np.isnan(max_pool2d(image)).sum() == 1


# ---- properties, with settings drawn at random


@settings(deadline=None)
@given(correlations())
def test_grey_agrees_with_scipy(case):
    image, kernel, options = case
    np.testing.assert_allclose(
        correlate2d(image, kernel, **options), by_scipy(image, kernel, **options), atol=1e-9
    )


@settings(deadline=None)
@given(correlations(channels=st.integers(1, 5), longest=10))
def test_channels_agree_with_scipy(case):
    image, kernel, options = case
    np.testing.assert_allclose(
        correlate2d(image, kernel, **options), by_scipy(image, kernel, **options), atol=1e-9
    )


@settings(deadline=None)
@given(st.data())
def test_one_dimension_agrees_with_numpy(data):
    kernel = data.draw(hnp.arrays(np.float64, st.integers(1, 5), elements=VALUES))
    signal = data.draw(hnp.arrays(np.float64, st.integers(len(kernel), 12), elements=VALUES))
    stride = data.draw(st.integers(1, 4))
    expected = np.correlate(signal, kernel, "valid")[::stride]
    np.testing.assert_allclose(correlate1d(signal, kernel, stride=stride), expected, atol=1e-9)


@settings(deadline=None)
@given(
    size=st.integers(1, 40),
    kernel=st.integers(1, 8),
    stride=st.integers(1, 5),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 4),
)
def test_output_size_counts_the_places(size, kernel, stride, padding, dilation):
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    reach = dilation * (kernel - 1) + 1
    places = [start for start in range(0, size + 2 * padding, stride) if start + reach <= size + 2 * padding]
    if places:
        assert output_size(size, kernel, **options) == len(places)
    else:
        with pytest.raises(ValueError, match="larger than the picture"):
            output_size(size, kernel, **options)


@settings(deadline=None)
@given(
    feature_map=hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=3, max_side=9), elements=VALUES),
    size=st.integers(1, 4),
    stride=st.integers(1, 4),
)
def test_max_pooling_agrees_with_its_description(feature_map, size, stride):
    def starts(side):
        count = int(np.ceil(max(side - size, 0) / stride)) + 1
        return [start for start in range(0, count * stride, stride) if start < side]

    rows, columns = starts(feature_map.shape[0]), starts(feature_map.shape[1])
    expected = [
        [feature_map[row : row + size, column : column + size].max(axis=(0, 1)) for column in columns]
        for row in rows
    ]
    np.testing.assert_array_equal(max_pool2d(feature_map, size, stride), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_pooling_and_relu_keep_the_dtype(dtype):
    values = np.arange(9).reshape(3, 3).astype(dtype)
    assert max_pool2d(values).dtype == relu(values).dtype == flatten(values).dtype == dtype
    assert max_pool2d(values).tolist() == [[4, 5], [7, 8]]


def test_relu_and_flatten():
    assert relu([-2, 0, 3]).tolist() == [0, 0, 3]
    assert flatten([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


# ---- Keras


@pytest.fixture(scope="session")
def keras():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


@settings(max_examples=25, deadline=None)
@given(
    case=correlations(channels=st.integers(1, 4), longest=10, stride_or_dilation=True),
    data=st.data(),
)
def test_agrees_with_keras(keras, case, data):
    image, first, options = case
    second = data.draw(hnp.arrays(np.float64, first.shape, elements=VALUES))
    padding = options["padding"]
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    maps = keras.ops.conv(
        padded[np.newaxis].astype("float32"),
        np.stack([first, second], axis=-1).astype("float32"),
        strides=options["stride"],
        padding="valid",
        data_format="channels_last",
        dilation_rate=options["dilation"],
    )
    ours = np.stack([correlate2d(image, kernel, **options) for kernel in (first, second)], axis=-1)
    rounding = 1e-5 * max(1, np.abs([first, second]).sum())  # Keras adds up in 32 bits
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(maps)[0], rtol=0, atol=rounding)


@settings(max_examples=15, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=9),
        elements=st.floats(-10, 10, width=32, allow_subnormal=False),  # Keras rounds those to 0
    )
)
def test_pooling_agrees_with_keras(keras, feature_map):
    pooled = keras.ops.max_pool(feature_map[np.newaxis], 2, 2, padding="same", data_format="channels_last")
    np.testing.assert_array_equal(max_pool2d(feature_map), keras.ops.convert_to_numpy(pooled)[0])


# ---- mistakes: what was given, and what is allowed

PICTURE, KERNEL = np.ones((7, 7)), np.ones((3, 3))


@pytest.mark.parametrize(
    ("image", "kernel", "options", "given_value", "allowed"),
    [
        (PICTURE, KERNEL, {"stride": 0}, "stride=0", "at least 1"),
        (PICTURE, KERNEL, {"stride": 1.5}, "stride=1.5", "whole number"),
        (PICTURE, KERNEL, {"stride": True}, "stride=True", "whole number"),
        (PICTURE, KERNEL, {"stride": "2"}, "stride='2'", "whole number"),
        (PICTURE, KERNEL, {"padding": -1}, "padding=-1", "at least 0"),
        (PICTURE, KERNEL, {"padding": "same"}, "padding='same'", "whole number"),
        (PICTURE, KERNEL, {"padding": None}, "padding=None", "whole number"),
        (PICTURE, KERNEL, {"dilation": 0}, "dilation=0", "at least 1"),
        (PICTURE, KERNEL, {"dilation": float("nan")}, "dilation=nan", "whole number"),
        (PICTURE, KERNEL, {"dilation": 4}, "9 pixels", "size 7"),
        (PICTURE, np.ones((8, 8)), {}, "a kernel of 8", "size 7"),
        (PICTURE, np.ones((3, 8)), {}, "a kernel of 8", "size 7"),
        (PICTURE, np.ones((8, 3)), {}, "a kernel of 8", "size 7"),
        (PICTURE, np.ones(3), {}, r"\(3,\)", "2 or 3"),
        (np.ones(7), KERNEL, {}, r"\(7,\)", "2 or 3"),
        (np.ones((1, 7, 7, 3)), np.ones((3, 3, 3)), {}, r"\(1, 7, 7, 3\)", "2 or 3"),
        (np.ones((7, 7, 3)), KERNEL, {}, r"\(7, 7, 3\) and \(3, 3\)", "both height x width"),
        (PICTURE, np.ones((3, 3, 1)), {}, r"\(7, 7\) and \(3, 3, 1\)", "both height x width"),
        (np.ones((7, 7, 3)), np.ones((3, 3, 4)), {}, r"\(3, 3, 4\)", "equally many channels"),
        (np.ones((0, 7)), KERNEL, {}, r"\(0, 7\)", "1 or more"),
        (PICTURE, np.ones((0, 0)), {}, r"\(0, 0\)", "1 or more"),
        (PICTURE.astype(str), KERNEL, {}, "not <U", "numbers"),
        (PICTURE, KERNEL * 1j, {}, "not complex128", "numbers"),
        (PICTURE, [[1, None]], {}, "not object", "numbers"),
        ([[1, 2], [3]], KERNEL, {}, "different lengths", "equally long"),
    ],
)
def test_correlate2d_says_what_is_wrong(image, kernel, options, given_value, allowed):
    with pytest.raises(ValueError, match=given_value) as caught:
        correlate2d(image, kernel, **options)
    assert allowed in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "given_value"),
    [
        (lambda: correlate1d([1, 2], [1, 2, 3]), "a kernel of 3"),
        (lambda: correlate1d([1, 2], [1], stride=0), "stride=0"),
        (lambda: correlate1d([[1, 2]], [1]), r"\(1, 2\)"),
        (lambda: correlate1d([], []), "empty"),
        (lambda: correlate1d("abc", [1]), "not <U3"),
        (lambda: output_size(0, 1), "size=0"),
        (lambda: output_size(7, 0), "kernel=0"),
        (lambda: output_size(7.0, 3), "size=7.0"),
        (lambda: output_size(7, 3, padding=-2), "padding=-2"),
        (lambda: max_pool2d(np.ones(4)), r"\(4,\)"),
        (lambda: max_pool2d(np.ones((0, 4))), "empty"),
        (lambda: max_pool2d(PICTURE, 0), "size=0"),
        (lambda: max_pool2d(PICTURE, 2, 0), "stride=0"),
        (lambda: max_pool2d(PICTURE, 2, -1), "stride=-1"),
        (lambda: max_pool2d(PICTURE, (2, 2)), r"size=\(2, 2\)"),
        (lambda: relu(["a"]), "not <U1"),
        (lambda: flatten([[1, 2], [3]]), "different lengths"),
    ],
)
def test_the_others_say_what_is_wrong(call, given_value):
    with pytest.raises(ValueError, match=given_value):
        call()


def test_whole_numbers_of_numpy_are_welcome():
    side, step = np.int64(7), np.uint8(2)
    assert output_size(side, 3, stride=step) == 3
    assert correlate2d(PICTURE, KERNEL, stride=step, padding=np.int32(1)).shape == (4, 4)


def test_importing_loads_numpy_only():
    heavy = ("tensorflow", "keras", "matplotlib", "pandas", "sklearn", "scipy")
    code = f"import sys, helpers.convolution; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"

"""The operations that lesson 2 derives by hand: correlation, ReLU, max pooling, flattening, output size.

Every function here is built in front of the student in lesson 2 and only then imported by later
lessons. A picture is an array of numbers, height x width (grey) or height x width x channels, in
pixels and in any value range; not-a-number (NaN) is allowed and spreads as it does in NumPy.

The course calls the sliding sum of products by the field's everyday name, convolution; strictly
it is cross-correlation: the kernel is not flipped. Every deep-learning library computes the same.
"""

from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

BAND_ROWS = 64  # rows of the feature map that `correlate2d` works out together


def output_size(size: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many places a kernel finds along one side of a picture (lesson 2).

    Args:
        size: length of the side, in pixels, at least 1.
        kernel: length of the kernel along that side, at least 1.
        stride: step between two places, in pixels, at least 1.
        padding: pixels added at each of the two ends, at least 0.
        dilation: distance between neighbouring kernel entries, in pixels; 1 means no gaps.

    Returns:
        ``floor((size + 2 * padding - reach) / stride) + 1``, where
        ``reach = dilation * (kernel - 1) + 1`` is the stretch of pixels that the kernel covers.

    Raises:
        ValueError: a number is not whole or too small, or the kernel does not fit.
    """
    size = _whole("size", size, least=1)
    kernel = _whole("kernel", kernel, least=1)
    stride = _whole("stride", stride, least=1)
    padding = _whole("padding", padding, least=0)
    dilation = _whole("dilation", dilation, least=1)
    reach = dilation * (kernel - 1) + 1
    if reach > size + 2 * padding:
        raise ValueError(
            f"the kernel is larger than the picture: a kernel of {kernel} with dilation={dilation} reaches "
            f"over {reach} pixels, but size {size} with padding={padding} has {size + 2 * padding}; "
            "use a smaller kernel or dilation, or more padding"
        )
    return (size + 2 * padding - reach) // stride + 1


def correlate1d(signal: ArrayLike, kernel: ArrayLike, *, stride: int = 1) -> np.ndarray:
    """Slide a short row of numbers along a long one and sum the products (lecture 12, first example).

    Args:
        signal: numbers of shape (n,).
        kernel: numbers of shape (k,), with k at most n. It is not flipped.
        stride: step between two places, at least 1.

    Returns:
        float64 array of shape ``(output_size(n, k, stride=stride),)``.

    Raises:
        ValueError: wrong shape or dtype, an empty array, a kernel longer than the signal, or a
            stride that is not a whole number of at least 1.
    """
    signal = _numbers("signal", signal, dimensions=(1,))
    kernel = _numbers("kernel", kernel, dimensions=(1,))
    output_size(len(signal), len(kernel), stride=stride)  # raises when the kernel does not fit
    return sliding_window_view(signal, len(kernel))[::stride] @ kernel


def correlate2d(
    image: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> np.ndarray:
    """Slide a kernel over a picture and sum the products at every place: one feature map (lesson 2).

    This is the sum. The lecture divides it by the number of products (nine), which changes the
    unit and not the pattern. The kernel is not flipped.

    Args:
        image: numbers of shape (height, width) or (height, width, channels).
        kernel: numbers with as many dimensions as the picture; with channels, as many of them.
            Any size that fits, even or odd.
        stride: step between two places, down and across, in pixels, at least 1.
        padding: rows and columns of zeros added on each of the four sides, at least 0.
        dilation: distance between neighbouring kernel entries, in pixels, at least 1.

    Returns:
        float64 array of two dimensions, its sides given by `output_size`: the products of all
        channels are summed into one map.

    Raises:
        ValueError: wrong shapes or dtypes, an empty array, channels that differ, a kernel that is
            larger than the padded picture, or a setting that is not a whole number in its range.
    """
    image = _numbers("picture", image, dimensions=(2, 3))
    kernel = _numbers("kernel", kernel, dimensions=(2, 3))
    if image.ndim != kernel.ndim or image.shape[2:] != kernel.shape[2:]:
        raise ValueError(
            f"picture and kernel do not go together: their shapes are {image.shape} and {kernel.shape}; "
            "both height x width is allowed, or both height x width x channels with equally many channels"
        )
    height, width = (
        output_size(side, reach, stride=stride, padding=padding, dilation=dilation)
        for side, reach in zip(image.shape[:2], kernel.shape[:2], strict=True)
    )
    if padding:
        edges = ((padding, padding), (padding, padding), (0, 0))
        image = np.pad(image, edges[: image.ndim])

    # One pass over the picture for each kernel entry, instead of one pass over the kernel for each
    # pixel: a few long NumPy operations, and no copy of the windows. Band by band, because a band
    # stays in the processor's cache (three times faster on a 512x512 picture).
    total = np.zeros((height, width))
    product = np.empty((min(BAND_ROWS, height), width))
    for first in range(0, height, BAND_ROWS):
        sums = total[first : first + BAND_ROWS]
        for row, column in np.ndindex(kernel.shape[:2]):
            top, left = first * stride + row * dilation, column * dilation
            bottom, right = top + stride * (len(sums) - 1) + 1, left + stride * (width - 1) + 1
            shifted = image[top:bottom:stride, left:right:stride]
            times = np.multiply if image.ndim == 2 else np.matmul  # matmul sums over the channels
            times(shifted, kernel[row, column], out=product[: len(sums)])
            sums += product[: len(sums)]
    return total


def relu(values: ArrayLike) -> np.ndarray:
    """Replace every negative number by zero and leave the others as they are (lecture 12, ReLU layer).

    Args:
        values: numbers of any shape.

    Returns:
        array of the same shape and dtype.

    Raises:
        ValueError: not numbers.
    """
    return np.maximum(_numbers("values", values, as_float=False), 0)


def max_pool2d(feature_map: ArrayLike, size: int = 2, stride: int = 2) -> np.ndarray:
    """Keep the largest number of each window (lecture 12, pooling layer).

    The first window lies in the top left corner. A last window that sticks out over the right or
    bottom edge is pooled with what it holds, as on the slides: a side of n gives
    ``ceil((n - size) / stride) + 1`` windows, of which one that would begin outside is left out.
    With ``size == stride == 2`` this is Keras's ``padding="same"``; Keras's default drops such windows.

    Args:
        feature_map: numbers of shape (height, width) or (height, width, channels); each channel
            is pooled on its own.
        size: side of the square window, in pixels, at least 1.
        stride: step between two windows, in pixels, at least 1.

    Returns:
        array of the same dtype and number of dimensions.

    Raises:
        ValueError: wrong shape or dtype, an empty array, or a size or stride that is not a whole
            number of at least 1.
    """
    feature_map = _numbers("feature map", feature_map, dimensions=(2, 3), as_float=False)
    size = _whole("size", size, least=1)
    stride = _whole("stride", stride, least=1)
    edges = [(0, 0)] * feature_map.ndim
    for axis in (0, 1):
        side = feature_map.shape[axis]
        last_start = min(-(-max(side - size, 0) // stride), (side - 1) // stride) * stride
        edges[axis] = (0, max(last_start + size - side, 0))
    # Repeating the edge changes no maximum: a window that sticks out holds the edge already.
    padded = np.pad(feature_map, edges, mode="edge")
    windows = sliding_window_view(padded, (size, size), axis=(0, 1))[::stride, ::stride]
    return windows.max(axis=(-2, -1))


def flatten(values: ArrayLike) -> np.ndarray:
    """Write all numbers into one row: row by row, map by map (lecture 12, flattening).

    Args:
        values: numbers of any shape, or a list of feature maps of the same shape.

    Returns:
        a new array of shape (number of values,), same dtype.

    Raises:
        ValueError: not numbers, or maps of different shapes.
    """
    return _numbers("values", values, as_float=False).flatten()


def _whole(name: str, value: int, *, least: int) -> int:
    """Return `value` as an int, or say which whole numbers are allowed."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r}: a whole number of at least {least} is allowed")
    return int(value)


def _numbers(
    name: str, values: ArrayLike, *, dimensions: tuple[int, ...] | None = None, as_float: bool = True
) -> np.ndarray:
    """Return `values` as an array of real numbers, or say what is wrong with them.

    Whole numbers become float64 by default: in uint8, the dtype of pictures, 200 * 2 is 144.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"the {name} has rows of different lengths; all must be equally long") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"the {name} must hold whole or decimal numbers, not {array.dtype}")
    if dimensions is not None:
        if array.ndim not in dimensions:
            allowed = " or ".join(str(number) for number in dimensions)
            raise ValueError(
                f"the {name} has shape {array.shape}, that is {array.ndim} dimensions; {allowed} are allowed"
            )
        if array.size == 0:
            raise ValueError(
                f"the {name} has shape {array.shape}, so it is empty; sides of 1 or more are allowed"
            )
    return array.astype(np.float64, copy=False) if as_float else array

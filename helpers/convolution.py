"""The operations that lesson 2 derives by hand: correlation, ReLU, max pooling, flattening, output size.

A picture is an array of numbers, height x width (grey) or height x width x channels, in pixels and in
any value range; not-a-number (NaN) is allowed and spreads as it does in NumPy. Strictly, the sliding
sum of products is a cross-correlation: the kernel is not flipped. Every deep-learning library computes
the same and calls it convolution. All functions raise `ValueError` for what is not a number or empty.
"""

from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike


def output_size(size: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return how many places a kernel finds along one side of a picture (lesson 2).

    All in whole pixels: the lengths of the side and of the kernel, the step between two places (`stride`),
    what is added at each of the two ends (`padding`, at least 0; all others at least 1) and the distance of
    neighbouring kernel entries (`dilation`; 1 means no gaps). The kernel covers
    ``reach = dilation * (kernel - 1) + 1`` pixels, at ``floor((size + 2 * padding - reach) / stride) + 1``
    places. Raises `ValueError` for other numbers and for a kernel that does not fit.
    """
    size, kernel = _whole("size", size), _whole("kernel", kernel)
    stride, padding, dilation = _settings(stride, padding, dilation)
    reach = dilation * (kernel - 1) + 1
    if reach > size + 2 * padding:
        raise ValueError(
            f"the kernel is larger than the picture: a kernel of {kernel} with dilation={dilation} reaches "
            f"over {reach} pixels, but size {size} with padding={padding} has {size + 2 * padding}"
        )
    return (size + 2 * padding - reach) // stride + 1


def correlate1d(signal: ArrayLike, kernel: ArrayLike, *, stride: int = 1) -> np.ndarray:
    """Slide a short row of numbers along a long one and sum the products (lesson 2).

    `signal` has shape (n,), `kernel` shape (k,) with k at most n. Returns float64 of shape
    ``(output_size(n, k, stride=stride),)``.
    """
    signal, kernel = _numbers("signal", signal, (1,)), _numbers("kernel", kernel, (1,))
    output_size(len(signal), len(kernel), stride=stride)  # raises when the kernel does not fit
    return sliding_window_view(signal, len(kernel))[::stride] @ kernel.astype(float)


def correlate2d(
    image: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> np.ndarray:
    """Slide a kernel over a picture and sum the products at every place: one feature map (lesson 2).

    This is the sum; the lecture divides it by the number of products. `image` and `kernel` have shape
    (height, width), or (height, width, channels) with equally many channels, which are summed into one map.
    The settings are those of `output_size`, down and across; padding is with zeros, on all four sides.
    Returns float64 of two dimensions, its sides given by `output_size`. Raises `ValueError` for wrong shapes,
    dtypes or settings, and for a kernel that is larger than the padded picture.
    """
    image, kernel = _numbers("picture", image, (2, 3)), _numbers("kernel", kernel, (2, 3))
    stride, padding, dilation = _settings(stride, padding, dilation)
    if image.ndim != kernel.ndim or image.shape[2:] != kernel.shape[2:]:
        raise ValueError(
            f"picture and kernel do not go together: their shapes are {image.shape} and {kernel.shape}; "
            "both height x width is allowed, or both height x width x channels with equally many channels"
        )
    rows, columns = (
        output_size(side, length, stride=stride, padding=padding, dilation=dilation)
        for side, length in zip(image.shape[:2], kernel.shape[:2], strict=True)
    )
    # float64: in uint8, the dtype of pictures, 200 * 2 is 144
    image, kernel = np.atleast_3d(image, kernel.astype(float))
    if padding:
        image = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    # One pass over the picture for each number of the kernel, as lesson 2 derives it.
    bottom, right = stride * rows, stride * columns
    return sum(
        kernel[r, c, channel] * image[r * dilation :, c * dilation :, channel][:bottom:stride, :right:stride]
        for r, c, channel in np.ndindex(kernel.shape)
    )


def relu(values: ArrayLike) -> np.ndarray:
    """Replace negative numbers by zero (lesson 2); any shape, and the result has the same shape and dtype."""
    return np.maximum(_numbers("values", values), 0)


def max_pool2d(feature_map: ArrayLike, size: int = 2, stride: int = 2) -> np.ndarray:
    """Keep the largest number of each window (lesson 2).

    `feature_map` has shape (height, width) or (height, width, channels), each channel pooled on its own;
    `size` is the side of the window and `stride` the step between two, in pixels, at least 1. Returns the
    same dtype and number of dimensions. A last window that sticks out over the right or bottom edge is
    pooled with what it holds, as on the slides: a side of n gives ``ceil((n - size) / stride) + 1`` windows,
    less one that would begin outside. With ``size == stride == 2`` this is Keras's ``padding="same"``; its
    default drops such windows.
    """
    feature_map = _numbers("feature map", feature_map, (2, 3))
    size, stride = _whole("size", size), _whole("stride", stride)
    edges = [(0, 0)] * feature_map.ndim
    for axis, side in enumerate(feature_map.shape[:2]):
        last_start = min(-(-max(side - size, 0) // stride), (side - 1) // stride) * stride
        edges[axis] = (0, max(last_start + size - side, 0))
    # Repeating the edge changes no maximum: a window that sticks out holds the edge already.
    padded = np.pad(feature_map, edges, mode="edge")
    return sliding_window_view(padded, (size, size), axis=(0, 1))[::stride, ::stride].max(axis=(-2, -1))


def flatten(values: ArrayLike) -> np.ndarray:
    """Write all numbers, or feature maps of one shape, into a new row (n,) of the same dtype (lesson 2)."""
    return _numbers("values", values).flatten()


def _whole(name: str, value: int, least: int = 1) -> int:
    """Return `value` as an int, or say which whole numbers are allowed."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r}: a whole number of at least {least} is allowed")
    return int(value)


def _settings(stride: int, padding: int, dilation: int) -> tuple[int, int, int]:
    return _whole("stride", stride), _whole("padding", padding, least=0), _whole("dilation", dilation)


def _numbers(name: str, values: ArrayLike, dimensions: tuple[int, ...] = ()) -> np.ndarray:
    """Return `values` as an array of real numbers, or say what is wrong with them."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"the {name} has rows of different lengths; all must be equally long") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"the {name} must hold whole or decimal numbers, not {array.dtype}")
    if dimensions and (array.ndim not in dimensions or not array.size):
        allowed = " or ".join(f"{number}-" for number in dimensions)
        raise ValueError(f"the {name} has shape {array.shape}; it must be {allowed}dimensional and not empty")
    return array

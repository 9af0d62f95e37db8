"""Put the committed network of lesson 4 into its lab: python -m helpers.labs.draw_a_digit

Writes src/draw-a-digit.json, what the page knows of the network: its layers, its weights as numbers of
16 bits, and the SHA-256 of what they were before; then builds the pages. A layer that the page cannot
compute is refused.
"""

import base64
import hashlib
import json
import runpy
import zlib
from pathlib import Path

import numpy as np

from helpers import CourseError
from helpers.published import MODELS_FOLDER, load_network

NETWORK = MODELS_FOLDER / "mnist-compact.keras"
TARGET = Path(__file__).parent / "src" / "draw-a-digit.json"
# What the page needs of each kind of layer, and the only value of other settings that it can compute.
POOLING = {"pool_size": ..., "strides": ..., "padding": ...}
CONVOLUTION = {"strides": ..., "padding": ..., "activation": ..., "dilation_rate": (1, 1)}
KINDS = {
    "InputLayer": {},
    "Rescaling": {"scale": ..., "offset": ...},
    "Conv2D": CONVOLUTION | {"groups": 1},
    "DepthwiseConv2D": CONVOLUTION | {"depth_multiplier": 1},
    "SeparableConv2D": CONVOLUTION | {"depth_multiplier": 1},
    "BatchNormalization": {"axis": -1},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "Activation": {"activation": ...},
    "Softmax": {"axis": -1},
    "MaxPooling2D": POOLING,
    "AveragePooling2D": POOLING,
    "GlobalAveragePooling2D": {},
    "Flatten": {},
    "Dropout": {},
    "SpatialDropout2D": {},
    "Dense": {"activation": ...},
}
ACTIVATIONS = ("linear", "relu", "softmax")
NOTHING = ("InputLayer", "Dropout", "SpatialDropout2D")  # when a network predicts
BELONG = ("BatchNormalization", "ReLU", "Activation")  # to the pooling or convolution before them
STAGES = 2  # whose maps the page shows: those behind the first layers that make the maps smaller


def described(network) -> dict:
    """Return a Keras network as the page wants it: "sha256", "layers", "weights" (deflated, in base85).

    Raises:
        CourseError: it is not a plain stack, or has a layer or a setting that the page cannot compute.
    """
    if type(network).__name__ != "Sequential":
        raise CourseError(
            f"the lab computes plain stacks of layers, and {network.name} is not one (Sequential)"
        )
    layers, weights, stage, stages = [], [], False, 0
    for layer in network.layers:
        kind, entry = type(layer).__name__, _entry(layer)
        if kind in NOTHING:
            continue
        numbers = _numbers(layer)
        entry["weights"] = [list(array.shape) for array in numbers]
        weights += [array.ravel() for array in numbers]
        if stage and kind not in BELONG and stages < STAGES:
            layers[-1]["shown"], stage, stages = True, False, stages + 1
        stage = stage or max(entry.get("strides", [1])) > 1  # the maps become smaller
        layers.append(entry)
    original = b"".join(array.astype("<f4").tobytes() for array in network.get_weights())
    sha256 = hashlib.sha256(original).hexdigest()
    return {"sha256": sha256, "layers": layers, "weights": _packed(np.concatenate(weights))}


def _entry(layer) -> dict:
    kind, settings = type(layer).__name__, layer.get_config()
    if kind not in KINDS or settings.get("data_format", "channels_last") != "channels_last":
        raise CourseError(f"the lab cannot compute the layer {layer.name} ({kind}): add it to the page first")
    for name, only in KINDS[kind].items():
        value = tuple(settings[name]) if isinstance(settings[name], list) else settings[name]
        unknown = name == "activation" and value not in ACTIVATIONS
        if unknown or (only is not ... and value != only and not (name == "axis" and value == 3)):
            raise CourseError(f"the lab cannot compute {name}={value!r} of the layer {layer.name} ({kind})")
    return {"kind": kind, **{name: settings[name] for name, only in KINDS[kind].items() if only is ...}}


def _numbers(layer) -> list[np.ndarray]:
    """Return a layer's weights; a batch normalisation is a scale and a shift once it has learnt."""
    if type(layer).__name__ != "BatchNormalization":
        return layer.get_weights()
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy().astype(float)
    scale = (layer.gamma.numpy() if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    return [scale, (layer.beta.numpy() if layer.center else 0.0) - mean * scale]


def _packed(numbers: np.ndarray) -> str:
    """Return 16-bit floats as text: all low bytes, then all high bytes, which alone become shorter."""
    halves = numbers.astype("<f2")
    if not np.isfinite(halves).all():
        raise CourseError("a weight of the network is too large for 16 bits")
    planes = halves.view(np.uint8).reshape(-1, 2).T.tobytes()
    return base64.b85encode(zlib.compress(planes, 9)).decode("ascii")  # base64 is a sixteenth longer


if __name__ == "__main__":
    data = described(load_network(NETWORK))
    TARGET.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(data['layers'])} layers, {TARGET.stat().st_size / 1000:.0f} kB")
    runpy.run_path(str(TARGET.parents[1] / "build.py"), run_name="__main__")

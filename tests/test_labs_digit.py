"""Lab of lesson 4: the page reads digits as Keras does, and is made from the committed network."""

import json
import os
import runpy

import numpy as np
import pytest
from lab_numbers import SOURCES, in_node
from PIL import Image, ImageDraw

from helpers import datasets, figures
from helpers.digits import read_digit

EXPORTER = runpy.run_path(str(figures.LABS / "draw_a_digit.py"))
DIGIT = json.loads((SOURCES / "draw-a-digit.json").read_text("utf-8"))
ANSWERS = """const layers = await lab.unpack(given[0]);
answer = given[1].map(([rows, columns, values]) => lab.answer(layers, {rows, columns, maps: 1, values:
  Float32Array.from(values)}).slice(given[2]).map((output) => Array.from(output.values)))"""


def answers(network, pictures, first=-1):
    """Return the page's outputs of a described network, from layer `first` on, for pictures (n, h, w)."""
    given = [[*picture.shape, picture.ravel().tolist()] for picture in pictures]
    return in_node("draw-a-digit", ANSWERS, [network, given, first])


@pytest.mark.kernel
def test_the_page_holds_the_committed_network_and_reads_test_pictures_as_keras_does(digit_network):
    now = json.loads(json.dumps(EXPORTER["described"](digit_network)))  # a tuple becomes a list
    for part in ("sha256", "layers"):
        assert DIGIT[part] == now[part], "the page is stale: python -m helpers.labs.draw_a_digit"
    mnist = datasets.load_mnist("auto" if os.environ.get("COURSE_DATA_DIR") else "sample")
    wanted = digit_network.predict(mnist.x_test[:2000, ..., np.newaxis], verbose=0)
    found = np.array(answers(DIGIT, mnist.x_test[:2000]))[:, 0]
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all() and abs(found - wanted).max() < 0.005


def keras_stacks(keras):
    """Return two networks with every kind of layer that the page knows; 16 bits can hold their weights."""
    layers = keras.layers
    first = [
        layers.Rescaling(1 / 127.5, -1), layers.Conv2D(3, (3, 2), (2, 1), "same", activation="relu"),
        layers.DepthwiseConv2D(3, 2, "same"), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.5),
        layers.SeparableConv2D(5, 2, activation="relu"), layers.MaxPooling2D(3, 2, "same"),
        layers.AveragePooling2D(2, 1, "same"), layers.Flatten(), layers.Dense(4), layers.Softmax(),
    ]  # fmt: skip
    second = [
        layers.Conv2D(4, 3, use_bias=False), layers.MaxPooling2D(2), layers.Activation("relu"),
        layers.AveragePooling2D((2, 1)), layers.SpatialDropout2D(0.5),
        layers.SeparableConv2D(6, 2, 2, "same"),
        layers.BatchNormalization(scale=False), layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    for parts in (first, second):
        stack = keras.Sequential([keras.Input((11, 13, 1)), *parts])
        shapes = [weight.shape for weight in stack.get_weights()]
        stack.set_weights(
            [rng.uniform(0.1, 1, shape).astype("float16") - 0.25 * (len(shape) > 1) for shape in shapes]
        )
        yield stack


@pytest.mark.kernel
def test_every_kind_of_layer_gives_what_keras_gives(keras):
    for stack in keras_stacks(keras):
        picture = np.random.default_rng(1).integers(0, 256, (1, 11, 13)).astype("float32")
        told = [layer for layer in stack.layers if "Dropout" not in type(layer).__name__]
        every = keras.Model(stack.inputs[0], [layer.output for layer in told])(picture[..., np.newaxis])
        ours = answers(EXPORTER["described"](stack), picture, 0)[0]
        for layer, wanted, found in zip(told, every, ours, strict=True):
            room = 2e-3 * max(1, np.abs(wanted).max())
            np.testing.assert_allclose(found, np.ravel(wanted), rtol=0, atol=room, err_msg=layer.name)


def test_a_drawing_is_prepared_as_read_digit_prepares_its_file(tmp_path):
    drawing = Image.new("L", (280, 280))
    line = [(60, 70), (120, 50), (130, 110), (60, 200), (150, 200)]
    ImageDraw.Draw(drawing).line(line, fill=255, width=26, joint="curve")
    drawing.save(tmp_path / "drawn.png")
    ink = {"rows": 280, "columns": 280, "values": np.asarray(drawing).ravel().tolist()}
    code = "answer = Array.from(lab.prepare({...given, maps: 1}).centred.values)"
    found = np.reshape(in_node("draw-a-digit", code, ink), (28, 28))
    assert abs(found - read_digit(tmp_path / "drawn.png")[0]).mean() < 2


def test_samples_are_read_by_keyboard_and_the_challenge_is_met(open_page):
    page = open_page("draw-a-digit")
    page.get_by_role("button", name="Sample 0", exact=True).focus()
    for digit in range(10):  # two rows of five
        page.keyboard.press("Enter")
        page.locator("#reads").filter(has_text=f"A {digit}: ").wait_for()
        assert page.locator("#shares li.first").inner_text().startswith(str(digit))
        for key in ("Home", "ArrowDown") if digit == 4 else ("ArrowRight",):
            page.keyboard.press(key)
    page.get_by_label("Tilt").focus()
    while not page.locator(".challenge.met").count() and page.locator("#tilt-value").inner_text() != "90°":
        page.keyboard.press("ArrowRight")
    assert "It hesitated: " in page.locator("#verdict").inner_text()


def test_a_digit_is_drawn_and_counts_when_the_pen_is_lifted(open_page):
    page = open_page("draw-a-digit")
    reads, box = page.locator("#reads"), page.locator("#drawing").bounding_box()
    before = page.locator("#verdict").inner_text()
    for number, (x, y) in enumerate([(60, 60), (110, 55), (95, 110), (80, 150)]):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
        page.mouse.down() if number == 0 else None
        page.evaluate("new Promise(requestAnimationFrame)")  # an answer has been given
    assert page.locator("#verdict").inner_text() == before
    page.mouse.up()
    reads.filter(has_text="A 7: ").wait_for()
    prepared = reads.inner_text()
    page.get_by_label("prepare as MNIST does").uncheck()
    page.get_by_text("Off: the whole drawing").wait_for()
    assert reads.inner_text() != prepared  # as it was drawn, the network is less sure, or wrong

"""Reading a digit from a picture file: any size, paper, ink and format, and one line for what shows none."""

import os
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from test_datasets import error_of

from helpers import datasets
from helpers.digits import read_digit


def seven(paper="white", ink="black", width=12):
    picture = Image.new("RGB", (300, 200), paper)
    ImageDraw.Draw(picture).line([(100, 50), (160, 50), (125, 150)], fill=ink, width=width, joint="curve")
    return picture


def test_digit_is_laid_out_as_in_mnist(tmp_path, monkeypatch):
    seven().save(tmp_path / "seven.png")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    pixels, steps = read_digit("~/seven.png")
    assert pixels.shape == (28, 28) and pixels.dtype == np.uint8 and pixels.max() == 255
    assert max(np.ptp(place) for place in np.nonzero(pixels)) + 1 == 20
    centre = [np.average(np.arange(28), weights=pixels.sum(axis=axis)) for axis in (0, 1)]
    assert np.allclose(centre, 14, atol=0.51)
    assert list(steps) == ["picture", "ink", "digit", "box", "centred"]
    assert steps["picture"].shape == (200, 300, 3) and np.array_equal(steps["centred"], pixels)


def with_a_shadow():
    photograph = np.asarray(seven(width=4)) * np.linspace(1, 0.5, 300)[:, np.newaxis]
    photograph += np.random.default_rng(0).normal(0, 4, photograph.shape)
    return Image.fromarray(np.clip(photograph, 0, 255).astype(np.uint8))


def with_a_frame_and_a_speck():
    picture = seven()
    ImageDraw.Draw(picture).rectangle((0, 0, 299, 199), outline="black", width=6)
    ImageDraw.Draw(picture).ellipse((250, 150, 254, 154), fill="black")
    return picture


PICTURES = {
    "red on yellow": seven(paper="#fff27a", ink="#c02828"),
    "white on blue": seven(paper="#20407a", ink="#f0f0f0"),
    "yellow on white": seven(paper="white", ink="#e8dc50"),
    "small in a corner": ImageOps.expand(seven(), (0, 400, 600, 0), "white"),
    "at the rim": seven().crop(ImageOps.invert(seven()).getbbox()),
    "with a thin pen and a shadow": with_a_shadow(),
    "with a frame and a speck": with_a_frame_and_a_speck(),
}


@pytest.mark.kernel
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_of_a_seven_is_read_as_one(name, tmp_path, digit_network):
    PICTURES[name].save(tmp_path / "seven.jpg", quality=90)
    pixels, _ = read_digit(tmp_path / "seven.jpg")
    assert np.ptp(np.nonzero(pixels > 60)[0]) >= 17, "specks and frames do not shrink it"
    assert digit_network.predict(pixels[np.newaxis, ..., np.newaxis], verbose=0).argmax() == 7


NOISE = np.random.default_rng(0).normal(200, 6, (200, 200, 3)).clip(0, 255).astype(np.uint8)
BAD = {
    "blank.png": (lambda path: Image.new("RGB", (200, 200), "white").save(path), "shows no digit"),
    "noise.png": (lambda path: Image.fromarray(NOISE).save(path), "shows no digit"),
    "letter.png": (lambda path: path.write_text("Dear network"), "is not a picture"),
    "tiny.png": (lambda path: Image.new("L", (3, 200)).save(path), "3 x 200.*8 x 8"),
    "missing.png": (lambda path: None, "is not a file"),
    "long" * 80: (lambda path: None, "File name too long"),
}


@pytest.mark.fault
@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_one_clear_line(tmp_path, name, recwarn):
    make, words = BAD[name]
    make(tmp_path / name)
    line = error_of(read_digit, tmp_path / name)
    assert re.search(words, line) and line.startswith(name) and str(tmp_path) not in line
    assert not recwarn.list


@pytest.mark.kernel
@pytest.mark.skipif(not os.environ.get("COURSE_DATA_DIR"), reason="needs the real pictures")
@pytest.mark.parametrize("style", ["plain", "inverted", "shadow", "tight", "far"])
def test_rendered_test_digits_are_still_read(digit_network, tmp_path, style):
    mnist, generator, pictures = datasets.load_mnist("real"), np.random.default_rng(4), []
    chosen = generator.choice(len(mnist.x_test), size=100, replace=False)
    for index in chosen:
        side = int(generator.integers(70, 200))
        room = {"tight": side + 4, "far": 4 * side}.get(style, 280)
        field = Image.new("L", (room, room), 0)
        digit = Image.fromarray(mnist.x_test[index]).resize((side, side), Image.Resampling.BICUBIC)
        field.paste(digit, tuple(generator.integers(0, room - side + 1, 2).tolist()))
        ink, paper = (240, 15) if style == "inverted" else (35, 235)
        grey = paper + (ink - paper) * np.asarray(field, dtype=float) / 255
        grey *= np.linspace(1, 0.5 if style == "shadow" else 1, room)
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "digit.jpg", quality=60)
        pictures.append(read_digit(tmp_path / "digit.jpg")[0])
    answers = digit_network.predict(np.array(pictures)[..., np.newaxis], verbose=0).argmax(axis=1)
    assert (answers == mnist.y_test[chosen]).sum() >= 95

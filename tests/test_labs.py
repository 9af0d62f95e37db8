"""The labs: their numbers are the course's; their pages in a real browser, by mouse and by keyboard."""

import json
import os
import re
import runpy
import shutil
import subprocess

import nbformat
import numpy as np
import pytest
from lab_browser import NAMES
from nbconvert import HTMLExporter
from PIL import Image, ImageDraw
from test_lesson_02 import LESSON, starters

from helpers import COURSE_FOLDER, datasets, figures
from helpers.convolution import correlate2d, max_pool2d, relu
from helpers.digits import read_digit

LABS, JAVASCRIPT = figures.LABS, COURSE_FOLDER / "tests" / "labs"
SOURCES = LABS / "src"
TEXTS = json.loads((SOURCES / "en.json").read_text(encoding="utf-8"))


def in_node(name, code, given=None):
    """Return what JavaScript `code` leaves in `answer`; `lab` is a lab's numbers, `given` comes from here."""
    node = shutil.which("node") or pytest.skip("needs node")
    program = f"import * as lab from {(SOURCES / f'{name}.numbers.mjs').as_uri()!r}; let answer;\n"
    program += "import fs from 'node:fs'; const given = JSON.parse(fs.readFileSync(0));"
    command = [node, "--input-type=module", "-e", f"{program} {code}; console.log(JSON.stringify(answer))"]
    ran = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def press(page, *keys):
    """Press keys one after the other: letters for the arrows, the space bar, or keys by their names."""
    arrows = {"u": "ArrowUp", "d": "ArrowDown", "l": "ArrowLeft", "r": "ArrowRight"}
    for key in keys:
        page.keyboard.press(arrows.get(key, key))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_up_to_date_self_contained_and_has_its_picture(name):
    page = (LABS / f"{name}.html").read_text(encoding="utf-8")
    assert page == runpy.run_path(str(LABS / "build.py"))["page"](name), "run: python helpers/labs/build.py"
    addresses = re.findall(
        r"""(?:src|href)=["']?([^"'\s>]+)|(https?://[^\s"']+)|\bfetch\(|\bimport\b""", page
    )
    assert addresses == [(f"{name}.png", "")] and len(page.encode()) < 100_000
    picture = LABS / f"{name}.png"
    assert Image.open(picture).width >= 700 and picture.stat().st_size < 60_000


@pytest.mark.parametrize("name", NAMES)
def test_every_text_that_a_lab_asks_for_is_in_the_language_file_and_none_lies_there_unused(name):
    known = TEXTS["frame"] | TEXTS[name]
    files = [*LABS.glob(f"src/{name}.*"), LABS / "src" / "frame.mjs", LABS / "src" / "frame.html"]
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    asked = {one or other for one, other in re.findall(r'\btext\("([\w-]+)"|\{\{([\w-]+)\}\}', sources)}
    assert asked - known.keys() == {"body"}
    assert [key for key in known if key not in sources and f"`{key.split('-')[0]}-$" not in sources] == []


def test_the_numbers_of_the_labs_pass_their_own_tests():
    node = shutil.which("node")
    if not node:
        pytest.skip("needs node")
    files = sorted(map(str, JAVASCRIPT.glob("*.test.mjs")))
    ran = subprocess.run([node, "--test", *files], capture_output=True, text=True)
    assert files and ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_lab_fits_a_phone_axe_finds_nothing_and_every_control_is_reached_by_keyboard(open_page, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page, seen = open_page(name), set()
    for width, scheme in ((1100, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe.Axe().run(page).response["violations"] == []
    stops = page.locator(":is(button, input, select, summary):visible:enabled:not([tabindex='-1'])").count()
    for _ in range(2 * stops):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.outerHTML"))
    assert len(seen) > stops > 3  # the page itself is one more


@pytest.mark.parametrize("javascript", [True, False])
def test_in_a_notebooks_html_a_lab_runs_and_without_javascript_its_picture_stands_there(
    open_page, tmp_path, monkeypatch, javascript
):
    shown, name = [], "sliding-window"
    monkeypatch.setattr(figures, "display", lambda data, **_: shown.append(data))
    figures.lab(name)
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", shown[0])])
    html = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0]
    (tmp_path / "lesson.html").write_text(html, encoding="utf-8")
    page = open_page(tmp_path / "lesson.html", java_script_enabled=javascript)
    picture = page.get_by_alt_text(TEXTS[name]["alt"], exact=True).first
    assert picture.is_visible() is not javascript and page.locator("iframe").is_visible() is javascript
    if javascript:
        page.frame_locator(".lab iframe").locator("html[data-ready]").wait_for()
        page.emulate_media(media="print")
        assert picture.is_visible() and not page.locator("iframe").is_visible()


def test_a_lab_that_does_not_exist_is_answered_with_the_names_of_those_that_do():
    with pytest.raises(ValueError, match=r"no lab 'slide'; the labs are .*sliding-window"):
        figures.lab("slide")


# --- the sliding window


def test_the_sliding_window_computes_as_the_course_does_in_50_random_settings():
    lesson, chance, settings = starters(LESSON)[0], np.random.default_rng(2), []
    for _ in range(50):
        picture = lesson["x"] * chance.choice([1, -1], (9, 9), p=[0.8, 0.2])
        stride, padding, dilation = chance.integers([1, 0, 1], [4, 3, 4]).tolist()
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        settings.append((picture, chance.integers(-9, 10, (3, 3)), options))
    code = """answer = given.map(([picture, ...rest]) => { const sums = lab.correlate(picture, ...rest);
      return [sums, lab.relu(sums), lab.maxPool(sums), lab.vote(picture)]; })"""
    given = [[picture.tolist(), kernel.tolist(), options] for picture, kernel, options in settings]
    answers = in_node("sliding-window", code, given)
    for (picture, kernel, options), (*tables, vote) in zip(settings, answers, strict=True):
        sums = correlate2d(picture, kernel, **options)
        for table, expected in zip(tables, (sums, relu(sums), max_pool2d(sums)), strict=True):
            assert np.array_equal(table, expected)
        said = vote.pop("answer")
        assert list(vote.values()) == pytest.approx(lesson["votes"] @ lesson["features"](picture))
        assert said == lesson["answer"](picture)


def test_the_window_follows_the_mouse_and_play_fills_the_map(open_page):
    page = open_page("sliding-window", viewport={"width": 1100, "height": 900})
    cells, place = page.locator("#picture button[aria-label^=Row]"), page.locator("#place")
    cells.nth(36).hover()
    page.mouse.down()
    cells.nth(39).hover()
    cells.nth(36).hover()  # back to where the line began: it stays painted
    page.mouse.up()
    assert [cells.nth(n).inner_text() for n in (36, 39)] == ["1", "1"]
    page.locator(".grip").drag_to(cells.nth(80), target_position={"x": 30, "y": 30}, force=True)
    assert place.inner_text() == "Window in row 7, column 7"
    page.uncheck("#mean")
    page.locator("#map button").nth(8).hover()
    assert place.inner_text() == "Window in row 2, column 2"
    assert page.locator("#result").inner_text() == "Sum 9"
    page.select_option("#dilation", "3")
    assert page.locator("#picture .used").count() == 9  # in the first place a window with gaps
    page.select_option("#dilation", "1")
    page.select_option("#stride", "3")
    page.click("#play")
    page.wait_for_function("document.querySelectorAll('#map .blank').length === 0")
    assert place.inner_text() == "Window in row 3, column 3"


def test_the_challenge_of_the_sliding_window_is_met_with_the_keyboard_alone(open_page):
    page = open_page("sliding-window", reduced_motion="reduce")
    press(page, "Tab", "Enter")  # Play: without movement the window is at the end at once
    assert page.locator("#place").inner_text() == "Window in row 7, column 7"
    page.locator("#mean").focus()
    press(page, "Tab", *"dddrrr drrrrr ")
    assert page.locator("#verdict").inner_text() == "Pixels changed: 2. The network still says X."
    press(page, *"dl ll ")
    assert page.locator(".met #verdict").inner_text().startswith("Fooled with 4 changed pixels. No smaller")


# --- the calculator of layers


def random_stack(chance):
    """Return a picture's sides and layers that fit one after the other."""
    size, stride, kernels, units = chance.integers(1, [6, 4, 9, 40]).tolist()
    window = {"size": size, "stride": stride, "padding": str(chance.choice(["same", "valid"]))}
    reading_maps = [{"kind": "conv", "filters": kernels, **window}, {"kind": "pool", **window}]
    any_shape = [{"kind": "norm"}, {"kind": "dropout"}]
    layers = chance.choice(reading_maps + any_shape, chance.integers(6)).tolist() + [{"kind": "flatten"}]
    layers += chance.choice([{"kind": "dense", "units": units}, *any_shape], chance.integers(5)).tolist()
    return chance.integers([150, 150, 1], [180, 180, 5]).tolist(), layers


@pytest.mark.kernel
def test_the_calculator_counts_the_sources_and_20_random_stacks_as_keras_does(keras):
    chance = np.random.default_rng(4)
    code = """answer = [...Object.values(lab.PRESETS).map(({ input, layers }) => [input, layers]), ...given]
      .map((one) => [lab.keras(...one), lab.count(...one), lab.totals(lab.count(...one))])"""
    answers = in_node("layer-calculator", code, [random_stack(chance) for _ in range(20)])
    for built, counted, totals in answers:
        network = eval(built, {"keras": keras, "layers": keras.layers})
        field, jump = 1, 1
        for layer, said in zip(network.layers, counted, strict=True):
            weights = layer.kernel.shape if hasattr(layer, "kernel") else (0,)
            *places, _ = shape = layer.output.shape[1:]
            field += (getattr(layer, "kernel_size", getattr(layer, "pool_size", (1,)))[0] - 1) * jump
            jump *= getattr(layer, "strides", (1,))[0]
            assert said["shape"] == [*shape] and said["field"] in (field, None)
            assert said["parameters"] == layer.count_params()
            assert said["multiplications"] == np.prod(places, dtype=int) * np.prod(weights)
        trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
        assert (totals["parameters"], totals["trained"]) == (network.count_params(), trained)
    found = [totals["parameters"] for *_, totals in answers[:4]]
    assert found == [607_394, 542_230, 135_942, 14_714_688]


def test_the_challenge_of_the_calculator_is_met_with_the_keyboard_and_what_does_not_fit_is_named(open_page):
    page = open_page("layer-calculator")

    def write(name, value):
        page.get_by_label(name, exact=True).focus()
        press(page, "ControlOrMeta+a", *value)

    write("kernels, layer 1", "8")
    write("size, layer 1", "5")
    for kind, place in (("Convolution", 7), ("Max pooling", 8), ("Convolution", 9)):
        page.get_by_role("button", name=f"+ {kind}").focus()
        press(page, "Enter")
        assert "flattened already" in page.locator("#layers").inner_text()
        page.get_by_role("button", name=f"Move layer {place}, {kind}, up").focus()
        press(page, *["Enter"] * 4)
    write("size, layer 3", "5")
    write("size, layer 5", "40")
    assert "The window is larger than what it reads." in page.locator("#layers li").nth(4).inner_text()
    write("size, layer 5", "4")
    assert page.locator(".met #verdict").inner_text().count("yes") == 3


# --- the valley

NEEDED = (
    "example", "softmax-def", "loss-def", "loss-at", "slopes-def", "nudge", "descend", "map", "rules", "race",
)  # fmt: skip


@pytest.fixture(scope="module")
def lesson_3():
    """Return the names of lesson 3 after the cells that its valley is made of."""
    space = {"np": np, "learning_rate": 5.0}
    notebook = COURSE_FOLDER / "notebooks" / "03-how-a-network-learns.ipynb"
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(notebook.read_text("utf-8"))["cells"]}
    for name in NEEDED:
        exec(cells[f"l3-{name}"].split("fig, axis")[0], space)
    return space


def test_the_valley_walks_as_the_lesson_does(lesson_3):
    settings = [(rate, momentum) for rate in (0.2, 5.0, 6.3, 9.1, 20.0) for momentum in (0, 0.9)]
    code = "answer = given.map((one) => [lab.walk(...one), lab.walk(...one).map(lab.lossAt)])"
    for (rate, momentum), (ours, losses) in zip(settings, in_node("valley", code, settings), strict=True):
        rule = lesson_3["momentum"] if momentum else lesson_3["plain"]
        path = lesson_3["descend_by"](rule, rate, 40, lesson_3["two_slopes"], lesson_3["for_x"])
        np.testing.assert_allclose(ours, path, rtol=0, atol=1e-9)
        np.testing.assert_allclose(losses, [lesson_3["loss_at"](place) for place in path], rtol=0, atol=1e-9)
    floor = in_node("valley", "answer = lab.findFloor(false)")
    np.testing.assert_allclose(floor, lesson_3["floor"], rtol=0, atol=1e-12)


def test_the_valleys_page_shows_the_lessons_numbers_at_the_start_and_after_a_step(lesson_3, open_page):
    page = open_page("valley", reduced_motion="reduce")
    page.get_by_label("both votes").check()
    for place in lesson_3["descend"](5.0, 2):
        shown = page.locator("#now").inner_text().replace("−", "-")
        line, cross = (f"{vote:.3f}" for vote in place)
        assert f"loss {lesson_3['loss_at'](place):.4f}, votes {line} and {cross}" in shown
        said = lesson_3["softmax"](lesson_3["PICTURES"] @ np.column_stack([place, lesson_3["VOTES"][:, 1]]))[
            :, 0
        ]
        slopes = (said - [1, 1, 0, 0])[:, np.newaxis] * lesson_3["PICTURES"]
        wanted = [f"{one:.3f}" for one in np.column_stack([said, slopes]).ravel()]
        table = page.locator("#pulls").inner_text().replace("−", "-").split()
        assert [cell for row in range(4) for cell in table[row * 7 + 4 : row * 7 + 7]] == wanted
        page.get_by_role("button", name="One step").click()


def test_the_valleys_challenge_is_met_by_keyboard_alone(open_page):
    page = open_page("valley", reduced_motion="reduce")
    page.get_by_label("the cross's vote").focus()
    press(page, "r")
    for rate, momentum, said in (
        (9.2, 0, ""),
        (9, 0, "9 arrives, rate 9.2 does not"),
        (9.1, 0, "Found: 9 arrives, 9.1 climbs out"),
        (9, 10, "Both done"),
    ):
        page.locator("#rate").focus()
        press(page, "ControlOrMeta+a", *str(rate), "Tab", "Tab", *"r" * momentum)
        page.get_by_role("button", name="Run 40 steps").focus()
        press(page, "Enter")
        assert said in page.locator("#verdict").inner_text()
    assert page.locator(".challenge.met").count() == 1


def test_a_click_in_the_valley_starts_there_and_running_takes_forty_steps(open_page):
    page = open_page("valley")
    page.get_by_label("both votes").check()
    page.locator("#landscape").click(position={"x": 100, "y": 100})
    assert page.locator("#start-cross").input_value() != "1"
    page.get_by_role("button", name="Run 40 steps").click()
    page.get_by_text("Step 40:").first.wait_for()
    assert page.get_by_role("button", name="One step").is_disabled()


# --- draw a digit

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

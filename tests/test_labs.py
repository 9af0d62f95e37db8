"""The labs: their pages in a real browser, by mouse and by keyboard, and in a notebook's HTML."""

import json
import re
import runpy
import shutil
import subprocess

import nbformat
import numpy as np
import pytest
from lab_browser import NAMES
from lab_numbers import in_node
from nbconvert import HTMLExporter
from PIL import Image
from test_lesson_02 import LESSON, starters

from helpers import COURSE_FOLDER, figures
from helpers.convolution import correlate2d, max_pool2d, relu

LABS, JAVASCRIPT = figures.LABS, COURSE_FOLDER / "tests" / "labs"
TEXTS = json.loads((LABS / "src" / "en.json").read_text(encoding="utf-8"))


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


def press(page, *keys):
    """Press keys one after the other: letters for the arrows, the space bar, or keys by their names."""
    arrows = {"u": "ArrowUp", "d": "ArrowDown", "l": "ArrowLeft", "r": "ArrowRight"}
    for key in keys:
        page.keyboard.press(arrows.get(key, key))


def test_the_challenge_of_the_sliding_window_is_met_with_the_keyboard_alone(open_page):
    page = open_page("sliding-window", reduced_motion="reduce")
    press(page, "Tab", "Enter")  # Play: without movement the window is at the end at once
    assert page.locator("#place").inner_text() == "Window in row 7, column 7"
    page.locator("#mean").focus()
    press(page, "Tab", *"dddrrr drrrrr ")
    assert page.locator("#verdict").inner_text() == "Pixels changed: 2. The network still says X."
    press(page, *"dl ll ")
    assert page.locator(".met #verdict").inner_text().startswith("Fooled with 4 changed pixels. No smaller")


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

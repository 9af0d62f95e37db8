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
from nbconvert import HTMLExporter
from PIL import Image
from test_lesson_02 import run

from helpers import COURSE_FOLDER, figures
from helpers.convolution import correlate2d, max_pool2d, relu

LABS = figures.LABS
SETTINGS = ("stride", "padding", "dilation")
TEXTS = json.loads((LABS / "src" / "en.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_up_to_date_self_contained_and_has_its_picture(name):
    page = (LABS / f"{name}.html").read_text(encoding="utf-8")
    build = runpy.run_path(str(LABS / "build.py"))
    assert page == build["page"](name), "run: python helpers/labs/build.py"
    assert name in build["NAMES"] and len(page.encode()) < 100_000
    addresses = re.findall(
        r"""(?:src|href)=["']?([^"'\s>]+)|(https?://[^\s"']+)|\bfetch\(|\bimport\b""", page
    )
    assert addresses == [(f"{name}.png", "")]
    assert Image.open(LABS / f"{name}.png").width >= 700 and (LABS / f"{name}.png").stat().st_size < 60_000
    assert len(TEXTS[name]["alt"]) > 80


@pytest.mark.parametrize("name", NAMES)
def test_every_text_that_a_lab_asks_for_is_in_the_language_file_and_none_lies_there_unused(name):
    known = TEXTS["frame"] | TEXTS[name]
    sources = "".join(path.read_text(encoding="utf-8") for path in LABS.glob(f"src/{name}.*"))
    sources += "".join(
        (LABS / "src" / part).read_text(encoding="utf-8") for part in ("frame.mjs", "frame.html")
    )
    asked = set(re.findall(r"""\btext\(["']([\w-]+)["']|\{\{([\w-]+)\}\}""", sources))
    missing = {one or other for one, other in asked} - known.keys() - {"body"}
    unused = {
        key for key in known if key not in sources and not re.search(rf"`{key.rsplit('-')[0]}-\$", sources)
    }
    assert (missing, unused) == (set(), set())


def test_the_numbers_of_the_labs_pass_their_own_tests():
    node = shutil.which("node")
    if not node:
        pytest.skip("needs node")
    files = sorted(map(str, (COURSE_FOLDER / "tests" / "labs").glob("*.test.mjs")))
    ran = subprocess.run([node, "--test", *files], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_lab_loads_without_an_error_fits_a_phone_and_axe_finds_nothing(open_page, name, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python"
    ).Axe()
    for width in (390, 1100):
        page = open_page(name, color_scheme=scheme, viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe.run(page).response["violations"] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_control_of_a_lab_has_a_name_and_is_reached_with_the_keyboard(open_page, name):
    page = open_page(name)
    page.evaluate("document.activeElement.blur()")
    seen = set()
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen.add(page.evaluate("document.activeElement.outerHTML"))
    stops = page.locator("button:visible, input:visible, select:visible, summary:visible")
    reachable = [one for one in stops.all() if one.is_enabled() and one.get_attribute("tabindex") != "-1"]
    assert len(seen) >= len(reachable) > 3


@pytest.mark.parametrize("name", NAMES[:1])
def test_in_a_notebooks_html_the_lab_runs_and_without_javascript_its_picture_stands_there(
    open_page,
    name,
    tmp_path,
    monkeypatch,
):
    shown = []
    monkeypatch.setattr(figures, "display", lambda data, **_: shown.append(data))
    figures.lab(name)
    output = nbformat.v4.new_output("display_data", shown[0])
    cell = nbformat.v4.new_code_cell(f'figures.lab("{name}")', outputs=[output])
    (tmp_path / "lesson.html").write_text(
        HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0]
    )
    for javascript in (True, False):
        page = open_page(tmp_path / "lesson.html", java_script_enabled=javascript)
        assert page.locator(".lab iframe").is_visible() is javascript
        picture = page.get_by_alt_text(TEXTS[name]["alt"], exact=True).first
        assert picture.is_visible() is not javascript
        if javascript:
            page.frame_locator(".lab iframe").locator("html[data-ready]").wait_for()


# Sets the lab as a user would, goes to one place, and returns every table as a screen reader reads it.
OPERATE = """([pixels, kernel, settings, place]) => {
    const cells = document.querySelectorAll("#picture button[aria-label^=Row]");
    pixels.forEach((n) => cells[n].click());
    const put = (field, value, kind) => {
        field.value = value;
        field.dispatchEvent(new Event(kind));
    };
    document.querySelectorAll("#kernel input").forEach((field, n) => put(field, kernel[n], "input"));
    for (const name in settings) put(document.getElementById(name), settings[name], "change");
    const map = [...document.querySelectorAll("#map button")];
    map[place % map.length].dispatchEvent(new Event("pointerenter"));
    const read = (id) => document.getElementById(id).ariaLabel.split(": ")[1];
    const seen = (id) => document.getElementById(id).textContent;
    return [map.map((one) => one.ariaLabel.split(": ")[1]).join(" "), read("relu"), read("pooled"),
        read("products"), seen("result"), seen("says"),
        [...document.querySelectorAll(".total .number")].map((one) => one.textContent).join(" ")]; }"""


def numbers(text):
    return np.array(
        [float(number) for number in re.findall(r"-?[\d.]+", text.replace("−", "-").replace(",", ""))]
    )


def test_the_sliding_window_gives_the_numbers_of_the_course_in_50_random_settings(open_page, monkeypatch):
    monkeypatch.setattr(figures, "show", lambda figure, **_: figures.plt.close(figure))
    lesson, page, chance = (
        run("02-convolution-by-hand", {}),
        open_page("sliding-window"),
        np.random.default_rng(2),
    )
    picture, close = lesson["x"].copy(), {"atol": 0.005 + 1e-9, "rtol": 0}
    for _ in range(50):
        kernel, pixels, place = (
            chance.integers(-9, 10, (3, 3)),
            chance.choice(81, 3, False),
            chance.integers(81),
        )
        settings = dict(zip(SETTINGS, chance.integers([1, 0, 1], [4, 3, 4]).tolist(), strict=True))
        picture.flat[pixels] *= -1
        setting = [pixels.tolist(), kernel.ravel().tolist(), settings, int(place)]
        *tables, products, result, says, totals = page.evaluate(OPERATE, setting)
        sums = correlate2d(picture, kernel, **settings)
        mean, here = sums / 9, sums.flat[place % sums.size]
        for table, expected in zip(tables, [mean, relu(mean), max_pool2d(relu(mean))], strict=True):
            np.testing.assert_allclose(numbers(table), expected.ravel(), **close)
        assert numbers(products).sum() == here
        np.testing.assert_allclose(numbers(result), [here, 9, here / 9], **close)
        np.testing.assert_allclose(numbers(totals), lesson["votes"] @ lesson["features"](picture), **close)
        assert says == f"It says {lesson['answer'](picture)}"


def test_the_window_follows_the_mouse_and_play_fills_the_map(open_page):
    page = open_page("sliding-window", viewport={"width": 1100, "height": 900})
    cells, place = page.locator("#picture button[aria-label^=Row]"), page.locator("#place")
    cells.nth(40).hover()
    page.mouse.down()
    cells.nth(43).hover()
    page.mouse.up()
    assert [cells.nth(n).inner_text() for n in (40, 43, 44)] == ["−1", "−1", "−1"]
    cells.nth(44).click()
    assert cells.nth(44).inner_text() == "1"
    page.locator("#picture .grip").drag_to(cells.nth(80), target_position={"x": 30, "y": 30}, force=True)
    assert place.inner_text() == "Window in row 7, column 7"
    page.locator("#map button").nth(8).hover()
    assert place.inner_text() == "Window in row 2, column 2"
    assert page.locator("#result").inner_text() == "Sum 9, divided by 9: 1.00"
    page.uncheck("#mean")
    page.locator("#map button").nth(8).hover()
    assert page.locator("#result").inner_text() == "Sum 9"
    page.select_option("#stride", "3")
    page.click("#play")
    assert page.locator("#map .blank").count() > 0
    page.wait_for_function("document.querySelectorAll('#map .blank').length === 0")
    assert place.inner_text() == "Window in row 3, column 3"


def test_the_challenge_of_the_sliding_window_is_met_with_the_keyboard_alone(open_page):
    page = open_page("sliding-window", reduced_motion="reduce")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Play: without movement the window is at the end at once
    assert page.locator("#place").inner_text() == "Window in row 7, column 7"
    page.locator("#mean").focus()
    page.keyboard.press("Tab")
    for step in (*["ArrowDown"] * 3, *["ArrowRight"] * 3, " ", "ArrowDown", *["ArrowRight"] * 5, " "):
        page.keyboard.press(step)
    assert page.locator("#verdict").inner_text() == "Pixels changed: 2. The network still says X."
    for step in ("ArrowDown", "ArrowLeft", " ", "ArrowLeft", "ArrowLeft", " "):
        page.keyboard.press(step)
    assert page.locator("#verdict").inner_text() == "Fooled with 4 changed pixels. No smaller number will do."
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert page.locator("#place").inner_text() == "Window in row 6, column 7"
    page.locator("#kernel input").first.focus()
    page.keyboard.press("ArrowUp")
    assert page.locator("#kernels").input_value() == "own" and "Sum" in page.locator("#result").inner_text()


def layers_of(page):
    """Return the page's network as Keras builds it from the page's own code, and what the page says of each layer."""
    keras = pytest.importorskip("keras")
    said = page.locator("#layers .out").evaluate_all(
        "all => all.map(one => [...one.children].map(cell => cell.textContent.replace(/^[a-z]+/, '')))"
    )
    model = eval(page.locator("#code").text_content(), {"keras": keras, "layers": keras.layers})
    return model, [
        [np.array(numbers(cell.replace("×", " ")), dtype=int).tolist() for cell in row] for row in said
    ]


def assert_page_counts_as_keras(page):
    model, said = layers_of(page)
    assert len(model.layers) == len(said)
    field, jump = 1, 1
    for layer, (shape, parameters, multiplications, sees) in zip(model.layers, said, strict=True):
        assert shape == list(layer.output.shape[1:]) and parameters == [layer.count_params()]
        places = np.prod(layer.output.shape[1:-1], dtype=int) if hasattr(layer, "kernel") else 0
        assert multiplications == [places * np.prod(getattr(layer, "kernel", np.ones(1)).shape, dtype=int)]
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", (1,)))[0]
        field, jump = field + (size - 1) * jump, jump * getattr(layer, "strides", (1,))[0]
        assert sees in ([field] * 2, [])  # [] is "everything"
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    totals = [numbers(page.locator(f"#{name}").inner_text())[0] for name in ("parameters", "trained")]
    assert totals == [model.count_params(), trained]
    return model.count_params()


def test_the_calculator_counts_the_sources_networks_as_keras_does(open_page):
    page, known = open_page("layer-calculator"), [607_394, 542_230, 135_942, 14_714_688]
    for name, parameters in zip(("lecture", "assignment", "intel", "vgg16"), known, strict=True):
        page.select_option("#preset", name)
        assert assert_page_counts_as_keras(page) == parameters


BUILD = """([sides, layers]) => {
    const all = (path) => [...document.querySelectorAll(path)];
    const put = (field, value) => {
        field.value = value;
        field.dispatchEvent(new Event(field.tagName === "SELECT" ? "change" : "input"));
    };
    while (all("#layers .remove").length) all("#layers .remove")[0].click();
    all("#height, #width, #channels").forEach((field, n) => put(field, sides[n]));
    layers.forEach(([kind, ...values]) => {
        all("#add button")[kind].click();
        values.forEach((value, n) => put(all("#layers li:last-child :is(input, select)")[n], value));
    }); }"""


def test_the_calculator_counts_20_random_stacks_as_keras_does(open_page):
    page, chance = open_page("layer-calculator"), np.random.default_rng(4)
    for _ in range(20):
        number = lambda low, high: int(chance.integers(low, high))  # noqa: B023, E731
        pad = lambda: str(chance.choice(["same", "valid"]))  # noqa: B023, E731
        maps = [
            [0, number(1, 9), number(1, 5), number(1, 3), pad()],
            [1, number(1, 4), number(1, 3), pad()],
            [4],
            [5],
        ]
        layers = [maps[kind] for kind in chance.integers(0, 4, number(0, 6))] + [[2]]
        layers += [[[3, number(1, 40)], [4], [5]][kind] for kind in chance.integers(0, 3, number(0, 5))]
        page.evaluate(BUILD, [[number(90, 120), number(90, 120), number(1, 5)], layers])
        assert_page_counts_as_keras(page)
        assert page.locator("#layers li").count() == len(layers)


def test_the_challenge_of_the_calculator_is_met_with_the_keyboard_and_what_does_not_fit_is_named(open_page):
    page = open_page("layer-calculator")

    def press(*keys):
        for key in keys:
            page.keyboard.press(key)

    def write(name, value):
        page.get_by_label(name, exact=True).focus()
        press("ControlOrMeta+a", *value)

    write("kernels, layer 1", "8")
    write("size, layer 1", "5")
    for kind, place in (("Convolution", 7), ("Max pooling", 8), ("Convolution", 9)):
        page.get_by_role("button", name=f"+ {kind}").focus()
        press("Enter", "Shift+Tab")  # back to the new layer's last button: remove; before it: up
        page.get_by_role("button", name=f"Move layer {place}, {kind}, up").focus()
        press(*["Enter"] * 4)
    assert "flattened already" not in page.locator("#layers").inner_text()
    write("size, layer 3", "5")
    write("size, layer 5", "40")
    assert "The window is larger than what it reads." in page.locator("#layers li").nth(4).inner_text()
    write("size, layer 5", "4")
    assert page.locator(".challenge.met #verdict").inner_text().count("yes") == 3

"""The labs: their pages in a real browser, by mouse and by keyboard, and in a notebook's HTML."""

import json
import re
import runpy
import shutil
import subprocess

import nbformat
import pytest
from lab_browser import NAMES
from nbconvert import HTMLExporter
from PIL import Image

from helpers import COURSE_FOLDER, figures

LABS = figures.LABS
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
    asked = set(re.findall(r"""text\(["']([\w-]+)["']|\{\{([\w-]+)\}\}""", sources))
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
        assert axe.run(page).generate_report().startswith("No accessibility violations found")


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

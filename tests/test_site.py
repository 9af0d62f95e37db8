"""The site, built from the lessons as they are stored: pictures have their texts, links their pages."""

import re
import runpy
import subprocess
import sys
import time
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from benchmarks import site_audit

from helpers import COURSE_FOLDER
from helpers.files import write_text

PARTS = runpy.run_path(str(COURSE_FOLDER / "docs" / "parts.py"))
HISTORY = """date,commit,lesson,network,tensorflow,keras,metric,value
2026-10-01,aaa,05a-better,"one, 2 epochs",2.20.0,3.13.0,test_accuracy,0.881
2026-11-01,bbb,05a-better,"one, 2 epochs",2.21.0,3.14.1,test_accuracy,0.907
"""


class Page(HTMLParser):
    """What a built page shows and where it leads."""

    def __init__(self, path):
        super().__init__()
        self.text = path.read_text("utf-8")
        self.pictures, self.links, self.anchors, self.loaded = [], [], set(), []
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found.get("id"), found.get("name")}
        if tag == "img":
            self.pictures.append(found.get("alt") or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("img", "script", "iframe") or (tag == "link" and found.get("rel") == "stylesheet"):
            self.loaded.append(found.get("src") or found.get("href") or "")


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id, testrun_uid):
    """The site; the first of all workers that needs it builds it, and the others wait."""
    pytest.importorskip("sphinx_book_theme", reason="the site's packages are not installed: make site")
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / f"site-{testrun_uid}"
    warnings = folder.with_suffix(".txt")
    try:
        folder.mkdir()
    except FileExistsError:
        while not warnings.exists():
            time.sleep(0.2)
    else:
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(folder)]
        done = subprocess.run(command, cwd=COURSE_FOLDER, capture_output=True, text=True, check=False)
        write_text(warnings, done.stderr if done.returncode else "")
    assert warnings.read_text() == ""
    return folder


@pytest.fixture(scope="module")
def site(built):
    return {path.relative_to(built).as_posix(): Page(path) for path in built.rglob("*.html")}


def test_the_front_page_leads_to_every_notebook_with_its_cost_six_pictures_and_a_lab(site):
    front = site["docs/index.html"]
    notebooks = {f"../notebooks/{path.stem}.html" for path in (COURSE_FOLDER / "notebooks").glob("*.ipynb")}
    assert not notebooks - set(front.links)
    assert len(front.pictures) >= 7
    assert front.text.count("of memory") >= 10 and front.text.count("<iframe") == 1
    assert not re.search(r"{{[A-Z]+ ", front.text)


def test_a_lessons_page_launches_the_readers_own_copy(site):
    page = site["notebooks/02-convolution-by-hand.html"].text
    assert "/main?urlpath=lab/tree/work/02-convolution-by-hand.ipynb" in page
    assert "/blob/main/notebooks/02-convolution-by-hand.ipynb" in page and "colab" in page
    assert "lab/tree/notebooks" not in page


def test_a_word_of_the_glossary_explains_itself_where_it_is_met(site):
    page = site["notebooks/02-convolution-by-hand.html"].text
    link = re.search(r'<a[^>]+glossary\.html#stride"[^>]*>', page)
    assert 'title="The step, in pixels, by which a window' in link[0], link[0]


def test_the_history_of_results_is_drawn_and_told_and_its_absence_is_no_fault(tmp_path):
    history = PARTS["history"]
    path = tmp_path / "history.csv"
    history.__globals__["HISTORY"] = path
    assert history("") == ""
    path.write_text(HISTORY, encoding="utf-8")
    told = history("")
    assert "| 05a: one, 2 epochs | 2 | 88.1% | 90.7% | 2026-11-01 | TensorFlow 2.21.0, Keras 3.14.1 |" in told
    assert "![A row for each of 1 networks" in told


def test_every_picture_has_a_text_that_is_not_a_hash(site):
    texts = [(name, alt) for name, page in site.items() for alt in page.pictures]
    assert len(texts) > 50
    assert not [(name, alt) for name, alt in texts if len(alt) < 5 or re.search(r"[0-9a-f]{32}", alt)]


def test_every_link_inside_leads_to_a_file_and_to_a_place_on_its_page(built, site):
    lost = []
    for name, page in site.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or not link.strip("#") or name.startswith("_static/"):
                continue
            target = (built / name).parent / unquote(parts.path) if parts.path else built / name
            there = target.resolve().relative_to(built.resolve()).as_posix()
            anchors = site[there].anchors if there in site else ()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors):
                lost.append((name, link))
    assert not lost


def test_nothing_is_fetched_from_elsewhere(site):
    loaded = {source for page in site.values() for source in page.loaded}
    assert loaded and not [source for source in loaded if source.startswith(("http", "//"))]


@pytest.mark.parametrize(
    ("name", "scheme", "widths"),
    [
        ("docs/index.html", "dark", (390, 1400)),  # with axe-core, as the next one
        ("notebooks/02-convolution-by-hand.html", "light", (390, 1400)),
        ("docs/labs/valley.html", "light", (390,)),
    ],
)
def test_a_page_is_whole_in_a_browser_narrow_and_wide(built, browser, name, scheme, widths):
    """The same for every page: tests/benchmarks/site_audit.py."""
    with site_audit.served(built) as address:
        assert not site_audit.faults_of(browser, address, name, schemes=[scheme], widths=widths)


def test_on_a_phone_the_lessons_and_the_pages_contents_open_and_close_again(built, browser):
    with site_audit.served(built) as address:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(address + "notebooks/02-convolution-by-hand.html")
        for button, words in (("primary", "5. Intel scenes"), ("secondary", "On trial")):
            listed = page.get_by_role("link", name=words)
            assert not listed.first.is_visible()
            page.locator(f".{button}-toggle:visible").click()
            listed.first.wait_for(state="visible", timeout=5_000)
            page.keyboard.press("Escape")
            listed.first.wait_for(state="hidden", timeout=5_000)
        page.close()


def test_a_lesson_read_in_the_dark_prints_in_the_light_without_cut_code_and_with_its_licence(built, browser):
    theme = "document.documentElement.dataset.theme"
    with site_audit.served(built) as address:
        page = browser.new_page(color_scheme="dark", viewport={"width": 700, "height": 1000})
        page.goto(address + "notebooks/02-convolution-by-hand.html")
        page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {theme} }})")
        page.pdf()
        assert page.evaluate(f"[window.printed, {theme}]") == ["light", "dark"]
        page.emulate_media(media="print")
        code = page.locator(".cell pre")
        assert code.count() > 20
        assert not code.evaluate_all(
            "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert page.get_by_text("texts and figures: CC BY 4.0").is_visible()
        assert not page.get_by_role("link", name="5. Intel scenes").first.is_visible()
        page.close()

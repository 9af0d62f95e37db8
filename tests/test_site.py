"""The site, built from the lessons as they are stored: pictures have their texts, links their pages."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from helpers import COURSE_FOLDER

pytest.importorskip("sphinx_book_theme", reason="the site's packages are not installed: make site")


class Page(HTMLParser):
    """What a built page shows and where it leads."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.links, self.anchors, self.loaded = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found.get("id"), found.get("name")}
        if tag == "img":
            self.pictures.append(found.get("alt") or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("img", "script", "iframe") or (tag == "link" and found.get("rel") == "stylesheet"):
            self.loaded.append(found.get("src") or found.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(folder)]
    done = subprocess.run(command, cwd=COURSE_FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text("utf-8")) for path in folder.rglob("*.html")
    }


def test_every_picture_has_a_text_that_is_not_a_hash(site):
    texts = [(name, alt) for name, page in site.items() for alt in page.pictures]
    assert len(texts) > 50
    assert not [(name, alt) for name, alt in texts if len(alt) < 5 or re.search(r"[0-9a-f]{32}", alt)]


def test_every_link_inside_leads_to_a_page_and_a_place_on_it(site):
    lost = []
    for name, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.path.startswith("/") or not link.strip("#"):
                continue
            target = (COURSE_FOLDER / name).parent.joinpath(unquote(parts.path)) if parts.path else None
            there = target.resolve().relative_to(COURSE_FOLDER).as_posix() if target else name
            if there.endswith(".html") and (
                there not in site or (parts.fragment and unquote(parts.fragment) not in site[there].anchors)
            ):
                lost.append((name, link))
    assert not lost


def test_nothing_is_fetched_from_elsewhere(site):
    assert not [
        (name, source)
        for name, page in site.items()
        for source in page.loaded
        if source.startswith(("http", "//"))
    ]

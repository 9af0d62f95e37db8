"""The pages that a run leaves: for a screen reader, a phone, the dark and a machine without a network."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.lessons import Lesson
from course.pages import glossary_page, to_html
from course.results import Outcome, index_html

PROSE = """# 4. Digits & <more>

[![Open in Colab](https://example.org/badge.svg)](https://example.org/colab) [next](05-x.ipynb#a)
[word](glossary.md#feature-map) [all](../README.md) ![dot](data:image/png;base64,AAAA)"""
TABLE = (
    "<table><thead><tr><th></th><th>test acc.</th></tr></thead><tbody><tr><th>a</th><td>0.9</td></tr></table>"
)
ALT = 'A "black" dot <1 pixel>.'
HOSTILE = '<img src=x onerror="alert(1)"> & {{ 7 * 7 }}'


def read(page):
    return BeautifulSoup(page, "html.parser")


def lesson_page(tmp_path):
    outputs = [
        new_output("display_data", {"image/png": "AAAA"}, metadata={"image/png": {"alt": ALT}}),
        new_output("display_data", {"text/html": TABLE}),
        new_output("stream", text="name   accuracy\na      0.9\n"),
    ]
    cells = [new_markdown_cell(PROSE), new_code_cell("x = 1  # one", outputs=outputs)]
    return to_html(new_notebook(cells=cells), title="4. Digits & <more>", folder=tmp_path)


def results_page(tmp_path):
    for name in ("04-x.html", "glossary.html", f"{HOSTILE.replace('/', '')}.ipynb"):
        (tmp_path / name).touch()
    networks = {HOSTILE: {"weights": HOSTILE, "parameter_count": 3, "test_accuracy": 0.987}}
    metrics = {"networks": networks, "data": {"kind": HOSTILE}}
    good = Outcome(
        Lesson(Path("04-x.ipynb"), HOSTILE), "class", 1.0, metrics=metrics, changed={"own": HOSTILE}
    )
    failed = Outcome(Lesson(Path("05-y.ipynb"), "Y"), "class", 1.0, error=HOSTILE)
    return index_html([good, failed], "Two", tmp_path)


def glossary(tmp_path):
    text = '# Glossary\n\n## Feature map\n\nText.\n\n<a id="rgb"></a>\n\n## RGB\n\nText.\n'
    return glossary_page(text, tmp_path)


@pytest.mark.parametrize(
    ("make", "title"),
    [(lesson_page, "4. Digits & <more>"), (results_page, "Results of the course"), (glossary, "Glossary")],
)
def test_a_page_is_fit_for_every_reader_and_needs_no_network(tmp_path, make, title):
    text = make(tmp_path)
    page = read(text)
    assert page.html["lang"] == "en" and page.title.text == title
    assert len(page("main")) == len(page("h1")) == 1
    assert all(head.text.strip() for head in page("th")), "an empty header cell"
    assert all(image.get("alt") for image in page("img"))
    assert "width=device-width" in page.find("meta", {"name": "viewport"})["content"]
    assert "prefers-color-scheme: dark" in text and re.search(r"\ba \{[^}]*underline", text)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", text)


def test_a_lesson_keeps_its_alternatives_links_and_tables(tmp_path):
    text = lesson_page(tmp_path)
    page = read(text)
    assert [image["alt"] for image in page("img")] == ["dot", ALT]
    addresses = [link["href"] for link in page("a")]
    beside = ["05-x.html#a", "glossary.html#feature-map", "index.html"]
    assert addresses == ["https://example.org/colab", *beside]
    assert ">Open in Colab</span></a>" in text and "mathjax" not in text.lower()
    boxes = page("div", "scroll")
    assert len(boxes) == 2 and all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)
    anchors = glossary(tmp_path)  # those that the lessons link to
    assert anchors.count('id="feature-map"') == anchors.count('id="rgb"') == 1
    assert 'href="index.html"' in anchors


def test_formulas_do_not_hold_a_page_up(tmp_path):
    page = to_html(new_notebook(cells=[new_markdown_cell("$e^s$")]), title="Formula", folder=tmp_path)
    (script,) = re.findall(r"<script[^>]*src=[^>]*>", page)
    assert "async" in script and "mathjax" in script


@pytest.mark.fault
def test_names_are_escaped_and_every_number_has_its_word_on_a_phone(tmp_path):
    text = results_page(tmp_path)
    assert "<img" not in text and "49" not in text and "{{ 7 * 7 }}" in text
    words = {cell.get("data-label") for cell in read(text)("td")}
    links = {link["href"] for link in read(text)("a")}
    assert {"test acc.", "changed", "data", "network"} <= words
    assert {"04-x.html", "results.csv", "glossary.html"} <= links and "05-y.html" not in links

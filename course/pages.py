"""A lesson or the glossary as a web page that opens without a network, on a phone and in the dark."""

import re
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

from course.results import TEMPLATES


def to_html(notebook: Any, *, title: str, folder: Path) -> str:
    """Return an executed notebook as an HTML page in which every picture has its text alternative.

    Relative pictures of the prose are looked for in `folder`; they are put into the page.
    """
    exporter = HTMLExporter(
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="course",
        embed_images=True,
        language_code="en",
    )
    resources = {"metadata": {"name": title, "path": str(folder)}}
    page, _ = exporter.from_notebook_node(notebook, resources=resources)
    soup = BeautifulSoup(page, "html.parser")
    for anchor in soup.select("a.anchor-link"):
        anchor.decompose()
    for link in soup.select("a[href]"):
        link["href"] = _beside(link["href"])
    for image in soup.select("img[src^=http]"):  # a launch badge: the page opens without a network
        badge = soup.new_tag("span", attrs={"class": "badge"})
        badge.string = image.get("alt") or "picture"
        image.replace_with(badge)
    for header in soup("th"):
        if not header.get_text(strip=True):
            header.name = "td"
    for table in soup("table"):
        table.wrap(_scrolling(soup, "table"))
    for output in soup.select(".jp-OutputArea-output pre"):
        if re.search(r"\S {2,}\S", output.get_text()):  # columns: a narrow screen must not break them
            output.wrap(_scrolling(soup, "printed table"))
    return str(soup)


def _scrolling(soup: Any, label: str) -> Any:
    """Return a box that is scrolled sideways on a narrow screen, by keyboard as well."""
    return soup.new_tag(
        "div", attrs={"class": "scroll", "tabindex": "0", "role": "group", "aria-label": label}
    )


def _beside(address: str) -> str:
    """Return where a link leads in the folder of a run, in which all pages lie side by side."""
    address = re.sub(r"^(?:\./)?(\d\d[\w.-]+?)\.ipynb(?=#|$)", r"\1.html", address)
    address = re.sub(r"^(?:\./)?glossary\.md(?=#|$)", "glossary.html", address)
    return re.sub(r"^\.\./README\.md(?=#|$)", "index.html", address)


def glossary_page(text: str, folder: Path) -> str:
    """Return the glossary as an HTML page whose anchors are those that the lessons link to."""
    back = nbformat.v4.new_markdown_cell("[All lessons of this run](index.html)")
    notebook = nbformat.v4.new_notebook(cells=[back, nbformat.v4.new_markdown_cell(text)])
    page = to_html(notebook, title="Glossary", folder=folder)

    def lowered(heading: re.Match[str]) -> str:
        anchor = heading[2].lower()
        return heading[0] if f' id="{anchor}"' in page else f'{heading[1]}{anchor}"'

    return re.sub(r'(<h\d[^>]*? id=")([^"]+)"', lowered, page)

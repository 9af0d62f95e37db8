"""An executed notebook made fit to keep: no path of this machine, tidy streams, and an HTML page."""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from course.lessons import ROOT

TEMPLATES = Path(__file__).resolve().parent / "templates"


class PathScrubber:
    """Replaces this machine's folders in a text by words that mean the same on every machine."""

    def __init__(self, extra: Mapping[str, str] | None = None) -> None:
        """Collect the folders; `extra` maps further paths to their words."""
        words = {
            str(Path.home()): "~",
            tempfile.gettempdir(): "TEMP",
            sys.prefix: "PYTHON",
            sysconfig.get_path("stdlib"): "PYTHON-LIBRARY",
            **{folder: "SITE-PACKAGES" for folder in site.getsitepackages()},
            sysconfig.get_path("purelib"): "SITE-PACKAGES",
            str(ROOT): ".",
        }
        if sys.prefix in ("/usr", "/usr/local", "/"):
            del words[sys.prefix]  # a system-wide Python: that folder names no machine
        words.update(extra or {})
        self._rules = []
        # The longest first: the virtual environment lies in the checkout, the checkout in the home.
        for path, word in sorted(_spellings(words).items(), key=lambda item: -len(item[0])):
            pattern = re.compile(r"(?<![\w.~/\\-])" + re.escape(path) + r"(?![\w-])")
            self._rules.append((pattern, word))
        # A cell's own file name in warnings and tracebacks carries the kernel's process number.
        self._cell = re.compile(r"[^\s\"']*[/\\]ipykernel_\d+[/\\]\d+\.py")

    def __call__(self, text: str) -> str:
        """Return the text without the folders."""
        text = self._cell.sub("<cell>", text)
        for pattern, word in self._rules:
            text = pattern.sub(lambda _, word=word: word, text)
        return text


def _spellings(words: Mapping[str, str]) -> dict[str, str]:
    """Add how else a path may be written: resolved, with forward slashes, escaped as in repr()."""
    spelt = {}
    for path, word in words.items():
        if len(path.strip("/\\")) < 2:
            continue
        for form in (path, os.path.realpath(path)):
            for variant in (form, form.replace("\\", "/"), form.replace("\\", "\\\\")):
                spelt[variant] = word
    return spelt


def tidy_streams(outputs: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Join neighbouring texts of one stream and keep only what a terminal would show of each line.

    A progress line that overwrites itself by a carriage return leaves its last state. Texts that a
    picture separates stay where they are (nbclient's own option would move them before it).
    """
    tidied: list[Mapping[str, Any]] = []
    for output in outputs:
        if output["output_type"] != "stream":
            tidied.append(output)
        elif tidied and tidied[-1]["output_type"] == "stream" and tidied[-1]["name"] == output["name"]:
            tidied[-1]["text"] += output["text"]
        else:
            tidied.append(output)
    for output in tidied:
        if output["output_type"] == "stream":
            text = output["text"].replace("\r\n", "\n")
            output["text"] = "\n".join(_last_state(line) for line in text.split("\n"))
    return tidied


def _last_state(line: str) -> str:
    states = [state for state in line.split("\r") if state]
    return states[-1].rstrip() if len(states) > 1 else line.strip("\r")


def clean_notebook(notebook: Any, scrub: PathScrubber) -> Any:
    """Strip papermill's records and the machine's paths from an executed notebook, in place."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.metadata.get("tags") == []:
            del cell.metadata["tags"]  # papermill adds an empty list to each cell
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = scrub(cell.source)
        if cell.cell_type != "code":
            continue
        cell.outputs = tidy_streams(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = scrub(output.text)
            elif output.output_type == "error":
                output.evalue = scrub(output.evalue)
                output.traceback = [scrub(line) for line in output.traceback]
            else:
                for mime, content in output.data.items():
                    if isinstance(content, str) and not mime.startswith("image/"):
                        output.data[mime] = scrub(content)
    return notebook


def to_html(notebook: Any, *, name: str, folder: Path) -> str:
    """Return a notebook as an HTML page in which every picture has its text alternative.

    Args:
        notebook: the executed notebook (nbformat's).
        name: the page's name, used as its title.
        folder: where relative pictures of the prose are looked for; they are put into the page.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="course",
        embed_images=True,
        language_code="en",
    )
    resources = {"metadata": {"name": name, "path": str(folder)}}
    page, _ = exporter.from_notebook_node(notebook, resources=resources)
    page = re.sub(r"<img [^>]*?src=.https?://[^>]*>", _as_text, page)
    # The pages of one run lie side by side: a link between lessons should open the page.
    page = re.sub(r'href="(?:\./)?(\d\d-[\w.-]+?)\.ipynb(#[^"]*)?"', r'href="\1.html\2"', page)
    page = page.replace('href="../README.md"', 'href="index.html"')
    return re.sub(r'href="(?:\./)?glossary\.md(#[^"]*)?"', r'href="glossary.html\1"', page)


def _as_text(image: re.Match[str]) -> str:
    """Return a picture from the network (a launch badge) as its words: the page opens without a network."""
    alt = re.search(r"""alt=(["'])(.*?)\1""", image.group())
    words = alt.group(2) if alt else "picture"
    return f'<span style="border: 1px solid; border-radius: 4px; padding: 0 .4em">{words}</span>'


def glossary_page(text: str, folder: Path) -> str:
    """Return the glossary as an HTML page whose anchors are those that the lessons link to."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    page = to_html(notebook, name="Glossary", folder=folder)
    return re.sub(r'(<h\d[^>]*? id=")([^"]+)"', lambda hit: f'{hit.group(1)}{hit.group(2).lower()}"', page)

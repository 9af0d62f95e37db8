"""How Sphinx turns the repository into the course's site: `make site`.

A lesson's page is its notebook with the stored outputs: nothing is run here, and nothing is fetched.
"""

import json
import re
import tomllib
from pathlib import Path

from myst_nb.core.render import NbElementRenderer

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Image classification: from pixels to transfer learning"
copyright = "the authors. Code: MIT; texts and figures: CC BY 4.0"
version = release = PROJECT["version"]

extensions = ["myst_nb", "sphinx_copybutton", "sphinxcontrib.bibtex"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/*.ipynb", "notebooks/glossary.md", "data/README.md"]
bibtex_bibfiles = ["references.bib"]
nb_execution_mode = "off"
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # the lessons' key points are headings of the second level

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_extra_path = ["extra"]  # a page at the root that leads to the front page
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "repository_url": PROJECT["urls"]["Repository"],
    "repository_branch": "main",
    "use_repository_button": True,
    "use_download_button": False,  # it would offer the notebook as it is changed below
    "launch_buttons": {
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
        "notebook_interface": "jupyterlab",
    },
    "show_toc_level": 2,
}

REPOSITORY = PROJECT["urls"]["Repository"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BADGE = re.compile(r"\[!\[[^]]*\]\([^)]*\)\]\([^)]*\) ?")
LINKS = re.compile(r"<!-- course:links -->\n+(.*?)\n(.*?)<!-- /course:links -->", re.DOTALL)


def from_readme(match):
    """Return the README from one line to the next; what is not a page here lies in the repository."""
    start, end = match.groups()
    text = BADGE.sub("", README.partition(f"\n{start}\n")[2].partition(f"\n{end}\n")[0])
    if not text:
        raise ValueError(f"README.md has nothing between {start!r} and {end!r}")
    text = text.replace(" Open |\n|---", "\n")  # the column of badges
    text = re.sub(r"\]\((?=(notebooks/[\w-]+\.(ipynb|md)|data/README\.md))", "](../", text)
    return re.sub(r"\]\((?!\.\./|http|#)", f"]({REPOSITORY}/blob/main/", text)


def for_readers(app, docname, source):
    """Prepare a notebook for reading: no badges, the theme has its own; answers stay folded."""
    if docname.startswith("notebooks/") and source[0].startswith("{"):
        notebook = json.loads(source[0])
        for cell in notebook["cells"]:
            shown = cell["metadata"].get("jupyter", {})
            tags = cell["metadata"].setdefault("tags", [])
            tags += ["hide-output"] * shown.get("outputs_hidden", False)
            tags += ["hide-input"] * shown.get("source_hidden", False)
            tags += ["remove-cell"] * ("colab" in tags)
            cell["source"] = LINKS.sub(r"\1", "".join(cell["source"]))
        source[0] = json.dumps(notebook)
    source[0] = re.sub(r"\{\{README: (.*?) \.\.\. (.*?)\}\}", from_readme, source[0])
    source[0] = source[0].replace("](../README.md", "](../docs/index.md")


def with_alternative_text(render):
    """Keep the text alternative that a figure carries: myst-nb takes only its width and height."""

    def render_image(self, data):
        nodes = render(self, data)
        if alt := data.output_metadata.get(data.mime_type, {}).get("alt"):
            nodes[0]["alt"] = alt
        return nodes

    return render_image


NbElementRenderer.render_image = with_alternative_text(NbElementRenderer.render_image)


def setup(app):
    """Called by Sphinx."""
    app.connect("source-read", for_readers)

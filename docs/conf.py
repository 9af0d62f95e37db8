"""How Sphinx turns the repository into the course's site: `make site`.

A lesson's page is its notebook with the stored outputs: nothing is run here, and nothing is fetched.
"""

import json
import re
import sys
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import NbElementRenderer

sys.path.insert(0, str(Path(__file__).parent))

from parts import LABS, LINKS, NOTEBOOKS, PROJECT, REPOSITORY, explanations, put_in

project = "Image classification: from pixels to transfer learning"
author = "the authors of the course"
copyright = "the authors. Code: MIT; texts and figures: CC BY 4.0"
version = release = PROJECT["version"]

extensions = ["myst_nb", "sphinx_copybutton", "sphinxcontrib.bibtex"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "notebooks/*.ipynb", "notebooks/glossary.md", "data/README.md"]
bibtex_bibfiles = ["references.bib"]
nb_execution_mode = "off"
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # the lessons' key points are headings of the second level

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
# a page at the root that leads to the front page, and the labs, each a page that needs no other, with the
# picture that it shows where JavaScript is switched off
html_extra_path = [
    "extra",
    *sorted(str(path) for path in LABS.glob("*.*") if path.suffix in (".html", ".png")),
]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = html_show_sourcelink = False
html_context = {
    "default_mode": "auto"
}  # light or dark as the reader's system is; without it, an error is logged
html_theme_options = {
    "repository_url": REPOSITORY,
    "repository_branch": "main",
    "use_repository_button": True,
    "use_download_button": False,  # it would offer the notebook as it is changed below
    "launch_buttons": {
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
        "notebook_interface": "jupyterlab",
    },
    # a second search box, in a bar that the theme does not need; its buttons took the clicks of the real ones
    "navbar_persistent": [],
    "show_toc_level": 2,
    "extra_footer": f'<p>The course lives at <a href="{REPOSITORY}">{REPOSITORY}</a>.</p>',
}


PAGES = re.compile(r"(?<=\]\()([\w-]+)\.(?:md|ipynb)(?=[)#])")  # of links beside the page


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
            for shown in (output.get("data", {}) for output in cell.get("outputs", ())):
                if "text/markdown" in shown:  # a link in an output, as in a caption, is not looked up
                    shown["text/markdown"] = PAGES.sub(r"\1.html", "".join(shown["text/markdown"]))
        name = docname.removeprefix("notebooks/")
        deeper = sorted(path.stem for path in NOTEBOOKS.glob(f"{name[:2]}[a-z]-*.ipynb"))
        if deeper and name not in deeper:
            contents = ["", "```{toctree}", ":hidden:", "", *deeper, "```"]
            notebook["cells"][0]["source"] += "\n".join(contents)
        source[0] = json.dumps(notebook)
    else:
        source[0] = put_in(source[0])
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


def explain_words(app, doctree, docname):
    """Give each link to the glossary what it says there, to be read by pointing at the word."""
    for link in doctree.findall(nodes.reference):
        page, _, place = link.get("refuri", "").partition("#")
        if page.endswith("glossary.html") and place in EXPLANATIONS:
            link["reftitle"] = EXPLANATIONS[place]


def open_the_copy(app, pagename, templatename, context, doctree):
    """Let the button for Binder open the reader's own copy, as the badges do."""
    for group in context.get("header_buttons", ()):
        for button in group.get("buttons", ()):
            if "lab/tree/notebooks/" in button.get("url", ""):
                button["url"] = button["url"].replace("lab/tree/notebooks/", "lab/tree/work/")


def always(app, env, added, changed, removed):
    """Name the pages that take something from other files: they are read anew in every build."""
    return [name for name in env.found_docs if name.startswith("docs/")]


EXPLANATIONS = explanations()


def setup(app):
    """Called by Sphinx."""
    app.connect("source-read", for_readers)
    app.connect("env-get-outdated", always)
    app.connect("doctree-resolved", explain_words)
    app.connect("html-page-context", open_the_copy, priority=900)  # after the theme has made its buttons

"""Write the labs' pages: python helpers/labs/build.py

A lab is one page that needs no kernel, no library and no network. Its parts lie in src/: NAME.html (what
stands on the page), NAME.mjs (how it answers), NAME.numbers.mjs (what it computes, tested with node), perhaps
NAME.json (data that another command writes); style.css, frame.mjs and frame.html are common to all, and
every word that a student reads is in en.json. `{{word}}` in HTML stands for a text of that file.
"""

import html
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = HERE / "src"
NAMES = sorted(path.stem for path in SOURCES.glob("*.html") if path.stem != "frame")


def page(name: str) -> str:
    """Return the page of a lab. Raises `KeyError` for a text that the language file lacks."""
    every_text = json.loads(_source("en.json"))
    texts = every_text["frame"] | every_text[name]
    scripts = [_source(part) for part in ("frame.mjs", f"{name}.numbers.mjs", f"{name}.mjs")]
    # in one page there is nothing to import: what the modules give each other is in scope already
    unneeded = r"^import [^;]+;\n|^export |^ *(//|/\*\*|\*).*\n"  # whoever wants the comments reads src/
    script = re.sub(unneeded, "", "\n".join(scripts), flags=re.MULTILINE)
    data = SOURCES / f"{name}.json"
    whole = _source("frame.html").replace("{{body}}", _source(f"{name}.html"))
    whole = re.sub(r"\{\{([\w-]+)\}\}", lambda key: html.escape(texts[key[1]], quote=True), whole)
    parts = {"NAME": name, "STYLE": _source("style.css"), "TEXT": _inline(texts), "SCRIPT": script}
    parts["DATA"] = _inline(json.loads(data.read_text(encoding="utf-8"))) if data.exists() else "null"
    return re.sub(r"/\*([A-Z]+)\*/", lambda part: parts[part[1]], whole)


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _inline(data: object) -> str:
    """Return data as JavaScript that cannot end the script it stands in."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


if __name__ == "__main__":
    for name in NAMES:
        content = page(name).encode("utf-8")
        (HERE / f"{name}.html").write_bytes(content)
        print(f"{name}.html: {len(content) / 1000:.0f} kB")

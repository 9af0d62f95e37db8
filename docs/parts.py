"""What the site takes from elsewhere: a page says `{{PART words}}`, and here stands what is put there.

Pictures and costs come from the stored notebooks, tables from the README, labs from `helpers/labs`, the
history from `data/results/history.csv`: nothing is told twice, nothing is run, nothing is fetched.
"""

import base64
import csv
import html
import io
import json
import re
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, LABS, HISTORY = ROOT / "notebooks", ROOT / "helpers" / "labs", ROOT / "data/results/history.csv"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
LAB_TEXTS = json.loads((LABS / "src" / "en.json").read_text(encoding="utf-8"))
BADGE = re.compile(r"\[!\[[^]]*\]\([^)]*\)\]\([^)]*\) ?")
LINKS = re.compile(r"<!-- course:links -->\n+(.*?)\n(.*?)<!-- /course:links -->", re.DOTALL)


def notebook_of(number):
    """Return the path and the cells of a notebook, by its number: "02", "02a"."""
    (path,) = NOTEBOOKS.glob(f"{number}-*.ipynb")
    return path, json.loads(path.read_text(encoding="utf-8"))["cells"]


def raw(content, style):
    """Return HTML as Markdown that is passed on as it is."""
    return f'````````{{raw}} html\n<div class="{style}">{content}</div>\n````````\n'


def readme(words):
    """README, from the line before "..." to the line after it; what is not a page lies in the repository."""
    start, end = words.split(" ... ")
    whole = (ROOT / "README.md").read_text(encoding="utf-8")
    text = BADGE.sub("", whole.partition(f"\n{start}\n")[2].partition(f"\n{end}\n")[0])
    if not text:
        raise ValueError(f"README.md has nothing between {start!r} and {end!r}")
    text = re.sub(r"\]\((?=(notebooks/[\w-]+\.(ipynb|md)|data/README\.md))", "](../", text)
    text = re.sub(r"\]\(docs/(?=(teaching/[\w-]+|assignment|sweep)\.md)", "](", text)
    inside = r"\.\./|http|#|teaching/|assignment\.md|sweep\.md"
    return re.sub(rf"\]\((?!{inside})", f"]({REPOSITORY}/blob/main/", text)


def picture(words):
    """PICTURE, a notebook's number and a cell's id: its stored picture, a link to the notebook."""
    number, wanted = words.split()
    path, cells = notebook_of(number)
    for cell in cells:
        for output in cell.get("outputs", ()) if cell["id"] == wanted else ():
            for kind in {"image/png", "image/jpeg"} & set(output.get("data", {})):
                alt = re.sub(r"([][\\])", r"\\\1", " ".join(output["metadata"][kind]["alt"].split()))
                content = "".join("".join(output["data"][kind]).split())
                return f"[![{alt}](data:{kind};base64,{content})](../notebooks/{path.name})"
    raise ValueError(f"{path.name} has no stored picture in a cell {wanted!r}")


def path(_):
    """PATH: every lesson with its aim and its measured cost; deeper notebooks below it."""
    lines = []
    for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        cell = "".join(json.loads(file.read_text(encoding="utf-8"))["cells"][0]["source"])
        title, aim = (part.strip("# \n") for part in cell.split("\n\n")[:2])
        title, aim = title.partition(". ")[2], aim.removeprefix("After this lesson you can ")
        cost = LINKS.search(cell)[1].strip()
        deeper = file.name[2].isalpha()
        link = f"[{title}](../notebooks/{file.name})"
        lines.append(f"   - Deeper: {link}. {cost}" if deeper else f"1. **{link}**: {aim}\n\n   {cost}\n")
    return "\n".join(lines)


def lab(name):
    """LAB: an interactive page as it stands in a lesson; on paper and without JavaScript its picture."""
    title, alt = (html.escape(LAB_TEXTS[name][key]) for key in ("title", "alt"))
    page = html.escape((LABS / f"{name}.html").read_text(encoding="utf-8"))
    still = base64.b64encode((LABS / f"{name}.png").read_bytes()).decode("ascii")
    shown = f'<img src="data:image/png;base64,{still}" alt="{alt}">'
    return raw(f'<iframe title="{title}" srcdoc="{page}" height="900"></iframe>{shown}', "lab")


def history(_):
    """HISTORY: what each network reached, run by run, as a chart and a table; nothing where none are kept."""
    if not HISTORY.exists():
        return ""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    runs = defaultdict(list)
    with HISTORY.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["metric"].endswith("accuracy"):
                runs[f"{row['lesson'].partition('-')[0]}: {row['network']}"].append(row)
    fig, axis = plt.subplots(figsize=(8, 1 + 0.32 * len(runs)), layout="constrained")
    told = ["| network | runs | first | newest | of | with |", "|---|---|---|---|---|---|"]
    for position, (name, kept) in enumerate(runs.items()):
        kept.sort(key=lambda row: row["date"])
        reached = [100 * float(row["value"]) for row in kept]
        axis.plot(reached, [position] * len(kept), "o-", color="0.3", markerfacecolor="white")
        axis.plot(reached[-1], position, "o", color="#0173b2", markersize=9)
        newest = kept[-1]
        versions = f"TensorFlow {newest['tensorflow']}, Keras {newest['keras']}"
        shares = f"{reached[0]:.1f}% | {reached[-1]:.1f}%"
        told.append(f"| {name} | {len(kept)} | {shares} | {newest['date']} | {versions} |")
    axis.set_yticks(range(len(runs)), list(runs))
    axis.invert_yaxis()
    axis.set_xlabel("accuracy on real pictures, full profile (%)")
    axis.grid(axis="x", alpha=0.3)
    drawn = io.BytesIO()
    fig.savefig(drawn, format="png", dpi=130, facecolor="white")
    plt.close(fig)
    content = base64.b64encode(drawn.getvalue()).decode("ascii")
    alt = f"A row for each of {len(runs)} networks, a dot a run, the newest blue; numbers in the table."
    return f"## History\n\n![{alt}](data:image/png;base64,{content})\n\n" + "\n".join(told)


def cite(_):
    """CITE: how to name the course, from CITATION.cff and the project's own address."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    title, authors, day = (
        re.search(rf'{key}: "?([^"\n]+)', text)[1] for key in ("title", "- name", "date-released")
    )
    return f"> {authors}: *{title}*. Version {PROJECT['version']}, {day}. {REPOSITORY}"


def pages(words):
    """PAGES: those that are there, of the named ones: for a list of contents."""
    found = [file for name in words.split() for file in sorted((ROOT / "docs").glob(f"{name}.md"))]
    return "\n".join(file.relative_to(ROOT / "docs").with_suffix("").as_posix() for file in found)


def explanations():
    """Return the first sentence that the glossary says of each word, by the word's place on the page."""
    found = {}
    text = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
    for word, meaning in re.findall(r"^## (.+)\n\n(.+)", text, re.MULTILINE):
        place = re.sub(r"[^\w\- ]", "", word.lower()).replace(" ", "-")
        found[place] = (
            re.sub(r"\[([^]]*)\]\([^)]*\)|[*`]", r"\1", meaning).partition(". ")[0].rstrip(".") + "."
        )
    return found


PARTS = {
    "README": readme,
    "PICTURE": picture,
    "PATH": path,
    "LAB": lab,
    "HISTORY": history,
    "CITE": cite,
    "PAGES": pages,
}
PARTS["REPOSITORY"] = lambda _: REPOSITORY


def put_in(text):
    """Return a page with every `{{PART words}}` replaced."""
    return re.sub(rf"\{{\{{({'|'.join(PARTS)})(?: (.*?))?\}}\}}", lambda m: PARTS[m[1]](m[2]), text)

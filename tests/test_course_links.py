"""Cost cards, badges and navigation: written once, unchanged the second time, stale ones found."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml
from course_notebooks import git, write_lesson, write_notebook
from nbformat.v4 import new_code_cell

from course.links import update_links
from helpers import COURSE_FOLDER, CourseError

ADDRESS = "https://github.com/OWNER/image-classification-course"
COLAB = f"""import sys
if "google.colab" in sys.modules:
    address = "{ADDRESS}"
    folder = "/content/image-classification-course"
"""
README = """# Course

<!-- course:badges -->
<!-- /course:badges -->

See OWNER/image-classification-course and OWNER/image-classification-course-2.

<!-- course:lessons -->
old
<!-- /course:lessons -->
"""
RESULTS = """lesson,title,profile,network,weights,data,status,lesson_seconds,peak_rss_mb
01-one,One,class,,,none,ok,8.4,310.2
02-two,Two,class,a,random,complete,ok,185.0,1213.9
02-two,Two,class,b,,complete,unavailable,185.0,1213.9
03-three,Three,class,,,sample,ok,1.0,99
"""


@pytest.fixture
def root(tmp_path):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-one", "x = 'é →'")
    write_lesson(notebooks, "02-two", 'datasets.load_mnist(data_source)\nfind_weights("vgg16", weights)')
    path = write_lesson(notebooks, "03-three", "x = 1")
    notebook = nbformat.read(path, as_version=4)
    notebook["cells"].insert(1, new_code_cell(COLAB, metadata={"tags": ["colab"]}))
    write_notebook(path, notebook)
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(f'repository-code: "{ADDRESS}"\n', encoding="utf-8")
    project = f'[project.urls]\n# the address\nRepository = "{ADDRESS}"\n'
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    (tmp_path / "results.csv").write_text(RESULTS, encoding="utf-8")
    return tmp_path


def files(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def first_cell(root, stem):
    cells = json.loads((root / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "".join(cells[0]["source"])


def test_writing_twice_changes_nothing_and_costs_are_kept(root, capsys):
    before = files(root)
    assert update_links(root=root, results=root / "results.csv") == 0
    once = files(root)
    assert once != before
    assert update_links(root=root) == 0  # results.csv is not needed again
    assert files(root) == once
    assert capsys.readouterr().out.endswith("Nothing to change.\n")


def test_only_the_block_of_a_notebook_changes_and_its_file_keeps_its_form(root):
    before = json.loads((root / "notebooks" / "01-one.ipynb").read_text(encoding="utf-8"))
    update_links(root=root)
    text = (root / "notebooks" / "01-one.ipynb").read_text(encoding="utf-8")
    after = json.loads(text)
    assert text == json.dumps(after, indent=1, ensure_ascii=False) + "\n"
    assert after["cells"][1:] == before["cells"][1:] and after["metadata"] == before["metadata"]
    source = first_cell(root, "01-one")
    assert source.startswith("# 1. Lesson one\n\nAfter this.\n\n<!-- course:links -->\n\n**Cost:** ")
    assert source.endswith("\n\n<!-- /course:links -->\n")


def test_cards_badges_and_navigation(root, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    update_links(root=root, results=root / "results.csv")
    first, second, third = (first_cell(root, stem) for stem in ("01-one", "02-two", "03-three"))
    assert "10 s on " in first and " cores · 0.4 GB of memory · download: none" in first
    assert "1.3 GB of memory · download: 70 MB" in second
    assert "4 min on " in second and "(about twice that on one, as on Binder)" in second
    assert "not measured yet" in third  # a sample run is no measurement
    assert "[← 1. Lesson one](01-one.ipynb)" in second and "[3. Lesson three →](03-three.ipynb)" in second
    assert "←" not in first and "→" not in third
    slug = "OWNER/image-classification-course"
    binder = f"https://mybinder.org/v2/gh/{slug}/main?urlpath=lab/tree/work/02-two.ipynb"
    assert f"[![Open lesson 2 in Binder](https://mybinder.org/badge_logo.svg)]({binder})" in second
    for site in ("https://colab.research.google.com", "https://nbviewer.org"):
        assert f"({site}/github/{slug}/blob/main/notebooks/02-two.ipynb)" in second
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert (
        "| [2. Lesson two](notebooks/02-two.ipynb) |  | 4 min | 1.3 GB | 70 MB | [![Open lesson 2" in readme
    )
    assert "old" not in readme and "Open the course in Binder" in readme


def test_a_deeper_notebook_stands_under_its_lesson_with_the_time_it_needs(root):
    path = write_lesson(root / "notebooks", "02a-more", "x = 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("# 2. ", "# 2a. ")
    notebook.metadata["course_minutes"] = 45
    write_notebook(path, notebook)
    update_links(root=root)
    assert "[2a. Lesson -more →](02a-more.ipynb)" in first_cell(root, "02-two")
    assert "**You:** about 45 minutes · **Machine:** not measured yet" in first_cell(root, "02a-more")
    readme = (root / "README.md").read_text(encoding="utf-8")
    second, deeper = (readme.index(f"notebooks/{name}.ipynb") for name in ("02-two", "02a-more"))
    assert second < deeper < readme.index("notebooks/03-three.ipynb")
    assert "deeper: [2a. Lesson -more](notebooks/02a-more.ipynb) | 45 min |" in readme


def test_a_new_address_goes_everywhere(root, capsys):
    update_links(root=root)
    update_links(root=root, repository="https://github.com/octo-cat/pictures.git")
    assert "pyproject.toml" in capsys.readouterr().out
    for name, content in files(root).items():
        text = content.decode("utf-8").replace("OWNER/image-classification-course-2", "")
        assert "OWNER" not in text, name
    assert "# the address\n" in (root / "pyproject.toml").read_text(encoding="utf-8")
    notebook = (root / "notebooks" / "03-three.ipynb").read_text(encoding="utf-8")
    assert 'address = \\"https://github.com/octo-cat/pictures\\"' in notebook
    assert "/content/image-classification-course" in notebook
    once = files(root)
    update_links(root=root)
    assert files(root) == once


@pytest.mark.parametrize(
    "address",
    [
        "https://x-token:secret@github.com/octo-cat/pictures.git",
        "git@github.com:octo-cat/pictures.git",
        "ssh://git@github.com/octo-cat/pictures",
    ],
)
def test_a_course_without_an_address_takes_the_one_of_its_remote(root, address):
    git(root, "init", "-q")
    git(root, "remote", "add", "origin", address)
    update_links(root=root)
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    assert 'Repository = "https://github.com/octo-cat/pictures"' in project
    assert "secret" not in "".join(text.decode() for text in files(root).values() if b"[remote" not in text)
    git(root, "remote", "set-url", "origin", "https://github.com/a-fork/pictures")
    once = files(root)
    update_links(root=root)  # a fork does not rename the course
    assert files(root) == once


@pytest.mark.parametrize("address", ["", "https://example.org/octo-cat/pictures", "/srv/github.com/a/b.git"])
def test_a_remote_elsewhere_or_none_is_said_in_one_line_and_the_address_stays(root, address, capsys):
    update_links(root=root)
    git(root, "init", "-q")
    if address:
        git(root, "remote", "add", "origin", address)
    before = files(root)
    capsys.readouterr()
    assert update_links(root=root) == 0
    said, done = capsys.readouterr().out.splitlines()
    assert said.startswith("git's remote `origin` is not on GitHub: the address stays as it is (--repository")
    assert done == "Nothing to change." and files(root) == before


def test_the_first_push_gives_the_course_its_address_and_later_ones_change_nothing(root, tmp_path_factory):
    """The workflow's own commands, with a repository on this machine in the place of GitHub's."""
    if '"https://github.com/OWNER/' not in (COURSE_FOLDER / "pyproject.toml").read_text(encoding="utf-8"):
        pytest.skip("this course has its address already")
    for name in ("course", "helpers"):
        shutil.copytree(COURSE_FOLDER / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CITATION.cff"):
        shutil.copy(COURSE_FOLDER / name, root / name)
    (root / ".gitignore").write_text("__pycache__\n", encoding="utf-8")
    origin, address = tmp_path_factory.mktemp("origin"), "https://github.com/octo-cat/pictures"
    git(origin, "init", "-q", "--bare", "-b", "main")
    git(root, "init", "-q", "-b", "main")
    git(root, "remote", "add", "origin", address)
    git(root, "config", f"url.file://{origin}.insteadOf", address)
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    git(root, "push", "-q", "origin", "main")

    workflow = yaml.safe_load((COURSE_FOLDER / ".github/workflows/pages.yml").read_text(encoding="utf-8"))
    (commands,) = [step["run"] for step in workflow["jobs"]["address"]["steps"] if "run" in step]
    commands = commands.replace("pip install", ": pip install").replace("python -m", f'"{sys.executable}" -m')
    run = ["bash", "-e", "-c", commands]
    for _ in range(2):
        done = subprocess.run(run, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True)
        assert done.returncode == 0, done.stderr
    assert len(git(origin, "log", "--oneline", "main").splitlines()) == 2
    for name in ("pyproject.toml", "README.md", "CITATION.cff", "notebooks/03-three.ipynb"):
        text = git(origin, "show", f"main:{name}")
        assert "octo-cat/pictures" in text and "OWNER/image" not in text, name
    assert not git(root, "status", "--porcelain")


def test_stale_files_are_named_and_left_alone(root, capsys):
    update_links(root=root)
    assert update_links(root=root, check=True) == 0
    path = root / "notebooks" / "02-two.ipynb"
    text = path.read_text(encoding="utf-8").replace("download: 70", "download: 71")
    path.write_text(text, encoding="utf-8")
    changed = files(root)
    capsys.readouterr()
    assert update_links(root=root, check=True) == 1
    assert capsys.readouterr().out == "Stale: notebooks/02-two.ipynb; run `python -m course links`\n"
    assert files(root) == changed


FAULTS = [
    ("pyproject.toml", b"[project", "pyproject.toml has no readable"),
    ("pyproject.toml", b"[project]\nurls = 3\n", "pyproject.toml has no readable"),
    ("README.md", b"caf\xe9", "README.md cannot be read"),
    ("results.csv", b"\xff\xfe,\x00\n", "is not a results.csv"),
    ("results.csv", README.encode(), "is not a results.csv"),
    ("results.csv", RESULTS.replace(",class,", ",smoke,").encode(), "holds no lesson of the class profile"),
    ("notebooks/02-two.ipynb", b"{", "02-two.ipynb is not a readable notebook"),
    ("notebooks/01-one.ipynb", None, r"01-one\.ipynb lacks the lines <!-- course"),
    ("data/results/costs.json", b'{"01-one": 3}', "costs.json is not a table of costs"),
    ("data/results/costs.json", b"[", "costs.json is not a table of costs"),
]


@pytest.mark.fault
@pytest.mark.parametrize(("name", "content", "said"), FAULTS)
def test_a_damaged_file_is_one_line_and_changes_nothing(root, name, content, said):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or path.read_bytes().replace(b"/course:links", b"/course:link"))
    before = files(root)
    with pytest.raises(CourseError, match=said) as caught:
        update_links(root=root, results=root / "results.csv")
    assert "\n" not in str(caught.value) and files(root) == before


@pytest.mark.fault
def test_a_wrong_address_or_a_missing_table_is_one_line(root):
    with pytest.raises(CourseError, match="^--repository 'just-a-name' is not OWNER/REPO"):
        update_links(root=root, repository="just-a-name")
    with pytest.raises(CourseError, match="is not a results.csv"):
        update_links(root=root, results=root / "missing.csv")


def test_the_course_itself_is_not_stale(capsys):
    assert update_links(root=COURSE_FOLDER, check=True) == 0, capsys.readouterr().out

"""What the README says is what the course measured and offers."""

import re
import shlex
import statistics

import pytest
from click.testing import CliRunner
from papermill.cli import papermill

from course.cli import build_parser
from course.lessons import choose_lessons, find_lessons, make_plans
from helpers import COURSE_FOLDER as ROOT
from helpers import published
from helpers.evaluation import wilson_interval

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:bash|powershell)\n(.*?)^```", README, re.M | re.S)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
LINES += re.findall(r"`((?:make|python -m|papermill|jupyter|sudo|conda) [^`]+)`", README)
COMMANDS = sorted({line.partition("#")[0].strip().replace("\\", "/") for line in LINES})


def words_of(command):
    """Return a command's words, without variables set before it and without the path of its Python."""
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    return [words[0].rpartition("/")[2], *words[1:]]


@pytest.mark.parametrize("command", [line for line in COMMANDS if "-m course" in line])
def test_every_command_of_the_course_would_run(command):
    """Names, values and parameters are checked as `run` checks them; only the lessons are not started."""
    options = build_parser().parse_args(words_of(command)[3:])
    if options.command == "run":
        chosen = choose_lessons(find_lessons(), options.lessons, options.deeper)
        named = [one for one in options.assignments if "FOLDER" not in one]
        make_plans(chosen, profile=options.profile, assignments=named)


def test_every_make_target_exists():
    targets = {word for line in COMMANDS if words_of(line)[0] == "make" for word in words_of(line)[1:2]}
    assert {"course", "test"} <= targets
    assert targets <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def test_every_other_command_is_one_that_is_installed_or_known(monkeypatch):
    monkeypatch.chdir(ROOT)
    known = {"python", "python3", "py", "make", "conda", "sudo", "jupyter", "papermill"}
    assert {words_of(line)[0] for line in COMMANDS} <= known
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    (name,) = {words_of(line)[2] for line in COMMANDS if line.startswith("conda activate")}
    assert f"name: {name}\n" in environment
    (line,) = [line for line in COMMANDS if line.startswith("papermill")]
    shown = CliRunner().invoke(papermill, words_of(line)[1:])
    assert "epochs: int (default 3)" in shown.output


def accuracy(right, pictures, digits):
    low, high = wilson_interval(right, pictures)
    return f"{right / pictures:.{digits}%} ({low:.{digits}%} to {high:.{digits}%})"


def test_tables_of_the_networks_are_the_stored_results():
    stored, lines = published.load_result("04a"), []
    for name, runs in stored["recipes"].items():
        middle = sorted(runs, key=lambda run: run["test_accuracy"])[len(runs) // 2]
        seconds = statistics.median(run["train_seconds"] for run in runs)
        right, pictures = round(middle["test_accuracy"] * 10_000), stored["data"]["counts"]["test"]
        reached = accuracy(right, pictures, 2)
        lines.append(f"| {name} | {middle['parameter_count']:,} | {seconds:.0f} | {reached} |")
    for runs in published.load_result("05a")["runs"].values():
        run = sorted(runs, key=lambda run: run["test_accuracy"])[len(runs) // 2]
        reached = accuracy(round(run["test_accuracy"] * run["pictures"]), run["pictures"], 1)
        head = f"| {run['epochs']} | {run['parameter_count']:,} | "
        lines.append(head + f"{reached} | {run['macro_f1']:.3f} |")
    stored = published.load_result("06a")
    for base, runs in stored["rows"].items():
        shares = sorted(run["right"].count("1") / len(run["right"]) for run in runs)
        middle = f"{statistics.median(shares):.1%} ({shares[0]:.1%} to {shares[-1]:.1%})" if runs else ""
        lines.append(f"| {base} | {middle or 'not measured'} |")
    for right in stored["scenes"]["right"].values():
        lines.append(f"{right.count('1') / len(right):.1%} ")
    missing = [line for line in lines if line not in README]
    assert not missing, f"README lacks {missing}"


def test_every_benchmark_is_named():
    for script in (ROOT / "tests" / "benchmarks").glob("lesson_*.py"):
        assert f"`{script.name}`" in README, script.name


def test_every_link_to_a_file_and_to_a_section_leads_there():
    heads = re.findall(r"^#+ (.+)$", README, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        assert path or anchor in anchors, target


def test_every_section_of_a_lesson_that_the_slide_table_names_is_there():
    lessons = {lesson.number: lesson.path.read_text(encoding="utf-8") for lesson in find_lessons()}
    slides = (ROOT / "docs" / "teaching" / "slides.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| (\d[a-z]?, .+?) \| ", slides, re.M)
    assert len(rows) >= 10
    for row in rows:
        number = row.partition(",")[0]
        for part in row.split("; "):
            number = part.partition(",")[0] if re.match(r"\d[a-z]?, ", part) else number
            for section in re.findall(r"\*([^*]+)\*", part):
                found = re.search(rf"## [^\n]*{re.escape(section)}", lessons[number])
                assert found, f"lesson {number}: {section}"

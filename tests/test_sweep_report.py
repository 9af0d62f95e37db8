"""What a sweep is asked for, the page on its runs, and comparing runs that exist."""

import json
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from course_notebooks import write_lesson, write_profile

from course import sweep
from course.charts import grows_by_factors
from course.cli import main
from course.compare import compare_runs
from course.lessons import Lesson, read_lesson
from course.report import Result, write_report
from course.results import Outcome, csv_text
from course.sweep import before_the_start, combinations, run_sweep, workers_for
from helpers import CourseError

LESSON = Lesson(Path("04-digits.ipynb"), "Digits & <more>")


def run_of(seed, rate, accuracy, *, kind="complete", error="", right="", folder=None):
    """One run of two networks; the second is always a little worse."""
    values = {"learning_rate": rate, "optimiser": "sgd" if rate < 0.01 else "adam", "seed": seed}
    common, answers = {"weights": "random", "parameter_count": 9}, {"right": right} if right else {}
    metrics = {
        "parameters": values,
        "data": {"name": "dots", "kind": kind, "counts": {"train": 60_000, "test": 9}},
        "networks": {
            "tiny": common | answers | {"validation_accuracy": accuracy},
            "other": common | {"validation_accuracy": accuracy - 0.01},
        },
        "history": {"tiny": [{"epoch": epoch, "val_loss": 1 / epoch} for epoch in (1, 2, 3)]},
        "peak_rss_mb": 900.0 + seed,
    }
    outcome = Outcome(LESSON, "smoke", 12.0, error, {} if error else metrics, values)
    return Result(f"r{seed}-{rate}", outcome, folder)


def report(tmp_path, *results):
    write_report(results, tmp_path, "some of some runs")
    return (tmp_path / "sweep.html").read_text(encoding="utf-8")


RUNS = [
    run_of(seed, rate, 0.5 + 10 * rate + seed**2 / 100) for rate in (0.001, 0.003, 0.03) for seed in (0, 1, 2)
]


@pytest.fixture
def notebooks(tmp_path):
    write_lesson(tmp_path / "notebooks", "04-digits")
    write_profile(tmp_path / "notebooks", "smoke", "04-digits", "epochs: 1\n")
    return tmp_path / "notebooks"


def plans(notebooks, *grid, assignments=(), profile="class"):
    return combinations(read_lesson(notebooks / "04-digits.ipynb"), grid, assignments, profile, notebooks)


def test_every_combination_is_made_once_with_what_the_profile_and_p_set(notebooks):
    found = plans(notebooks, "learning_rate=0.1,1e-1,1", "seed=3..4", profile="smoke")
    assert found == [
        {"epochs": 1, "learning_rate": rate, "seed": seed} for rate in (0.1, 1.0) for seed in (3, 4)
    ]
    assert plans(notebooks, "seed=7", assignments=["epochs=3"], profile="smoke") == [{"epochs": 3, "seed": 7}]


@pytest.mark.fault
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-g", "learning_rat=1,2"], "unknown parameter 'learning_rat' (did you mean 'learning_rate'?)"),
        (["-g", "epochs=1,two"], "parameter epochs='two' must be int"),
        (["-g", "epochs=1,0"], "epochs=0 is not allowed"),
        (["-g", "epochs"], "-g 'epochs' is not name=value,value"),
        (["-g", "seed=4..0"], "a range goes up"),
        (["-g", "seed=0..9999999"], "at most 10,000 values"),
        (["-g", "seed=0..999", "-g", "epochs=1..99"], "99,000 combinations are more than"),
        (["-g", "seed=1", "-g", "seed=2"], "seed is set twice"),
        (["-g", "seed=1", "-p", "seed=2"], "seed is set twice"),
        (["-g", "metrics_path=x"], "--output"),
        (["-g", "seed=1", "--workers", "0"], "--workers 0 must be at least 1"),
        (["-g", "seed=1", "--output", "file"], "file cannot hold the results"),
        (["-g", "seed=1", "--data", ".", "--cluster", "tcp://127.0.0.1:1"], "set COURSE_DATA_DIR where each"),
    ],
)
def test_a_wrong_request_is_one_line_and_starts_nothing(notebooks, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(notebooks.parent)
    Path("file").write_text("text", encoding="utf-8")
    monkeypatch.setattr(sweep, "run_sweep", lambda **options: run_sweep(**options, notebooks=notebooks))
    monkeypatch.setattr(sweep, "run_here", None)
    assert main(["sweep", "--lesson", "4", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1 and captured.out == ""


@pytest.fixture
def measured(monkeypatch):
    """A lesson with a cost card that no later measurement changes: 74 seconds, 1,104 MB."""
    lesson = Lesson(Path("04-mnist-digits-cnn.ipynb"), "Digits")
    costs = {lesson.stem: {"seconds": 74.0, "peak_rss_mb": 1104.0}}
    monkeypatch.setattr(sweep, "read_costs", lambda path: costs)
    return lesson


def test_as_many_runs_go_at_once_as_cores_memory_and_combinations_allow(measured, monkeypatch):
    monkeypatch.setattr(sweep, "cores", lambda: 8)
    memory = type("Memory", (), {"available": 4.0e9})
    monkeypatch.setattr(sweep.psutil, "virtual_memory", lambda: memory)
    assert (workers_for(measured, 100), workers_for(measured, 2)) == (3, 2)
    memory.available = 0.1e9
    assert workers_for(measured, 100) == 1
    assert workers_for(Lesson(Path("99-unmeasured.ipynb"), ""), 100) == 8


def test_the_table_before_the_start_has_the_cards_minutes_and_stays_short(measured):
    wanted = {f"r{seed}": {"epochs": 1, "seed": seed} for seed in range(200)}
    text = before_the_start(measured, "class", wanted, {}, 2)
    assert "200 combinations, 200 to run, 2 at once: about 124 min, estimated from the lesson's card" in text
    assert "1.2 1,104 to run" in text and "epochs" not in text
    assert len(text.splitlines()) <= 14 and re.search(r"^ *\.\.\. +\.\.\.", text, re.M)
    text = before_the_start(measured, "class", wanted, {"r0": run_of(0, 0.1, 0.5)}, 2)
    assert "199 to run, 2 at once: about 20 min, estimated from the runs that are finished" in text
    assert re.search(r"^ +0 +finished$", text, re.M)


def test_the_tables_hold_every_run_and_the_page_its_medians(tmp_path):
    text = report(tmp_path, *RUNS)
    rows = pd.read_csv(tmp_path / "sweep.csv")
    assert len(rows) == 18 and rows["validation_accuracy"][2] == 0.5 + 10 * 0.001 + 1 / 100
    assert list(rows)[:4] == ["run", "parameter.learning_rate", "parameter.optimiser", "parameter.seed"]
    pytest.importorskip("pyarrow", reason="needs the extra [cluster]")
    assert pd.read_parquet(tmp_path / "sweep.parquet")["run"].tolist() == rows["run"].tolist()
    tiny = next(row for row in text.split("<tr>") if ">tiny<" in row and ">0.003<" in row)
    assert re.findall(r'"(median|lowest|highest|runs)">([\d.]+)<', tiny) == [
        ("median", "0.54"), ("lowest", "0.53"), ("highest", "0.57"), ("runs", "3")
    ]  # fmt: skip
    assert text.count("best median") == 2 and "SAMPLE" not in text
    assert "at most 902 MB" in text and "1.8 minutes" in text


def test_every_chart_says_in_words_what_it_shows(tmp_path):
    text = report(tmp_path, *RUNS)
    titles = re.findall(r'<svg role="img"[^>]*><title id="[^"]+">([^<]+)', text)
    assert len(titles) == 5 and text.count("<svg") == 5  # two parameters, a heat map a network, one training
    assert titles[0].startswith("validation accuracy against learning_rate, logarithmic axis; median")
    assert "tiny 0.52 at 0.001, 0.54 at 0.003, 0.81 at 0.03; other 0.51 at 0.001" in titles[0]
    assert titles[1].startswith("validation accuracy against optimiser; median")
    assert "0.81 at 0.03 and adam" in titles[2]
    assert "val_loss after each epoch of 9 trainings" in titles[4]
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names)), "an id stands twice: a chart would use another's marks"
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', text)) <= set(names)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.001, 0.003, 0.01], True), ([1, 2, 3], False), ([16, 32, 64], True), ([0, 1, 10], False),
        ([0.1, 0.2], False), ([0.001, 0.01], True), (["a", "b"], False), ([True, False], False), ([3], False),
    ],
)  # fmt: skip
def test_the_axis_is_logarithmic_where_the_values_are(values, expected):
    assert grows_by_factors(values) is expected


def test_samples_are_said_in_capitals_and_different_pictures_are_not_compared(tmp_path):
    text = report(tmp_path, run_of(0, 0.1, 0.5, kind="sample"), run_of(1, 0.1, 0.6))
    assert text.count("BUILT-IN SAMPLES served as pictures") == 1 and "data: SAMPLE, complete" in text
    assert "These runs saw different pictures (complete, sample): do not compare them." in text


def pairs_in(text):
    """The page's rows that compare two runs picture by picture, each by its headings."""
    rows = BeautifulSoup(text, "html.parser").select("tr:has(td[data-label='only best right'])")
    return [{cell["data-label"]: cell.get_text() for cell in row.select("td")} for row in rows]


@pytest.mark.parametrize(
    ("right", "counts", "p", "meaning"),
    [
        (("1110", "1000"), "1 2 0 1", "0.5", "chance alone may explain the difference"),
        (("0" + "1" * 20, "1" + "0" * 20), "0 20 1 0", "below 0.001", "the best run has more"),
        (("1000000", "0111111"), "0 1 6 0", "0.12", "chance alone may explain the difference"),
        (("0000000", "1111110"), "0 0 6 1", "0.031", "the worst run has more"),
        (("110", "110"), "2 0 0 1", "1", "both have the same pictures right"),
    ],
)
def test_the_best_and_the_worst_are_compared_picture_by_picture(tmp_path, right, counts, p, meaning):
    best, worst = (run_of(seed, 0.1, 0.7 - seed, right=hits) for seed, hits in enumerate(right))
    best.outcome.metrics["data"]["used"] = {"train": 5}  # it learnt from fewer, and was asked about as many
    text = report(tmp_path, best, worst, run_of(2, 0.1, 0.5))
    (pair,) = pairs_in(text)
    named = [pair[word] for word in ("network", "best run", "worst run")]
    assert named == ["tiny", "seed=0", "seed=1"]
    said = [pair[word] for word in ("both right", "only best right", "only worst right", "both wrong", "p")]
    assert said == [*counts.split(), p] and pair["what it means"].startswith(meaning)
    assert "Of 3 runs the best is partly lucky and the worst partly unlucky." in text
    assert "right" not in pd.read_csv(tmp_path / "sweep.csv") and ">1110<" not in text


def test_other_test_pictures_or_none_that_are_known_are_not_compared(tmp_path):
    def pairs(right="011", **data):
        worse = run_of(1, 0.1, 0.2, right=right)
        worse.outcome.metrics["data"].update(data)
        return pairs_in(report(tmp_path, run_of(0, 0.1, 0.7, right="110"), worse))

    assert pairs()
    for other in ({"right": "0110"}, {"right": ""}, {"counts": {"test": 8}}, {"used": {"test": 3}}):
        assert not pairs(**other), other


def test_a_lesson_without_networks_or_with_failures_alone_has_its_page(tmp_path):
    outcomes = [Outcome(LESSON, "smoke", 3.0 + n, "", {"networks": {}}, {"seed": n}) for n in (0, 1)]
    text = report(tmp_path, *(Result(f"r{n}", outcome) for n, outcome in enumerate(outcomes)))
    assert "These runs measure no network" in text and "best median" not in text
    assert "0.1 minutes for all runs added up, the slowest 4 seconds" in text
    text = report(tmp_path, *(run_of(n, 0.1, 0, error=f"cell 4: <b>{n}</b> diverged") for n in (0, 1)))
    assert "&lt;b&gt;1&lt;/b&gt; diverged" in text and "<b>" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_and_it_fits_a_phone(open_page, tmp_path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    report(tmp_path, *RUNS, run_of(3, 0.03, 0, error="cell 4: diverged"), run_of(4, 0.03, 0.9, kind="sample"))
    for width in (390, 1100):
        size = {"width": width, "height": 900}
        page = open_page(tmp_path / "sweep.html", color_scheme=scheme, viewport=size)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe.Axe().run(page).response["violations"] == []


def left_by_run(folder, rate, accuracy, error=""):
    """Write what `course run` leaves of one lesson."""
    folder.mkdir(parents=True)
    outcome = run_of(0, rate, accuracy, error=error).outcome
    (folder / "results.csv").write_text(csv_text([outcome]), encoding="utf-8")
    if not error:
        (folder / "04-digits.json").write_text(json.dumps(outcome.metrics), encoding="utf-8")
    nbformat.write(nbformat.v4.new_notebook(), folder / "04-digits.ipynb")
    return folder


def test_runs_that_exist_are_compared_on_the_same_page(tmp_path):
    folders = [left_by_run(tmp_path / name / "out", rate, rate) for name, rate in (("a", 0.1), ("b", 0.3))]
    folders.append(left_by_run(tmp_path / "c", 0.5, 0, error="cell 3: no"))
    assert compare_runs(folders, tmp_path / "page") == 0
    rows = pd.read_csv(tmp_path / "page" / "sweep.csv")
    assert rows["run"].tolist() == ["a/out", "a/out", "b/out", "b/out", f"{tmp_path.name}/c"]
    assert rows["parameter.learning_rate"].tolist()[:4] == [0.1, 0.1, 0.3, 0.3]
    assert rows["notebook"][0] == "../a/out/04-digits.ipynb" and rows["status"][4] == "failed"
    assert "tiny 0.1 at 0.1, 0.3 at 0.3" in (tmp_path / "page" / "sweep.html").read_text(encoding="utf-8")
    assert not list((tmp_path / "a").rglob("*.html")), "it wrote into a folder that is not its own"


def test_two_runs_out_of_a_sweep_are_compared_alone(tmp_path):
    for number in (0, 1, 2):
        place = tmp_path / "done" / str(number)
        place.mkdir(parents=True)
        run_of(number, 0.1, 0.5, right="110").write(place)
    assert compare_runs([tmp_path / "done/0", tmp_path / "done/2"], tmp_path / "page") == 0
    assert set(pd.read_csv(tmp_path / "page" / "sweep.csv")["parameter.seed"]) == {0, 2}
    assert pairs_in((tmp_path / "page" / "sweep.html").read_text(encoding="utf-8"))
    assert compare_runs([tmp_path], tmp_path / "whole") == 0
    assert set(pd.read_csv(tmp_path / "whole" / "sweep.csv")["parameter.seed"]) == {0, 1, 2}


@pytest.mark.fault
def test_a_folder_without_results_or_one_run_alone_is_one_line(tmp_path):
    one = left_by_run(tmp_path / "one", 0.1, 0.5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseError, match="holds no readable results of a run"):
        compare_runs([one, tmp_path / "empty"], tmp_path / "page")
    with pytest.raises(CourseError, match="nothing to compare: name two runs"):
        compare_runs([one, one], tmp_path / "page")
    assert not (tmp_path / "page").exists()

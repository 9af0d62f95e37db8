"""Running lessons: what a run leaves behind, what a failing lesson and Ctrl-C leave of it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from course_notebooks import network, picture, write_lesson, write_profile

from course.export import PathScrubber, tidy_streams, to_html
from course.results import COLUMNS, Outcome, csv_text, table_text
from course.runner import RunRequest, run_course
from helpers import CourseError

ALT = 'A "black" dot <1 pixel>.'
WHERE = """import os, sys
print(os.getcwd(), sys.prefix, os.environ["COURSE_DATA_DIR"])
print(epochs, f"seed {seed}")
for step in range(3):
    print(f"\\rstep {step}", end="")
    time.sleep(0.05)
print()
os.getcwd()"""


class Images(HTMLParser):
    """Collects the text alternatives of a page's pictures, None where there is none."""

    def __init__(self, page):
        super().__init__()
        self.alts = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.alts.append(dict(attributes).get("alt"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run of five tiny lessons: (exit status, printed text, folder of results, working folder)."""
    base = tmp_path_factory.mktemp("course")
    notebooks = base / "notebooks"
    write_lesson(notebooks, "01-pictures", picture(), WHERE)
    write_lesson(notebooks, "02-fails", "x = 1\n1 / 0", "print('never')")
    write_lesson(notebooks, "03-stops", 'raise CourseError("no pictures here: set COURSE_DATA_DIR")')
    second = 'lesson.record_network("missing", weights="unavailable", parameter_count=1)'
    write_lesson(notebooks, "04-network", network("sample"), second)
    write_lesson(notebooks, "05-forgets", finish=False)
    write_profile(notebooks, "smoke", "01-pictures", "epochs: 1\n")
    (notebooks / "glossary.md").write_text("# Glossary\n\n## Feature map\n\nText.\n", encoding="utf-8")
    pictures = base / "pictures"
    (pictures / "mnist").mkdir(parents=True)
    # A kernel `python3` of another Python in the user's own folder must not be the one that runs.
    kernel = base / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["no-such-python", "{connection_file}"], "display_name": "other", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(base)
        patch.setenv("JUPYTER_DATA_DIR", str(base / "jupyter"))
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
        patch.setenv("COURSE_DATA_DIR", "pictures")  # relative: must be made absolute
        patch.delenv("COURSE_DATA_SOURCE", raising=False)
        printed = []
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        before = dict(os.environ)
        request = RunRequest(profile="smoke", assignments=["seed=5"], notebooks=notebooks, runs=base / "runs")
        status = run_course(request)
        assert dict(os.environ) == before
    (folder,) = (base / "runs").iterdir()
    return status, "\n".join(printed), folder, base


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outputs_of(folder: Path, stem: str) -> str:
    cells = json.loads((folder / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = [output.get("text", []) for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(text) for text in texts)


def test_a_failing_lesson_is_reported_and_the_others_still_run(finished):
    status, printed, folder, _ = finished
    assert status == 1
    assert [row["status"] for row in rows_of(folder)] == [
        "ok",
        "failed",
        "failed",
        "ok",
        "unavailable",
        "failed",
    ]
    assert "cell 4 (`x = 1`): ZeroDivisionError: division by zero" in printed
    assert re.search(r"cell 4 \(`raise .*\): no pictures here: set COURSE_DATA_DIR\n", printed)
    assert "lesson.finish()" in printed
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "division by zero" in page and "5 of 5 lessons finished, 3 failed" in page


def test_a_run_leaves_notebook_page_metrics_and_tables(finished):
    _, _, folder, _ = finished
    names = {path.name for path in folder.iterdir()}
    stems = ["01-pictures", "02-fails", "03-stops", "04-network", "05-forgets"]
    assert names == {
        *(f"{stem}{ending}" for stem in stems for ending in (".ipynb", ".html")),
        "01-pictures.json",
        "04-network.json",
        "glossary.html",
        "index.html",
        "results.csv",
    }
    assert 'id="feature-map"' in (folder / "glossary.html").read_text(encoding="utf-8")


def test_results_csv_has_the_columns_in_order(finished):
    _, _, folder, _ = finished
    header = (folder / "results.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == (
        "lesson,title,profile,network,weights,data,status,parameter_count,train_seconds,validation_accuracy,"
        "test_accuracy,test_loss,macro_f1,lesson_seconds,peak_rss_mb"
    )
    first, *_, tiny, missing, _ = rows_of(folder)
    assert (first["lesson"], first["title"], first["profile"]) == ("01-pictures", "Lesson pictures", "smoke")
    assert (first["network"], first["data"]) == ("", "none")
    assert float(first["lesson_seconds"]) > 0 and float(first["peak_rss_mb"]) > 0
    assert (tiny["network"], tiny["weights"], tiny["data"]) == ("tiny", "random", "sample")
    assert (tiny["parameter_count"], tiny["test_accuracy"], tiny["test_loss"]) == ("1234", "0.5", "")
    assert (missing["status"], missing["test_accuracy"], missing["parameter_count"]) == (
        "unavailable",
        "",
        "",
    )


def test_samples_are_said_loudly(finished):
    _, printed, folder, _ = finished
    assert "BUILT-IN SAMPLES served as pictures in lesson 04" in printed
    assert 'class="loud">BUILT-IN SAMPLES' in (folder / "index.html").read_text(encoding="utf-8")


def test_parameters_reach_the_lesson_and_progress_leaves_one_line(finished):
    _, _, folder, _ = finished
    text = outputs_of(folder, "01-pictures")
    assert "1 seed 5" in text  # epochs from the profile, seed from -p
    assert "step 2" in text and "step 1" not in text and "\r" not in text


def test_badges_and_links_of_a_page_work_where_it_lies(tmp_path):
    import nbformat

    text = "[![Open in Colab](https://example.org/badge.svg)](https://example.org/colab) "
    text += "[next](02-two.ipynb#a) "
    text += "[word](glossary.md#feature-map) [all](../README.md)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    page = to_html(notebook, name="01-one", folder=tmp_path)
    assert "mathjax" not in page.lower()
    assert Images(page).alts == [] and ">Open in Colab</span></a>" in page
    for address in ("https://example.org/colab", "02-two.html#a", "glossary.html#feature-map", "index.html"):
        assert f'href="{address}"' in page


def test_formulas_do_not_hold_a_page_up(tmp_path):
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("$e^s$")])
    page = to_html(notebook, name="03-three", folder=tmp_path)
    (script,) = re.findall(r"<script[^>]*src=[^>]*>", page)
    assert "async" in script and "mathjax" in script


def test_printed_lines_stay_on_their_side_of_a_picture(finished):
    _, _, folder, _ = finished
    cells = json.loads((folder / "01-pictures.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = next(cell for cell in cells if "display" in "".join(cell["source"]) and cell.get("outputs"))
    assert [output["output_type"] for output in shown["outputs"]] == ["stream", "display_data", "stream"]


def test_every_picture_of_a_page_has_its_alternative(finished):
    _, _, folder, _ = finished
    assert Images((folder / "01-pictures.html").read_text(encoding="utf-8")).alts == [ALT]


def test_pages_need_no_network(finished):
    _, _, folder, _ = finished
    for path in folder.glob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", page), path.name


def test_nothing_kept_names_a_folder_of_this_machine(finished):
    _, _, folder, base = finished
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for place in (str(base), str(Path.home()), sys.prefix, "ipykernel_"):
            assert place not in text, f"{place} in {path.name}"
    assert "COURSE_DATA_DIR" in outputs_of(folder, "01-pictures")
    metrics = json.loads((folder / "01-pictures.json").read_text(encoding="utf-8"))
    assert metrics["parameters"]["metrics_path"] == "01-pictures.json"
    cells = json.loads((folder / "01-pictures.ipynb").read_text(encoding="utf-8"))
    assert "papermill" not in cells["metadata"] and "papermill" not in cells["cells"][0]["metadata"]


def test_the_sources_stay_as_they_were(finished):
    _, _, _, base = finished
    source = json.loads((base / "notebooks" / "01-pictures.ipynb").read_text(encoding="utf-8"))
    assert all(cell.get("outputs", []) == [] for cell in source["cells"])


SCRIPT = """
import signal, sys
from pathlib import Path
from course.runner import RunRequest, run_course
# a shell that starts the tests in the background lets them ignore Ctrl-C; a user's terminal does not
signal.signal(signal.SIGINT, signal.default_int_handler)
base = Path(sys.argv[1])
sys.exit(run_course(RunRequest(notebooks=base / "notebooks", runs=base / "runs")))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one process")
def test_ctrl_c_keeps_what_is_finished_and_ends_the_kernel(tmp_path):
    psutil = pytest.importorskip("psutil")
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-quick", "x = 1")
    write_lesson(notebooks, "02-long", f"open({str(tmp_path / 'started')!r}, 'w').close()\ntime.sleep(60)")
    write_lesson(notebooks, "03-never", "x = 1")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.count("\n") == 1 and "1 of 3 lesson(s) finished" in errors
    (folder,) = (tmp_path / "runs").iterdir()
    assert [row["lesson"] for row in rows_of(folder)] == ["01-quick"]
    assert "stopped before its end" in (folder / "index.html").read_text(encoding="utf-8")
    assert not [path for path in folder.iterdir() if path.name.startswith("02") or path.name.startswith(".")]
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert not alive


def test_a_hanging_cell_and_a_dead_kernel_end_their_lesson_only(tmp_path, capfd):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-hangs", "time.sleep(60)")
    write_lesson(notebooks, "02-dies", "import os\nos._exit(1)")
    request = RunRequest(notebooks=notebooks, output=tmp_path / "out", cell_seconds=1)
    assert run_course(request) == 1
    printed = capfd.readouterr().out
    assert "cell 4 (`time.sleep(60)`): took longer than 1 s" in printed
    assert "cell 4 (`import os`): its Python process died" in printed
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["failed", "failed"]


def test_an_explicit_parameter_wins_over_the_variable_and_outputs_can_be_stored(tmp_path, capsys):
    notebooks = tmp_path / "notebooks"
    path = write_lesson(
        notebooks, "01-source", 'import os\nprint("source", os.environ.get("COURSE_DATA_SOURCE"))', "1 + 1"
    )
    variables = {**os.environ, "COURSE_DATA_SOURCE": "sample"}
    common = {"notebooks": notebooks, "environment": variables}
    on_samples = write_lesson(notebooks, "02-sample", network("sample"))
    unchanged = on_samples.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA_SOURCE", "sample")
        run_course(RunRequest(**common, output=tmp_path / "a", assignments=["data_source=auto"]))
        assert "source None" in outputs_of(tmp_path / "a", "01-source")
        before = json.loads(path.read_text(encoding="utf-8"))
        run_course(RunRequest(**common, output=tmp_path / "b", store=True))
    assert on_samples.read_bytes() == unchanged
    after = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in after["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4, 5]
    assert code[3]["outputs"][0]["execution_count"] == 4
    assert "source sample" in outputs_of(notebooks, "01-source")
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in before["cells"]]
    assert [cell["metadata"] for cell in after["cells"]] == [cell["metadata"] for cell in before["cells"]]


@pytest.mark.parametrize("what", ["missing", "empty", "file", "output", "store", "source"])
def test_a_wrong_request_starts_nothing(tmp_path, what, monkeypatch):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-one", "x = 1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text", encoding="utf-8")
    empty = {"COURSE_DATA_DIR": str(tmp_path / "empty")}
    changed = {
        "missing": ({"data": str(tmp_path / "missing")}, "is no folder"),
        "empty": ({"environment": empty}, "COURSE_DATA_DIR=.* is empty"),
        "file": ({"data": str(tmp_path / "file")}, "--data=.* is no folder"),
        "output": ({"output": notebooks}, "is not empty"),
        "store": ({"store": True, "assignments": ["seed=1"]}, "--store"),
        "source": ({"environment": {"COURSE_DATA_SOURCE": "moon"}}, "COURSE_DATA_SOURCE: .*'moon'"),
    }
    options, said = changed[what]
    with pytest.raises(CourseError, match=said):
        run_course(RunRequest(**{"notebooks": notebooks, "runs": tmp_path / "runs", **options}))
    assert not (tmp_path / "runs").exists()


def test_results_that_cannot_be_written_are_one_line(tmp_path):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-one", "x = 1")
    (tmp_path / "file").write_text("text", encoding="utf-8")
    with pytest.raises(CourseError, match="cannot hold the results"):
        run_course(RunRequest(notebooks=notebooks, runs=tmp_path / "file"))


def test_random_weights_that_nobody_asked_for_are_said_loudly():
    networks = {"scratch": {"weights": "random"}, "vgg16-frozen": {"weights": "random", "parameter_count": 5}}
    metrics = {"parameters": {"weights": "imagenet"}, "data": {"kind": "complete"}, "networks": networks}
    stood_in = Outcome("06-vgg", "VGG", "class", 1.0, metrics=metrics)
    assert "RANDOM WEIGHTS stood in for the trained ones in lesson 06 (vgg16-frozen)" in table_text(
        [stood_in]
    )
    asked = Outcome("06-vgg", "VGG", "class", 1.0, metrics=metrics | {"parameters": {"weights": "random"}})
    assert "RANDOM" not in table_text([asked])


def test_a_measured_zero_is_kept_and_a_missing_number_is_empty():
    networks = {"a": {"weights": "course", "parameter_count": 3, "test_loss": 0.0, "test_accuracy": None}}
    text = csv_text([Outcome("04-x", "X, y", "full", 2.0, metrics={"networks": networks})])
    row = next(csv.DictReader(text.splitlines()))
    assert tuple(row) == COLUMNS
    assert (row["test_loss"], row["test_accuracy"], row["title"]) == ("0.0", "", "X, y")


def test_streams_are_tidied():
    def stream(text, name="stdout"):
        return {"output_type": "stream", "name": name, "text": text}

    outputs = [stream("10%"), stream("\r100%\n"), stream("oh", "stderr"), stream("a\r\nb\rcc"), stream("\r")]
    assert tidy_streams(outputs) == [stream("100%\n"), stream("oh", "stderr"), stream("a\ncc")]


def test_paths_are_scrubbed_but_words_like_them_are_not():
    scrub = PathScrubber({"/data/pictures": "COURSE_DATA_DIR"})
    assert scrub("in /data/pictures/mnist, '/data/pictures'") == "in COURSE_DATA_DIR/mnist, 'COURSE_DATA_DIR'"
    assert scrub("/data/pictures2 and x/data/pictures") == "/data/pictures2 and x/data/pictures"
    assert scrub(f"File {Path.home() / 'me.py'}:3") == f"File {Path('~') / 'me.py'}:3"

"""Choosing lessons and checking parameters: every mistake ends in one line before a kernel starts."""

import pytest
from course_notebooks import write_lesson, write_profile

from course.cli import main
from course.lessons import choose_lessons, find_lessons, make_plans, profiles, read_parameters
from helpers import CourseError

LISTS = """sizes: list[int] = [1, 2]  # sizes
names: dict = {}  # names
loud: bool = False  # loud or not
"""


@pytest.fixture
def notebooks(tmp_path):
    folder = tmp_path / "notebooks"
    write_lesson(folder, "01-pixels", parameters='seed: int = 0  # start\nmetrics_path: str = ""  # where\n')
    write_lesson(folder, "04-digits")
    write_lesson(folder, "05-lists", parameters=LISTS)
    write_profile(folder, "smoke", "04-digits", "epochs: 1\n")
    return folder


def values(notebooks, *assignments, lessons=("04",), profile="class"):
    chosen = choose_lessons(find_lessons(notebooks), lessons)
    plans = make_plans(chosen, profile=profile, assignments=assignments, notebooks=notebooks)
    return {plan.lesson.stem: dict(plan.values) for plan in plans}


def message(notebooks, *assignments, **more):
    with pytest.raises(CourseError) as caught:
        values(notebooks, *assignments, **more)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_parameters_are_read_with_type_default_and_comment(notebooks):
    lesson = find_lessons(notebooks)[1]
    assert list(lesson.parameters) == ["data_source", "seed", "metrics_path", "epochs", "learning_rate"]
    epochs = lesson.parameters["epochs"]
    assert (epochs.annotation, epochs.default, epochs.comment) == (
        "int",
        2,
        "how often all pictures are seen",
    )
    assert (lesson.title, lesson.number) == ("Lesson digits", "04")


def test_a_parameters_cell_holds_literals_only():
    cells = [{"metadata": {"tags": ["parameters"]}, "source": "epochs: int = 1 + len('a')"}]
    with pytest.raises(CourseError, match="04-x: parameter epochs is no literal"):
        read_parameters(cells, "04-x")
    cells[0]["source"] = "import os"
    with pytest.raises(CourseError, match="line 1"):
        read_parameters(cells, "04-x")


@pytest.mark.parametrize("name", ["4", "04", "04-digits", "notebooks/04-digits.ipynb"])
def test_a_lesson_is_chosen_by_number_or_name(notebooks, name):
    assert [lesson.stem for lesson in choose_lessons(find_lessons(notebooks), [name])] == ["04-digits"]


def test_lessons_run_in_their_order_and_once(notebooks):
    chosen = choose_lessons(find_lessons(notebooks), ["05", "1", "01"])
    assert [lesson.stem for lesson in chosen] == ["01-pixels", "05-lists"]


def test_an_unknown_lesson_or_profile_lists_what_exists(notebooks):
    assert message(notebooks, lessons=["04-digit"]) == (
        "unknown lesson '04-digit' (did you mean '04-digits'?); there are: 01-pixels, 04-digits, 05-lists"
    )
    assert message(notebooks, lessons=["7"]).startswith("unknown lesson '7'; there are: 01-pixels")
    assert message(notebooks, profile="smok") == (
        "unknown profile 'smok' (did you mean 'smoke'?); there are: smoke, class, full"
    )
    assert profiles(notebooks) == ["smoke", "class", "full"]


def test_an_unknown_parameter_is_named_with_what_exists(notebooks):
    assert message(notebooks, "epoch=1") == (
        "unknown parameter 'epoch' (did you mean 'epochs'?); lesson 04-digits has: "
        "data_source, seed, epochs, learning_rate"
    )
    assert "the chosen lessons have: seed, data_source" in message(notebooks, "epoch=1", lessons=["1", "4"])


def test_a_parameter_goes_to_every_lesson_that_has_it(notebooks):
    assert values(notebooks, "epochs=3", "seed=7", lessons=["1", "4", "5"]) == {
        "01-pixels": {"seed": 7},
        "04-digits": {"epochs": 3, "seed": 7},
        "05-lists": {},
    }


def test_the_command_line_wins_over_the_profile(notebooks):
    assert values(notebooks, profile="smoke") == {"04-digits": {"epochs": 1}}
    assert values(notebooks, "epochs=5", profile="smoke") == {"04-digits": {"epochs": 5}}


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [("learning_rate=1", 1.0), ("learning_rate=1e-3", 0.001), ("data_source=real", "real"), ("seed=0", 0)],
)
def test_values_get_the_annotated_type(notebooks, assignment, expected):
    name = assignment.partition("=")[0]
    value = values(notebooks, assignment)["04-digits"][name]
    assert value == expected and type(value) is type(expected)


def test_lists_and_switches_are_read(notebooks):
    found = values(notebooks, "sizes=[3, 4]", "loud=true", "names={a: 1}", lessons=["5"])["05-lists"]
    assert found == {"sizes": [3, 4], "loud": True, "names": {"a": 1}}


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("epochs=ten", "epochs='ten' of lesson 04 must be int (a whole number)"),
        ("epochs=1.5", "must be int"),
        ("epochs=", "must be int"),
        ("learning_rate=fast", "must be float"),
        ("learning_rate=nan", "must be float"),
        ("loud=perhaps", "must be bool"),
        ("sizes=[1, a]", "must be list[int]"),
        ("sizes=3", "must be list[int]"),
        ("sizes=[1", "must be list[int]"),
        ("epochs=0", "epochs=0"),
        ("epochs=-2", "epochs=-2"),
        ("learning_rate=-1", "learning_rate=-1.0"),
        ("data_source=moon", "data_source='moon'"),
        ("epochs", "-p 'epochs' is not name=value"),
        ("=3", "is not name=value"),
        ("metrics_path=here.json", "--output"),
    ],
)
def test_a_wrong_value_stops_with_one_line(notebooks, assignment, said):
    assert said in message(notebooks, assignment, lessons=["4", "5"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch: 1\n", "profiles/smoke/04-digits.yaml: unknown parameter 'epoch' (did you mean 'epochs'?)"),
        ("epochs: many\n", "profiles/smoke/04-digits.yaml must be int"),
        ("epochs: true\n", "must be int"),
        ("epochs: 0\n", "epochs=0"),
        ("data_source: sample\n", "sets data_source"),
        ("metrics_path: x\n", "sets metrics_path"),
        ("- epochs\n", "holds list"),
        ("epochs: [\n", "is no YAML"),
    ],
)
def test_a_profile_file_is_checked_likewise(notebooks, text, said):
    write_profile(notebooks, "smoke", "04-digits", text)
    assert said in message(notebooks, profile="smoke")


def test_an_empty_profile_file_changes_nothing(notebooks):
    write_profile(notebooks, "smoke", "04-digits", "# nothing yet\n")
    assert values(notebooks, profile="smoke") == {"04-digits": {}}


def test_a_weights_file_is_found_from_where_the_user_stands(notebooks, tmp_path, monkeypatch):
    write_lesson(notebooks, "06-vgg", parameters='weights: str = "imagenet"  # weights\n')
    (tmp_path / "mine.h5").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    found = values(notebooks, "weights=mine.h5", lessons=["6"])["06-vgg"]["weights"]
    assert found == str(tmp_path / "mine.h5")
    assert "weights='other.h5' is neither" in message(notebooks, "weights=other.h5", lessons=["6"])
    assert values(notebooks, "weights=random", lessons=["6"]) == {"06-vgg": {"weights": "random"}}


def test_a_broken_notebook_is_named(notebooks):
    (notebooks / "02-broken.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(CourseError, match=r"02-broken\.ipynb is no readable notebook"):
        find_lessons(notebooks)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--profile", "smoke", "--lesson", "04", "-p", "epoch=1"],
            ["'epoch'", "epochs", "seed", "data_source"],
        ),
        (["--lesson", "99"], ["'99'", "04-mnist-digits-cnn"]),
        (["--profile", "quick"], ["'quick'", "smoke", "full"]),
        (["--data", "no-such-folder"], ["no-such-folder"]),
        (["--cell-seconds", "0"], ["--cell-seconds 0"]),
    ],
)
def test_the_command_ends_with_status_2_and_one_line(capsys, arguments, said):
    assert main(["run", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.out == ""
    for word in said:
        assert word in captured.err


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], [], ["run", "--lessen"], ["run", "--cell-seconds", "x"]]
)
def test_a_mistyped_command_is_one_line_too(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1 and "--help" in errors

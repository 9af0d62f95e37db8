"""Choosing lessons and checking parameters: every mistake ends in one line before a kernel starts."""

import pytest
from course_notebooks import write_lesson, write_profile

from course.cli import main
from course.lessons import choose_lessons, find_lessons, make_plans
from helpers import CourseError

OTHER = """seed: int = 0  # start
loud: bool = False  # loud or not
own: str = ""  # a file of your own
metrics_path: str = ""  # where
"""


@pytest.fixture
def notebooks(tmp_path):
    folder = tmp_path / "notebooks"
    write_lesson(folder, "01-pixels", parameters=OTHER, rules={"loud": (False, True), "own": "a file"})
    write_lesson(folder, "04-digits")
    write_profile(folder, "smoke", "04-digits", "epochs: 1\n")
    return folder


def values(notebooks, *assignments, lessons=("04",), profile="class"):
    chosen = choose_lessons(find_lessons(notebooks), lessons)
    return make_plans(chosen, profile=profile, assignments=assignments, notebooks=notebooks)


def message(notebooks, *assignments, **more):
    with pytest.raises(CourseError) as caught:
        values(notebooks, *assignments, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["4"], ["4"]),
        (["04-digits"], ["4"]),
        (["notebooks/04-digits.ipynb"], ["4"]),
        (["01a"], ["1a"]),
        (["04", "1", "01"], ["1", "4"]),
        ([], ["1", "4"]),  # deeper notebooks run only when they are named or all are
    ],
)
def test_lessons_are_chosen_by_number_or_name_and_run_in_their_order_once(notebooks, names, chosen):
    write_lesson(notebooks, "01a-colours", "x = 1")
    lessons = find_lessons(notebooks)
    assert [lesson.number for lesson in choose_lessons(lessons, names)] == chosen
    assert [lesson.number for lesson in choose_lessons(lessons, [], deeper=True)] == ["1", "1a", "4"]


@pytest.mark.fault
def test_an_unknown_lesson_profile_or_parameter_lists_what_exists(notebooks):
    assert message(notebooks, lessons=["04-digit"]) == (
        "unknown lesson '04-digit' (did you mean '04-digits'?); there are: 01-pixels, 04-digits"
    )
    assert message(notebooks, lessons=["7"]).startswith("unknown lesson '7'; there are: 01-pixels")
    assert message(notebooks, profile="smok") == (
        "unknown profile 'smok' (did you mean 'smoke'?); there are: smoke, class, full"
    )
    assert message(notebooks, "epoch=1") == (
        "unknown parameter 'epoch' (did you mean 'epochs'?); lesson 04-digits has: "
        "data_source, seed, epochs, learning_rate"
    )
    assert "the chosen lessons have: seed, loud" in message(notebooks, "epoch=1", lessons=["1", "4"])


def test_a_parameter_goes_to_every_lesson_that_has_it_and_wins_over_the_profile(notebooks):
    assert values(notebooks, "epochs=3", "seed=7", "loud=true", lessons=["1", "4"], profile="smoke") == {
        "01-pixels": {"seed": 7, "loud": True},
        "04-digits": {"epochs": 3, "seed": 7},
    }
    assert values(notebooks, profile="smoke") == {"04-digits": {"epochs": 1}}
    write_profile(notebooks, "smoke", "04-digits", "# nothing yet\n")
    assert values(notebooks, profile="smoke") == {"04-digits": {}}


def test_values_get_the_annotated_type(notebooks):
    found = values(notebooks, "learning_rate=1", "data_source=real", "seed=0x10")["04-digits"]
    assert found == {"learning_rate": 1.0, "data_source": "real", "seed": 16}
    assert [type(value) for value in found.values()] == [float, str, int]


@pytest.mark.fault
@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("epochs=ten", "lesson 04-digits: parameter epochs='ten' must be int (a whole number)"),
        ("epochs=010", "must be int"),
        ("learning_rate=fast", "must be float"),
        ("learning_rate=nan", "must be float"),
        ("loud=perhaps", "must be bool"),
        ("epochs=0", "epochs=0 is not allowed: epochs must be a whole number from 1 to 1,000"),
        ("epochs", "-p 'epochs' is not name=value"),
        ("=3", "is not name=value"),
        ("metrics_path=here.json", "--output"),
    ],
)
def test_a_wrong_value_stops_with_one_line(notebooks, assignment, said):
    assert said in message(notebooks, assignment, lessons=["1", "4"])


@pytest.mark.fault
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"epoch: 1\n", "unknown parameter 'epoch' (did you mean 'epochs'?)"),
        (b"epochs: true\n", "must be int"),
        (b"epochs: 010\n", "epochs='010'"),
        (b"epochs: 1\nepochs: 2\n", "sets epochs twice"),
        (b"data_source: sample\n", "sets data_source"),
        (b"epochs: [1]\n", "must hold lines"),
        (b"epochs: [\n", "is not YAML"),
        (b"# caf\xe9\nepochs: 1\n", "is not YAML in UTF-8"),
        (b"epochs: !!python/name:os.system ''\n", "without tags"),
    ],
)
def test_a_profile_file_is_checked_likewise(notebooks, text, said):
    (notebooks / "profiles" / "smoke" / "04-digits.yaml").write_bytes(text)
    found = message(notebooks, profile="smoke")
    assert said in found and "profiles/smoke/04-digits.yaml" in found


def test_a_file_of_the_users_is_found_from_where_the_user_stands(notebooks, tmp_path, monkeypatch):
    (tmp_path / "mine.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert values(notebooks, "own=mine.png", lessons=["1"]) == {"01-pixels": {"own": "../mine.png"}}
    for text in ("none.png", "~no-such-user/x.png", "a/" * 3000, "word"):
        assert values(notebooks, f"own={text}", lessons=["1"]) == {"01-pixels": {"own": text}}


@pytest.mark.fault
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile", "smoke", "--lesson", "04", "-p", "epoch=1"], ["'epoch'", "epochs", "data_source"]),
        (["--lesson", "\x1b[31m"], ["unknown lesson"]),
        (["--cell-seconds", "0"], ["--cell-seconds 0"]),
    ],
)
def test_the_command_ends_with_status_2_and_one_line(capsys, arguments, said):
    assert main(["run", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.out == "" and "\x1b" not in captured.err
    assert all(word in captured.err for word in said)


@pytest.mark.fault
@pytest.mark.parametrize("arguments", [["frobnicate"], [], ["run", "--lessen"]])
def test_a_mistyped_command_is_one_line(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    errors = capsys.readouterr().err
    assert caught.value.code == 2 and errors.count("\n") == 1 and "--help" in errors

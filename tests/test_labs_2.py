"""Lab of lesson 3, the valley: its numbers are those of the lesson's cells; mouse, keyboard, challenge."""

import json

import numpy as np
import pytest
from lab_numbers import in_node

from helpers import COURSE_FOLDER

NEEDED = (
    "example", "softmax-def", "loss-def", "loss-at", "slopes-def", "nudge", "descend", "map", "rules", "race",
)  # fmt: skip


@pytest.fixture(scope="module")
def lesson():
    """Return the names of lesson 3 after the cells that its valley is made of."""
    space = {"np": np, "learning_rate": 5.0}
    notebook = COURSE_FOLDER / "notebooks" / "03-how-a-network-learns.ipynb"
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(notebook.read_text("utf-8"))["cells"]}
    for name in NEEDED:
        exec(cells[f"l3-{name}"].split("fig, axis")[0], space)
    return space


def test_the_valley_walks_as_the_lesson_does(lesson):
    settings = [(rate, momentum) for rate in (0.2, 5.0, 6.3, 9.1, 20.0) for momentum in (0, 0.9)]
    code = "answer = given.map((one) => [lab.walk(...one), lab.walk(...one).map(lab.lossAt)])"
    for (rate, momentum), (ours, losses) in zip(settings, in_node("valley", code, settings), strict=True):
        rule = lesson["momentum"] if momentum else lesson["plain"]
        path = lesson["descend_by"](rule, rate, 40, lesson["two_slopes"], lesson["for_x"])
        np.testing.assert_allclose(ours, path, rtol=0, atol=1e-9)
        np.testing.assert_allclose(losses, [lesson["loss_at"](place) for place in path], rtol=0, atol=1e-9)
    floor = in_node("valley", "answer = lab.findFloor(false)")
    np.testing.assert_allclose(floor, lesson["floor"], rtol=0, atol=1e-12)


def test_the_valleys_page_shows_the_lessons_numbers_at_the_start_and_after_a_step(lesson, open_page):
    page = open_page("valley", reduced_motion="reduce")
    page.get_by_label("both votes").check()
    for place in lesson["descend"](5.0, 2):
        shown = page.locator("#now").inner_text().replace("−", "-")
        line, cross = (f"{vote:.3f}" for vote in place)
        assert f"loss {lesson['loss_at'](place):.4f}, votes {line} and {cross}" in shown
        said = lesson["softmax"](lesson["PICTURES"] @ np.column_stack([place, lesson["VOTES"][:, 1]]))[:, 0]
        slopes = (said - [1, 1, 0, 0])[:, np.newaxis] * lesson["PICTURES"]
        wanted = [f"{one:.3f}" for one in np.column_stack([said, slopes]).ravel()]
        table = page.locator("#pulls").inner_text().replace("−", "-").split()
        assert [cell for row in range(4) for cell in table[row * 7 + 4 : row * 7 + 7]] == wanted
        page.get_by_role("button", name="One step").click()


def test_the_valleys_challenge_is_met_by_keyboard_alone(open_page):
    page = open_page("valley", reduced_motion="reduce")

    def press(*keys):
        for key in keys:
            page.keyboard.press(key)

    page.get_by_label("the cross's vote").focus()
    press("ArrowRight")
    for rate, momentum, said in (
        (9.2, 0, ""),
        (9, 0, "9 arrives, rate 9.2 does not"),
        (9.1, 0, "Found: 9 arrives, 9.1 climbs out"),
        (9, 10, "Both done"),
    ):
        page.locator("#rate").focus()
        press("ControlOrMeta+a", *str(rate), "Tab", "Tab", *["ArrowRight"] * momentum)
        page.get_by_role("button", name="Run 40 steps").focus()
        press("Enter")
        assert said in page.locator("#verdict").inner_text()
    assert page.locator(".challenge.met").count() == 1


def test_a_click_in_the_valley_starts_there_and_running_takes_forty_steps(open_page):
    page = open_page("valley")
    page.get_by_label("both votes").check()
    page.locator("#landscape").click(position={"x": 100, "y": 100})
    assert page.locator("#start-cross").input_value() != "1"
    page.get_by_role("button", name="Run 40 steps").click()
    page.get_by_text("Step 40:").first.wait_for()
    assert page.get_by_role("button", name="One step").is_disabled()

"""The labs: kilobytes in a stored notebook, and milliseconds from what a student does to the answer.

Run from the checkout: ``python tests/benchmarks/labs.py`` (needs playwright and a Chromium). With
``--pictures`` it takes the still pictures again. The bound: an answer within 50 ms of computing (mean of
40); beyond it the exit status is 1.
"""

import io
import json
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from helpers import figures

sys.path.insert(0, str(Path(__file__).parents[1]))
from lab_browser import NAMES, chromium

BOUND, TIMES = 50, 40
# what a student does again and again, and what was done before the still picture is taken
ACTIONS = {
    "sliding-window": 'document.querySelectorAll("#picture button")[40].click()',
    "layer-calculator": 'document.querySelector("#layers input").dispatchEvent(new Event("input"))',
}
BEFORE = {"sliding-window": 'for (let n = 0; n < 16; n++) document.getElementById("step").click()'}


def kilobytes(name: str) -> float:
    """Return how much a lab adds to a stored notebook."""
    shown = []
    figures.display = lambda data, **_: shown.append(data)
    figures.lab(name)
    return len(json.dumps(shown[0], ensure_ascii=False).encode()) / 1000


def milliseconds(page: Page, action: str) -> float:
    """Return the page's own computing time from an action to the finished layout (not the waiting)."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def ticks() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "TaskDuration")

    start = ticks()
    page.evaluate(
        f"() => {{ for (let n = 0; n < {TIMES}; n++) {{ {action}; document.body.offsetHeight; }} }}"
    )
    return 1000 * (ticks() - start) / TIMES


def take_picture(page: Page, name: str) -> None:
    """Photograph the lab's first section and store it with 32 colours."""
    page.evaluate(BEFORE.get(name, "0"))
    photo = Image.open(io.BytesIO(page.locator("section").first.screenshot())).convert("RGB")
    photo.quantize(32, dither=0).save(figures.LABS / f"{name}.png", optimize=True)


def main() -> int:
    """Measure, print and judge."""
    slowest = 0
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for name in NAMES:
            page = browser.new_page(viewport={"width": 1100, "height": 900})
            page.goto((figures.LABS / f"{name}.html").as_uri())
            page.wait_for_selector("html[data-ready]")
            if "--pictures" in sys.argv:
                take_picture(page, name)
            answer = milliseconds(page, ACTIONS[name]) if name in ACTIONS else float("nan")
            print(f"{name:17} {kilobytes(name):4.0f} kB in a notebook, an answer in {answer:.0f} ms")
            slowest = max(slowest, answer)
    return int(slowest > BOUND)


if __name__ == "__main__":
    sys.exit(main())

"""How long the labs take from what a student does to the answer: ``python tests/benchmarks/labs.py``

Needs playwright and a Chromium. The bound: an answer, laid out, within 50 ms (mean of 40); beyond it the exit
status is 1. With ``--pictures`` it takes the still pictures again, which stand where there is no JavaScript.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from lab_browser import LABS, NAMES, chromium

BOUND = 50
ACTIONS = {  # what a student does again and again
    "sliding-window": 'document.querySelectorAll("#picture button")[40].click()',
    "layer-calculator": 'document.querySelector("#layers input").dispatchEvent(new Event("input"))',
    "valley": 'document.querySelector("#rate").dispatchEvent(new Event("change"))',
}
TIMED = """() => { const start = performance.now();
  for (let n = 0; n < 40; n++) { ACTION; document.body.offsetHeight; }
  return (performance.now() - start) / 40; }"""
BEFORE_THE_PICTURE = {
    "sliding-window": 'for (let n = 0; n < 16; n++) document.getElementById("step").click()'
}


def milliseconds_to_read_a_digit(page: Page) -> float:
    """Tilt a digit step by step; the page itself notes how long each answer has taken."""
    page.get_by_role("button", name="Sample 4", exact=True).click()
    page.get_by_label("Tilt").focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    times = page.evaluate("performance.getEntriesByName('answer').map((entry) => entry.duration)")
    return sum(times) / len(times)


def main() -> int:
    """Measure, print and judge."""
    slowest = 0
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for name in NAMES:
            page = browser.new_page(viewport={"width": 1100, "height": 900})
            page.goto((LABS / f"{name}.html").as_uri())
            page.wait_for_selector("html[data-ready]")
            if "--pictures" in sys.argv:
                page.evaluate(BEFORE_THE_PICTURE.get(name, "0"))
                photo = Image.open(io.BytesIO(page.locator("section").first.screenshot())).convert("RGB")
                photo.quantize(32, dither=0).save(LABS / f"{name}.png", optimize=True)
            if name in ACTIONS:
                answer = page.evaluate(TIMED.replace("ACTION", ACTIONS[name]))
            else:
                answer = milliseconds_to_read_a_digit(page)
            print(f"{name:17} an answer in {answer:.1f} ms")
            slowest = max(slowest, answer)
    return int(slowest > BOUND)


if __name__ == "__main__":
    sys.exit(main())

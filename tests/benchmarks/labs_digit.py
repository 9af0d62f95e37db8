"""How long lab 3 takes to answer a drawing, in a browser: python tests/benchmarks/labs_digit.py

Each sample digit is chosen and tilted step by step. A time is from the drawing's pixels to the page with
all its bars and maps; the browser's own painting comes after it. Wanted: 50 ms.
"""

import shutil
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

PAGE = Path(__file__).parents[2] / "helpers" / "labs" / "draw-a-digit.html"
TIMES = "performance.getEntriesByName('answer').map((entry) => entry.duration)"


def main() -> None:
    """Print the least, the median and the 95th percentile of the times, in milliseconds."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        page = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"]).new_page()
        page.goto(PAGE.as_uri())
        page.wait_for_selector("html[data-ready]")
        for digit in range(10):
            page.get_by_role("button", name=f"Sample {digit}", exact=True).click()
            page.get_by_label("Tilt").focus()
            for _ in range(20):
                page.keyboard.press("ArrowRight")
        times = np.array(page.evaluate(TIMES))
    least, median, most = np.percentile(times, [0, 50, 95])
    print(f"{len(times)} answers: from {least:.1f} ms, median {median:.1f} ms, 95% within {most:.1f} ms")


if __name__ == "__main__":
    main()

"""A Chromium for the tests of the labs: the machine's own or playwright's; without one they are skipped."""

import shutil

import pytest

from helpers import COURSE_FOLDER

LABS = COURSE_FOLDER / "helpers" / "labs"  # not from helpers.figures, which takes seconds to import
NAMES = sorted(path.stem for path in LABS.glob("*.html"))


def chromium(playwright):
    """Return the machine's Chromium, or the one that `playwright install chromium` fetched."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture(scope="module")  # not longer: playwright's event loop would stand in the way of other tests'
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright and axe-playwright-python")
    with api.sync_playwright() as playwright:
        try:
            started = chromium(playwright)
        except api.Error as error:
            pytest.skip(f"no Chromium here ({str(error).splitlines()[0]})")
        yield started
        started.close()


@pytest.fixture
def open_page(browser):
    """Return a function that opens a lab by its name, or a file, as a page whose errors fail the test."""
    contexts, errors = [], []

    def opened(name, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        if name not in NAMES:  # not the course's own page: what it fetches is not our concern
            page.goto(name.as_uri(), wait_until="domcontentloaded")
            return page
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto((LABS / f"{name}.html").as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors

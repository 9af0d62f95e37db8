"""Look at every page of the built site in Chromium: python tests/benchmarks/site_audit.py [FOLDER [PAGE ...]]

At 390, 800 and 1,400 pixels, light and dark: errors of the console, requests to other hosts, pictures without
a text, text wider than the page, text over other text, pages over 2.5 MB (with their pictures; what all share
is loaded once), what axe-core finds (WCAG 2.1, levels A and AA; light on a wide page, dark on a narrow one);
and whether the search finds three words in the right lessons. Prints what is wrong; exit status 1 if
anything is.
"""

import contextlib
import functools
import http.server
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab_browser import chromium

WIDTHS, AXE_AT, HEAVY = (390, 800, 1400), {"light": 1400, "dark": 390}, 2_500_000
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
AXE = {"runOnly": LEVELS, "resultTypes": ["violations"], "preload": False}
SOUGHT = {"padding": ["02-"], "Wilson": ["04-", "05-", "06-"], "dropout": ["04-", "05-"]}
IN_PAGE = """() => ({
  wide: document.documentElement.scrollWidth - innerWidth,
  bare: [...document.images].filter((image) => !/\\w{2}/.test(image.alt) || /[0-9a-f]{32}/.test(image.alt))
    .map((image) => image.src.slice(0, 80)),
  bytes: performance.getEntries().filter((entry) => !entry.name.includes("/_static/"))
    .reduce((sum, entry) => sum + (entry.encodedBodySize || 0), 0),
  broken: [...document.images].filter((image) => image.complete && !image.naturalWidth)
    .map((image) => image.src.slice(0, 80)),
})"""
# Lines of text of which one covers more than half of the other's height. Each line is cut to what its boxes
# show of it; what floats above the page by design, what is hidden and formulas are left out.
COVERED = """() => {
  const shown = new Map(), lines = [], found = [];
  const room = (element) => {  // where the element's text can be seen; null where it cannot
    if (!element || element === document.documentElement) return [-1e9, -1e9, 1e9, 1e9];
    if (shown.has(element)) return shown.get(element);
    let box = room(element.parentElement);
    const style = getComputedStyle(element);
    if (style.position === "fixed" || style.opacity === "0" || style.clip !== "auto"
        || element.matches("mjx-container, .math, dialog, .visually-hidden")) box = null;
    if (box && style.overflow !== "visible") {
      const edge = element.getBoundingClientRect();
      box = [Math.max(box[0], edge.left), Math.max(box[1], edge.top),
        Math.min(box[2], edge.right), Math.min(box[3], edge.bottom)];
    }
    shown.set(element, box);
    return box;
  };
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let text; (text = walker.nextNode());) {
    const parent = text.parentElement, seen = parent.checkVisibility({ visibilityProperty: true });
    const box = seen && !parent.matches("details:not([open])") && text.data.trim() && room(parent);
    if (!box) continue;
    range.selectNodeContents(text);
    for (const line of range.getClientRects()) {
      const cut = [Math.max(box[0], line.left), Math.max(box[1], line.top),
        Math.min(box[2], line.right), Math.min(box[3], line.bottom)];
      if (cut[2] - cut[0] > 2 && cut[3] - cut[1] > 2) lines.push([...cut, text.data.trim().slice(0, 40)]);
    }
  }
  lines.sort((one, other) => one[1] - other[1]);
  lines.forEach((one, at) => {
    for (let next = at + 1; next < lines.length && lines[next][1] < one[3]; next++) {
      const other = lines[next], high = Math.min(one[3], other[3]) - other[1];
      const wide = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
      if (wide > 3 && high > 0.5 * Math.min(one[3] - one[1], other[3] - other[1]))
        found.push(`"${one[4]}" and "${other[4]}"`);
    }
  });
  return [...new Set(found)];
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def served(folder):
    """Serve a folder on this machine; give the address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def faults_of(browser, address, name, schemes=tuple(AXE_AT), widths=WIDTHS):
    """Return what is wrong with one page, as (what, where, how)."""
    from axe_playwright_python.sync_playwright import Axe

    found = []

    def said(message):
        if message.type == "error":
            found.append(("console", name, message.text))

    def asked(request):
        if not request.url.startswith((address, "data:", "about:", "blob:")):
            found.append(("request", name, request.url))

    def failed(error):
        found.append(("error", name, str(error)))

    for scheme in schemes:
        page = browser.new_page(color_scheme=scheme)
        page.on("console", said)
        page.on("pageerror", failed)
        page.on("request", asked)
        # the labs name no icon, and where a host keeps one is the host's affair
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto(address + name, wait_until="load")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            seen = page.evaluate(IN_PAGE)
            where = f"{name} at {width}, {scheme}"
            found += [("too wide", where, f"{seen['wide']} pixels")] * (seen["wide"] > 1)
            found += [("heavy", where, f"{seen['bytes']:,} bytes")] * (seen["bytes"] > HEAVY)
            found += [(what, where, image) for what in ("bare", "broken") for image in seen[what]]
            found += [("text over text", where, pair) for pair in page.evaluate(COVERED)]
            if width == AXE_AT[scheme]:
                page.wait_for_timeout(600)  # the theme looks a moment later which boxes scroll now
                for rule in Axe().run(page, options=AXE).response["violations"]:
                    found += [(rule["id"], where, node["html"][:160]) for node in rule["nodes"]]
        page.close()
    return found


def searched(browser, address):
    """Return the words that the search does not find in the right lesson."""
    page, lost = browser.new_page(), []
    for word, lessons in SOUGHT.items():
        page.goto(f"{address}search.html?q={word}")
        for lesson in lessons:
            try:
                page.wait_for_selector(f"#search-results li a[href*='notebooks/{lesson}']", timeout=20_000)
            except Exception:
                lost.append(("search", word, f"not found in {lesson}"))
    page.close()
    return lost


def main(folder="build/site", *names):
    """Audit the named pages, or all, and return the exit status."""
    from playwright.sync_api import sync_playwright

    folder = Path(folder)
    names = names or sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    # the theme's own parts, and the page that leads on to the front page at once
    names = [name for name in names if not name.startswith("_") and name != "index.html"]
    found = []
    with served(folder) as address, sync_playwright() as playwright:
        browser = chromium(playwright)
        for name in names:
            found += (new := faults_of(browser, address, name))
            print(f"{name}: {len(new)} faults", *(" | ".join(fault) for fault in new), sep="\n  ", flush=True)
        found += (lost := searched(browser, address) if len(names) > 1 else [])
        print(*lost, sep="\n")
        browser.close()
    print(f"{len(names)} pages, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

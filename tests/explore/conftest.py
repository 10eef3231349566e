"""Live figures in bare pages: a browser, a page made around one figure's module, its read-outs.

Chromium comes from the environment variable CHROMIUM or from the path. Without one these tests
fail, unless ROILEARN_NO_BROWSER=1 leaves them out; a CI run may not leave them out.
"""

import functools
import json
import math
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import active_children

import pytest
from playwright.sync_api import sync_playwright

PATIENCE = 300_000  # ms for a page to come to what it must: a busy machine is no error
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# Everything that Jupyter or the book's page script would give a figure: a model and a place.
PAGE = """<!doctype html>
<html lang="en" __HTML__>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>One live figure</title>
<link rel="icon" href="data:,">
<style>body { margin: 16px } main { max-width: 740px }</style>
<body __BODY__>
<main></main>
<script type="application/json">__FIGURES__</script>
<script>
function makeModel(state) {
  const handlers = {};
  return {
    state,
    handlers,
    saved: 0,
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      (handlers[`change:${name}`] ?? []).forEach((handler) => handler());
    },
    on(name, handler) { (handlers[name] ??= []).push(handler); },
    off(name, handler) { handlers[name] = handlers[name]?.filter((one) => one !== handler) ?? []; },
    save_changes() { this.saved += 1; },
  };
}
async function start({ esm, css, state }) {
  document.head.appendChild(document.createElement("style")).textContent = css;
  const el = document.querySelector("main").appendChild(document.createElement("div"));
  const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  const model = makeModel(state);
  const cleanup = module.default.render({ model, el });
  return { module, model, el, cleanup };
}
const sources = JSON.parse(document.querySelector("script[type='application/json']").textContent);
window.ready = Promise.all(sources.map(start)).then((started) => { window.figures = started; });
</script>
</html>
"""

SET_STATE = """async ([n, changes]) => {
  const { model, module, el } = figures[n];
  Object.entries(changes).forEach(([name, value]) => model.set(name, value));
  await new Promise((done) => setTimeout(done));
  return JSON.stringify(module.compute(model.state));
}"""

READ_OUTS = """(n) => [...figures[n].el.querySelectorAll("[data-readout]")]
  .map((place) => [place.dataset.readout, place.textContent])"""


def may_leave_browser_out():
    return os.environ.get("ROILEARN_NO_BROWSER") == "1" and not os.environ.get("CI")


def pytest_collection_modifyitems(config, items):
    if not may_leave_browser_out():
        return
    left_out = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def browser():
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        pytest.fail(
            "no Chromium found: install it (Debian: apt-get install chromium), or set CHROMIUM to "
            "its path, or ROILEARN_NO_BROWSER=1 to leave these tests out",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        started = playwright.chromium.launch(executable_path=program, args=flags, timeout=PATIENCE)
        yield started
        started.close()
        for (
            child
        ) in active_children():  # it would hold the pipe whose end the browser's driver awaits
            child.kill()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing of each request."""


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Return a folder and its address over http."""
    folder = tmp_path_factory.mktemp("figures")
    handler = functools.partial(QuietHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class FigurePage:
    """A page with figures started in it, and what its console said."""

    def __init__(self, page, errors):
        self.page = page
        self.errors = errors

    def compute(self, changes=None, n=0):
        """Change the model, let the figure draw, return what the module computes."""
        return json.loads(self.page.evaluate(SET_STATE, [n, changes or {}]))

    def state(self, n=0):
        return self.page.evaluate("(n) => figures[n].model.state", n)

    def read_outs(self, n=0):
        return [tuple(pair) for pair in self.page.evaluate(READ_OUTS, n)]

    def handle(self, n=0):
        return self.page.locator(".roi-figure").nth(n).locator("[role=slider][tabindex='0']")

    def width_of(self, selector="svg", n=0):
        figure = self.page.locator(".roi-figure").nth(n)
        return figure.locator(selector).first.bounding_box()["width"]


def page_text(widgets, html="", body="", change=None):
    """Text of a page around the widgets; ``change`` may alter a module's text."""
    change = change or (lambda text: text)
    figures = [{"esm": change(w._esm), "css": w._css, "state": w.state()} for w in widgets]
    texts = json.dumps(figures).replace("</", "<\\/")
    page = PAGE.replace("__HTML__", html).replace("__BODY__", body)
    return page.replace("__FIGURES__", texts)


@pytest.fixture
def open_figure(browser, served):
    """Open widgets in a page of their own; the page must have said nothing at the end."""
    folder, address = served
    opened = []

    def open_page(*widgets, over="http", html="", body="", change=None, **options):
        name = f"figure{len(list(folder.iterdir()))}.html"
        (folder / name).write_text(page_text(widgets, html, body, change), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 800, "height": 1000}, **options})
        context.set_default_timeout(PATIENCE)
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text))
        page.goto(f"{address}/{name}" if over == "http" else (folder / name).as_uri())
        page.evaluate("ready")
        opened.append((context, FigurePage(page, errors)))
        return opened[-1][1]

    yield open_page
    for context, figure in opened:
        context.close()
        assert figure.errors == []


def close_to(found, wanted, path="numbers"):
    """Every place where two JSON values differ by more than rounding in float64."""
    if isinstance(wanted, dict) and isinstance(found, dict) and set(found) == set(wanted):
        places = [(f"{path}.{key}", found[key], wanted[key]) for key in wanted]
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        places = [(f"{path}.{i}", *pair) for i, pair in enumerate(zip(found, wanted, strict=True))]
    elif is_number(wanted) and is_number(found):
        same = math.isclose(found, wanted, rel_tol=1e-12, abs_tol=1e-12)
        return [] if same else [f"{path}: {found} instead of {wanted}"]
    else:
        return [] if found == wanted else [f"{path}: {found!r} instead of {wanted!r}"]
    return [difference for place in places for difference in close_to(*place[1:], place[0])]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def misread(read_outs, numbers):
    """Read-outs of the page that do not show the number that their path names."""
    wrong = []
    for path, text in read_outs:
        value = numbers
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        if not shows(text, value):
            wrong.append(f"{path}: shows {text!r} for {value!r}")
    return wrong


def shows(text, value):
    if not is_number(value):
        return text == ("none" if value is None else str(value))
    number = float(text.replace("\N{MINUS SIGN}", "-"))
    digits = len(text.partition(".")[2])
    return abs(number - value) <= 0.5 * 10**-digits + 1e-9


@pytest.fixture
def differences():
    return close_to


@pytest.fixture
def wrong_read_outs():
    return misread

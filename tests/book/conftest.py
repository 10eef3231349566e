"""The built book, a server for it and a browser to open it in.

Chromium comes from the environment variable CHROMIUM or from the path. Without one these tests
fail, unless ROILEARN_NO_BROWSER=1 leaves them out; a CI run may not leave them out.
"""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from multiprocessing import active_children
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 300_000  # ms for a page to come to what it must: a busy machine is no error
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SOURCES = ("_config.yml", "_toc.yml", "book/**/*", "notebooks/*.ipynb", "src/roilearn/**/*.*")
SOURCES += ("benchmarks/results/*.csv",)


def may_leave_browser_out():
    return os.environ.get("ROILEARN_NO_BROWSER") == "1" and not os.environ.get("CI")


def pytest_collection_modifyitems(config, items):
    if not may_leave_browser_out():
        return
    left_out = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def documents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    pages = [page["file"] for c in chapters for page in (c, *c.get("sections", []))]
    return [toc["root"], *pages]


PAGES = [f"{document}.html" for document in documents()]
GENERATED = ["search.html", "genindex.html"]


def pytest_generate_tests(metafunc):
    """Run a test that asks for `name` on every page, `any_name` on the generated ones as well."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", PAGES)
    if "any_name" in metafunc.fixturenames:
        metafunc.parametrize("any_name", PAGES + GENERATED)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    return PAGES


@pytest.fixture(scope="session")
def config():
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def build(source, output, environment=None):
    """Build a book with warnings as errors; return the finished process."""
    program = Path(sys.executable).with_name("jupyter-book")
    flags = ["--warningiserror", "--nitpick", "--keep-going", "--path-output", str(output)]
    command = [program, "build", *flags, str(source)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def newest_source():
    paths = (path for pattern in SOURCES for path in ROOT.glob(pattern))
    return max(
        path.stat().st_mtime for path in paths if path.is_file() and "__pycache__" not in path.parts
    )


@pytest.fixture(scope="session")
def build_book():
    return build


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the built pages: that of `make html` where it is newer than every source."""
    made = ROOT / "_build" / "html"
    written = [path.stat().st_mtime for path in made.glob("*.*")]
    if written and max(written) > newest_source():
        return made
    output = tmp_path_factory.mktemp("book")
    done = build(ROOT, output)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return output / "_build" / "html"


@pytest.fixture(scope="session")
def serve_module():
    spec = importlib.util.spec_from_file_location("serve", ROOT / "book" / "serve.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def address(site, serve_module):
    """Address of a local server over the built pages."""
    handler = functools.partial(serve_module.Handler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.fail(
            "No Chromium found. Install it (Debian: apt-get install chromium), name it in CHROMIUM,"
            " or set ROILEARN_NO_BROWSER=1 to leave these tests out."
        )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=PATIENCE
        )
        yield started
        started.close()
        for (
            child
        ) in active_children():  # it would hold the pipe whose end the browser's driver awaits
            child.kill()


class Visit:
    """One page in a browser that reaches nothing but the local server, and what happened there."""

    def __init__(self, browser, base, **options):
        self.base = base
        self.refused, self.errors, self.missing = [], [], []
        options = {"viewport": {"width": 1280, "height": 900}} | options
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE)
        self.context.route("**/*", self.answer)
        self.page = self.context.new_page()
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self.note_missing)

    def answer(self, route):
        """Let local requests through; refuse and note all others."""
        url = route.request.url
        if url.startswith((self.base, "file:", "blob:", "data:")):
            route.continue_()
        else:
            self.refused.append(url)
            route.abort()

    def hear(self, message):
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def note_missing(self, response):
        if response.status >= 400:
            self.missing.append(response.url)

    def open(self, name):
        """Open a page and wait for its mathematics and its live figures."""
        self.page.goto(self.base + name)
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.live-figure')].every(f => f.dataset.live)"
        )
        if self.page.locator(".math").count():
            self.page.wait_for_function("() => window.MathJax?.startup?.promise")
            self.page.evaluate("() => MathJax.startup.promise.then(() => true)")
        return self.page


@pytest.fixture
def visit(browser, address):
    """Open a page for this test alone: `visit("book/index.html", color_scheme="dark")`."""
    visits = []

    def start(name, base=address, **options):
        visits.append(Visit(browser, base, **options))
        visits[-1].open(name)
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()


@pytest.fixture(scope="session")
def seen(browser, address):
    """Pages opened once for tests that only look: `seen("book/index.html")`."""

    @functools.cache
    def start(name):
        one = Visit(browser, address)
        one.open(name)
        return one

    return start

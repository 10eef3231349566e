"""What a reader's browser loads for a page: compressed bytes, and nothing that no page needs."""

import gzip
from urllib.parse import unquote, urlsplit

import pytest
from fontTools.ttLib import TTFont

KILOBYTES = 1000
LANDING_LIMIT, PAGE_LIMIT = 700 * KILOBYTES, 1200 * KILOBYTES
COMPRESSED = {".png", ".woff", ".woff2"}
LOADED = """() => [
  location.href,
  ...performance.getEntriesByType('resource').map(entry => entry.name),
  ...[...document.images].map(image => image.src),
]"""


def compressed_size(path):
    content = path.read_bytes()
    return len(content) if path.suffix in COMPRESSED else len(gzip.compress(content, 6))


def loaded_files(site, page):
    """Files of the site that a page has loaded, or will once its pictures come into view."""
    urls = [url for url in page.evaluate(LOADED) if url.startswith("http")]
    return {site / unquote(urlsplit(url).path.removeprefix("/")) for url in urls}


def test_a_page_is_light(name, visit, site):
    files = loaded_files(site, visit(name).page)  # a fresh page: what audits load does not count
    sizes = {path.name: compressed_size(path) for path in files}
    assert len(sizes) > 10
    limit = LANDING_LIMIT if name == "book/index.html" else PAGE_LIMIT
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:8]
    assert sum(sizes.values()) < limit, (sum(sizes.values()), heaviest)


def test_mathjax_is_loaded_where_there_is_mathematics_and_nowhere_else(name, seen):
    page = seen(name).page
    scripts = page.evaluate("() => [...document.scripts].map(script => script.src)")
    loads = any("mathjax" in script for script in scripts)
    assert loads == (page.locator(".math").count() > 0)


def test_no_source_map_is_in_the_site_and_none_is_asked_for(site):
    assert not list(site.rglob("*.map"))
    for path in [*site.rglob("_static/**/*.js"), *site.rglob("_static/**/*.css")]:
        assert b"sourceMappingURL=" not in path.read_bytes()[-300:], path.name


@pytest.fixture(scope="module")
def icons_in_fonts(site):
    folder = site / "_static" / "vendor" / "fontawesome" / "webfonts"
    fonts = list(folder.glob("*.woff2"))
    assert fonts
    return {code for path in fonts for code in TTFont(path).getBestCmap()}


def test_every_icon_of_a_page_is_in_the_shortened_fonts(name, seen, icons_in_fonts):
    icons = seen(name).page.evaluate(
        """() => [...document.querySelectorAll('[class*="fa-"]')].map(
          icon => [icon.className, getComputedStyle(icon, '::before').content])"""
    )
    assert icons
    for icon, content in icons:
        assert ord(content.strip('"')) in icons_in_fonts, icon

"""The built files themselves: what they count, weigh, name and point to. No browser needed."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
import yaml

from roilearn import palette, reference

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
PAGE_LIMIT = 2_000_000  # bytes of one page; live figures bring their modules along
THEME_LIMIT, CHAPTER_LIMIT = 12_000_000, 1_500_000


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def text(name, site):
    return (site / name).read_text(encoding="utf-8")


@pytest.fixture
def elements(text):
    return Elements(text).found


@pytest.fixture
def repository(config):
    return config["repository"]["url"]


def stored_outputs(root, name):
    path = (root / name).with_suffix(".ipynb")
    if not path.is_file():
        return []
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [out for cell in cells for out in cell.get("outputs", []) if "data" in out]


def test_every_document_of_the_contents_is_a_page_and_there_is_no_other(site, pages):
    made = {path.relative_to(site) for path in site.rglob("*.html")}
    made = {str(path) for path in made if path.parts[0] in {"book", "notebooks"}}
    assert made == set(pages)
    assert len(pages) >= 5


def test_every_notebook_is_in_the_contents(root, pages):
    notebooks = {f"notebooks/{path.stem}.html" for path in (root / "notebooks").glob("*.ipynb")}
    assert notebooks == {page for page in pages if page.startswith("notebooks/")}


def test_every_stored_figure_is_on_its_page(name, root, elements):
    outputs = stored_outputs(root, name)
    pictures = [out for out in outputs if "image/png" in out["data"]]
    images = [a for tag, a in elements if tag == "img" and "_images/" in a["src"]]
    assert len(images) >= len(pictures)
    live = [out for out in outputs if "application/vnd.jupyter.widget-view+json" in out["data"]]
    views = [a for tag, a in elements if tag == "script" and "widget-view" in a.get("type", "")]
    assert len(views) == len(live)


def test_sizes_are_those_of_a_whole_book_and_no_larger(site, pages):
    sizes = {page: (site / page).stat().st_size for page in pages}
    assert min(sizes.values()) > 10_000, sizes
    assert max(sizes.values()) < PAGE_LIMIT, sizes
    chapters = sum(page.startswith("notebooks/") for page in pages)
    whole = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert whole < THEME_LIMIT + chapters * CHAPTER_LIMIT


def test_page_loads_nothing_from_elsewhere(elements):
    for tag, attributes in elements:
        if tag in LOADED and attributes.get("rel") not in {"canonical", "next", "prev", "index"}:
            address = attributes.get(LOADED[tag]) or ""
            assert not urlsplit(address).netloc, (tag, address)


def test_styles_load_nothing_from_elsewhere(site):
    for path in site.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        outside = re.findall(r"(?:url\(|@import\s+)['\"]?(?:https?:)?//[^'\")]+", style)
        assert outside == [], path.name


def test_thebe_is_nowhere(text, site):
    assert "thebe" not in text.lower()
    assert not list(site.rglob("*thebe*.js"))


def test_the_site_carries_its_mathematics_with_its_licence(site):
    folder = site / "_static" / "mathjax"
    assert (folder / "tex-mml-chtml.js").stat().st_size > 1_000_000
    assert len(list(folder.glob("output/chtml/fonts/woff-v2/*.woff"))) == 23
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")


def test_every_image_says_what_is_to_be_seen(elements):
    for tag, attributes in elements:
        if tag == "img" and "_images/" in attributes["src"]:
            alt = attributes.get("alt") or ""
            assert len(alt.split()) > 3, attributes["src"]
        elif tag == "img":
            assert attributes.get("alt"), attributes
        elif tag == "svg":
            named = attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
            assert named or "sd-octicon" in attributes.get("class", ""), attributes


def test_buttons_point_to_the_configured_repository(name, root, elements, repository, config):
    links = [attributes.get("href") or "" for tag, attributes in elements if tag == "a"]
    source = next(p for p in (root / name).parent.glob("*.*") if p.stem == (root / name).stem)
    branch, path = config["repository"]["branch"], source.relative_to(root)
    assert f"{repository}/edit/{branch}/{path}" in links
    assert repository in links
    reports = [link for link in links if link.startswith(f"{repository}/issues/new?")]
    assert len(reports) == 1
    assert "expected" in reports[0]


def test_notebooks_can_be_launched_where_the_configuration_says(name, elements, repository):
    links = [attributes.get("href") or "" for tag, attributes in elements if tag == "a"]
    owner = urlsplit(repository).path.strip("/")
    launches = [link for link in links if "colab." in link or "mybinder." in link]
    if not name.startswith("notebooks/"):
        assert launches == []
        return
    notebook = name.replace(".html", ".ipynb")
    assert len(launches) == 2
    assert all(f"/{owner}/" in link and link.endswith(notebook) for link in launches)


def test_no_mark_is_left_in_the_text(text):
    assert "@repository@" not in text
    prose = re.sub(r"<(script|pre)\b.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"\{\{|\{(ref|doc|cite|term|numref)\}`", prose)


def test_the_table_of_colours_is_the_palette(site):
    page = (site / "book/coordinates.html").read_text(encoding="utf-8")
    table = page[page.index('class="table colours"') :]
    table = table[: table.index("</table>")]
    shown = re.findall(r'fill="(#\w+)"', table)
    assert set(shown) == {*palette.COLOURS.values(), palette.BOX_ON_DARK}
    assert re.findall(r"<td><code>(\w+)</code></td>", table) == list(palette.COLOURS)


def test_the_worked_point_of_the_coordinates_page_is_what_the_reference_reads(root):
    page = (root / "book/coordinates.md").read_text(encoding="utf-8")
    right = reference.bilinear_weights(0, 20 / 16 - 0.5, 1, 3)
    wrong = reference.bilinear_weights(0, 20 / 16, 1, 3)
    shares = [{column: w for _, column, w in each if w} for each in (right, wrong)]
    assert shares == [{0: 0.25, 1: 0.75}, {1: 0.75, 2: 0.25}]
    assert "columns 0 and 1, with weights 0.25 and 0.75" in page.replace("\n", " ")
    assert "columns 1 and 2, with weights 0.75 and 0.25" in page.replace("\n", " ")


def test_glossary_has_two_languages_and_a_definition_for_each_term(root, site):
    page = (root / "book/glossary.md").read_text(encoding="utf-8")
    entries = page.split("```{glossary}\n")[1].split("```")[0].strip().split("\n\n")
    assert len(entries) >= 35
    names = []
    for entry in entries:
        english, chinese, *definition = entry.splitlines()
        assert re.search(r"[一-鿿]", chinese), english
        assert len(" ".join(definition).split()) >= 5, english
        names.append(english.lower())
    assert names == sorted(names)
    built = (site / "book/glossary.html").read_text(encoding="utf-8")
    assert built.count('lang="zh-Hans"') == len(entries)


def test_every_source_of_the_bibliography_can_be_found(root, site):
    entries = (root / "book/references.bib").read_text(encoding="utf-8").split("\n@")[1:]
    page = (site / "book/bibliography.html").read_text(encoding="utf-8")
    for entry in entries:
        assert "year = {" in entry
        assert re.search(r"(eprint|doi|url|pages|publisher) = \{", entry), entry[:60]
    assert len(re.findall('class="citation"', page)) == len(entries)
    assert len(entries) >= 20


def test_the_landing_page_names_every_chapter_that_exists(root, site):
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    page = (site / "book/index.html").read_text(encoding="utf-8")
    for chapter in (c for c in chapters if c.startswith("notebooks/")):
        assert f'href="../{chapter}.html"' in page

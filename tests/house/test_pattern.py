"""What makes a chapter readable: its story's length, captions, folded drawing code, symbols, map.

All but the map is asked of the chapters in `tests/pattern.py`.
"""

import importlib
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from pattern import IN_PATTERN

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STORY = range(1200, 2201)  # words
CELLS = range(15, 46)
VIEW = "application/vnd.jupyter.widget-view+json"
CAPTION = re.compile(r"\*\*Figure (\d+[a-z]?)\.(\d+)\.\*\* \*[^*]+\*")
MEANINGS = {
    "s": "spatial_scale",
    "r": "sampling_ratio",
    "P": "output_size",
    "P_h": "output_size",
    "b": "size of a bin",
    "f": "read",
}
"""A letter, and a word that stands in its row of every table of symbols."""


@pytest.fixture(params=IN_PATTERN)
def chapter(request):
    path = ROOT / f"{request.param}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.fixture(scope="session")
def detector_map():
    folder = ROOT / "book" / "_ext"
    sys.path.insert(0, str(folder))
    yield importlib.import_module("roilearn_book.detector_map")
    sys.path.remove(str(folder))


def source(cell):
    return "".join(cell["source"])


def prose(cells):
    return "\n\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")


def has_picture(cell):
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return any("image/png" in one or VIEW in one for one in data)


def sections(text):
    """Heading and text of every section outside the asides, and of none inside one."""
    parts = re.split(r"^(#+ .*)$", text, flags=re.MULTILINE)
    aside = 0  # level of the aside's heading; an aside ends at the next one of its level or above
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        level = len(heading) - len(heading.lstrip("#"))
        if aside and level > aside:
            continue
        aside = level if is_aside(heading) else 0
        if not aside:
            yield heading, body


def is_aside(heading):
    return bool(re.match(r"#+ (In depth:|Exercises|Sources)", heading))


def story(text):
    """What a first reader reads: no aside, code, table, formula or map."""
    text = re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    body = "\n".join(f"{heading}\n{body}" for heading, body in sections(text))
    body = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|!\[[^\]]*\]\([^)]*\)", "", body, flags=re.DOTALL)
    body = re.sub(r"^\|.*$", "", body, flags=re.MULTILINE)
    return re.findall(r"[A-Za-z][\w.'/-]*", body)


def symbol_rows(text):
    """First cell and the rest of every row of the tables headed Symbol."""
    for table in re.findall(r"^\| Symbol.*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL):
        for row in table.splitlines()[2:]:
            symbols, _, rest = row.strip("| ").partition(" | ")
            yield re.findall(r"\$([^$]+)\$", symbols), rest


def test_the_story_can_be_read_in_one_sitting(chapter):
    assert len(story(prose(chapter))) in STORY
    assert sum(cell["cell_type"] == "code" for cell in chapter) in CELLS


def test_what_is_left_of_a_text_without_its_asides():
    text = "# A\n\none two\n\n## In depth: b\n\nno\n\n### c\n\nno\n\n## D\n\n$$x$$\n\nthree"
    assert story(text) == ["A", "one", "two", "D", "three"]


def test_every_figure_has_a_caption_and_the_numbers_run(chapter, request):
    name = Path(request.node.callspec.params["chapter"]).name
    number = name.partition("_")[0].lstrip("0")
    after = [source(following) for cell, following in pairwise(chapter) if has_picture(cell)]
    captions = [CAPTION.match(text) for text in after]
    assert all(captions), [text[:60] for text, one in zip(after, captions, strict=True) if not one]
    expected = [(number, str(count)) for count in range(1, len(captions) + 1)]
    assert [one.groups() for one in captions] == expected
    assert len(CAPTION.findall(prose(chapter))) == len(captions)


def test_cells_that_draw_do_nothing_else_and_are_folded(chapter):
    for cell in filter(has_picture, chapter):
        assert {"hide-input", "remove-input"} & set(cell["metadata"].get("tags", [])), source(cell)
        assert not any(output.get("name") == "stdout" for output in cell["outputs"]), source(cell)


def test_a_symbol_has_one_meaning(chapter):
    pages = prose(chapter), (ROOT / "book" / "coordinates.md").read_text(encoding="utf-8")
    for symbols, meaning in (row for page in pages for row in symbol_rows(page)):
        assert "n" not in symbols
        for symbol in symbols:
            assert MEANINGS.get(symbol, "") in meaning, (symbol, meaning)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_map_of_the_detector_stands_at_the_head_of_every_chapter(path, detector_map):
    head = source(json.loads(path.read_text(encoding="utf-8"))["cells"][0])
    alt, stage = re.search(
        rf"^!\[([^\]]+)\]\(\.\./book/images/{detector_map.NAME}_(\w+)\.svg\)$", head, re.MULTILINE
    ).groups()
    assert alt == detector_map.alt_text(stage)


def test_the_landing_page_shows_the_map(detector_map):
    landing = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert f"![{detector_map.alt_text('roi_operator')}](images/{detector_map.NAME}" in landing


def test_the_files_of_the_map_are_what_is_drawn_now(detector_map):
    for stage in (None, *detector_map.STAGES):
        path = ROOT / "book" / "images" / detector_map.file_name(stage)
        said = "stale: python book/tools/draw_detector_map.py"
        assert path.read_text(encoding="utf-8") == detector_map.as_file(stage), said

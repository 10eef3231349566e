"""The README: its commands and examples work, and its picture is up to date."""

import doctest
import re

import numpy as np
import pytest
from PIL import Image

from roilearn.explore import PoolAndAlign


@pytest.fixture
def readme(texts):
    return texts["README.md"]


def commands(text, language):
    """Lines of every fenced block of a language."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_its_example_gives_what_it_shows(root):
    failed, tried = doctest.testfile(str(root / "README.md"), module_relative=False)
    assert tried >= 7
    assert failed == 0


def test_every_make_target_it_names_is_in_the_makefile_and_its_help(readme, texts):
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme, re.MULTILINE))
    assert {"book", "lab", "test", "help"} <= named
    listed = set(re.findall(r"^([a-z-]+):.*## ", texts["Makefile"], re.MULTILINE))
    assert named <= listed


def test_the_lines_without_make_do_what_make_does(readme, texts):
    makefile, lines = texts["Makefile"], commands(readme, "bat")
    assert lines[0] == "python -m venv .venv-book"
    assert lines[2] == 'python -m pip install --constraint constraints.txt --editable ".[book]"'
    assert "--constraint $(CONSTRAINTS)" in makefile
    assert "--editable '.[$(EXTRA)]'" in makefile
    assert lines[3].removesuffix(" .") in makefile.replace(" --quiet", "")
    assert f"$(BOOK_VENV)/bin/{lines[4]}" in makefile


def test_its_lines_without_make_are_those_of_the_book(readme, texts):
    assert "\n".join(commands(readme, "bat")) in texts["book/how_to_use.md"]


def test_the_workflow_for_windows_runs_these_lines(readme, texts):
    workflow = texts[".github/workflows/tests.yml"]
    for line in commands(readme, "bat")[:4]:
        assert line in workflow


def test_its_links_lead_somewhere(readme, root):
    targets = re.findall(r"\]\(([^)#]+)\)", readme)
    assert len(targets) >= 4
    assert [target for target in targets if not (root / target).is_file()] == []


def test_its_folders_exist(readme, root):
    folders = re.findall(r"^\| `([^`]+)`", readme, re.MULTILINE)
    assert len(folders) >= 6
    assert [folder for folder in folders if not (root / folder).is_dir()] == []


def test_its_picture_is_what_the_package_draws(root, tmp_path):
    PoolAndAlign().still(tmp_path / "now.png")
    now, stored = (
        np.asarray(Image.open(path).convert("RGB"))
        for path in (tmp_path / "now.png", root / "book" / "images" / "pool_and_align.png")
    )
    assert np.array_equal(now, stored), "stale: python book/tools/still.py"


def test_its_picture_has_alt_text_and_its_first_screen_says_how_to_start(readme):
    (alt,) = re.findall(r"!\[(.*?)\]", readme, re.DOTALL)
    assert len(alt.split()) > 20
    assert readme.index("make book") < 2000

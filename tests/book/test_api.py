"""The API reference: every public name, its source, its chapter, and the way back."""

import argparse
import json
import re
import zlib

import pytest

import roilearn
from roilearn.cli import make_parser

PACKAGES = ("ops", "reference", "models", "data", "train", "exercises", "explore")


def inventory(site):
    """Names and addresses in the site's ``objects.inv``, as other projects read it."""
    content = (site / "objects.inv").read_bytes()
    lines = zlib.decompress(content.split(b"\n", 4)[4]).decode().splitlines()
    rows = [re.match(r"(\S+) (\S+) \S+ (\S+)", line).groups() for line in lines]
    return {name: address for name, kind, address in rows if kind.startswith("py:")}


def page(site, package):
    return (site / "book" / "api" / f"{package}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_entry_that_others_can_link_to(site, package):
    room = getattr(roilearn, package)
    names = {f"roilearn.{package}.{name}" for name in room.__all__}
    assert len(names) > 3
    assert names <= set(inventory(site))
    assert all(f'id="{name}"' in page(site, package) for name in names)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_function_and_class_has_its_source_and_a_docstring(site, package):
    entries = re.split(r'<dl class="py (?:function|class)">', page(site, package))[1:]
    assert entries
    for entry in entries:
        assert "viewcode-link" in entry, entry[:300]
        assert re.search(r"<dd>\s*<p>\w", entry), entry[:300]


def test_a_link_to_a_source_ends_at_the_function(site):
    link = re.search(r'href="\.\./\.\./(_modules/[\w/.]+)#(\w+)"', page(site, "reference"))
    source = (site / link[1]).read_text(encoding="utf-8")
    assert f'id="{link[2]}"' in source


def test_an_operator_names_the_chapter_that_explains_it_and_the_chapter_links_back(site):
    entry = page(site, "reference").split('id="roilearn.reference.roi_align"')[1].split("</dl>")
    text = "".join(entry)
    assert 'href="../../notebooks/04_roialign.html"' in text
    chapter = (site / "notebooks" / "03_roipool.html").read_text(encoding="utf-8")
    assert 'href="../book/api/reference.html#roilearn.reference.roi_pool"' in chapter


def test_text_between_back_quotes_is_code_and_no_quotes_are_left(site):
    for package in PACKAGES:
        article = page(site, package).split("<article")[1].split("</article>")[0]
        assert "``" not in article, package


def test_the_search_finds_every_operator(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    objects = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["objects"]
    found = {entry[-1] for entry in objects["roilearn.ops"]}
    assert set(roilearn.ops.__all__) <= found


def test_every_option_of_the_command_line_is_on_its_page_as_it_is_typed(site):
    text = page(site, "command_line")
    for command in make_parser()._actions[-1].choices.values():
        for action in command._actions:
            if action.help != argparse.SUPPRESS and action.option_strings != ["-h", "--help"]:
                for option in action.option_strings or [action.metavar]:
                    assert f'<span class="pre">{option}</span>' in text, option
    article = text.split("<article")[1].split("</article>")[0]
    assert "\u2013" not in article  # an option with its two hyphens set as a dash

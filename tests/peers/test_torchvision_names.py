"""Every public name of torchvision's operators and detectors: here, or left out with a reason."""

import inspect
import re

import pytest
import torchvision
from torchvision.models import detection

from roilearn import ops
from roilearn.models import detection as ours


@pytest.fixture(scope="module")
def page(pytestconfig):
    path = pytestconfig.rootpath / "book" / "coming_from_torchvision.md"
    return path.read_text(encoding="utf-8")


def named(text):
    return set(re.findall(r"`(\w+)`", text))


def section(page, title):
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def public(module):
    return {name for name in dir(module) if not name.startswith("_")}


def test_every_name_is_on_one_of_the_two_lists(page):
    here, left_out = (section(page, f"Names that are {which}here") for which in ("", "not "))
    there = {*torchvision.ops.__all__} | public(detection)
    first_column = "\n".join(line.split("|")[1] for line in left_out.splitlines() if "|" in line)
    assert there - named(here) == named(first_column) & there
    assert named(first_column) <= there


def test_what_is_said_to_be_here_is_here(page):
    here = section(page, "Names that are here")
    for name in named(here) & {*torchvision.ops.__all__}:
        assert hasattr(ops, name), name
    for name in named(here) & public(detection):
        assert hasattr(ours, name), name


@pytest.mark.parametrize("name", sorted({*torchvision.ops.__all__} & {*dir(ops)}))
def test_arguments_have_torchvisions_names_order_and_defaults(name):
    theirs, mine = arguments(getattr(torchvision.ops, name)), arguments(getattr(ops, name))
    assert mine[: len(theirs)] == theirs
    if inspect.isclass(getattr(ops, name)):
        forwards = [getattr(package, name).forward for package in (torchvision.ops, ops)]
        theirs, mine = (arguments(forward) for forward in forwards)
        assert mine[: len(theirs)] == theirs


def arguments(function):
    if inspect.isclass(function):
        function = function.__init__
    return [(one.name, one.default) for one in inspect.signature(function).parameters.values()]


def test_what_is_said_to_be_missing_is_missing(page):
    first = [
        line.split("|")[1]
        for line in section(page, "Names that are not here").splitlines()
        if "|" in line
    ]
    for name in named("\n".join(first)):
        assert not hasattr(ops, name), name
        assert not hasattr(ours, name), name


def test_names_of_modules_are_torchvisions():
    for module in ("anchor_utils", "faster_rcnn", "keypoint_rcnn", "mask_rcnn", "rpn"):
        theirs = getattr(detection, module)
        assert all(hasattr(theirs, name) for name in getattr(ours, module).__all__)

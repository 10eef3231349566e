"""The reading guide of chapter 15: our names and torchvision's exist, and no row is told twice."""

import importlib
import json
import re
from pathlib import Path

import pytest

from roilearn import models, ops

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "15_real_weights.ipynb"
MODULES = [
    importlib.import_module(f"torchvision.{name}")
    for name in (
        *("ops", "ops.poolers", "ops.feature_pyramid_network"),
        *(
            f"models.detection.{part}"
            for part in (
                *("_utils", "anchor_utils", "faster_rcnn", "generalized_rcnn"),
                *("mask_rcnn", "roi_heads", "rpn", "transform"),
            )
        ),
    )
]


def rows(header):
    """Names in backticks of each row of the table with that header."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    prose = "\n\n".join(
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
    )
    table = re.search(rf"^\| {re.escape(header)} \|\n(?:\|.*\n?)+", prose, re.MULTILINE)[0]
    return [
        [re.findall(r"`([^`]+)`", cell) for cell in line.strip("| ").split(" | ")]
        for line in table.splitlines()[2:]
    ]


WITH_TORCHVISION = rows("roilearn | torchvision | Detectron2")
WITH_MMDETECTION = rows("roilearn | MMDetection")


def is_there(name):
    """Whether torchvision has a function, a class, or a method of a class of that name."""
    owner, _, method = name.rpartition(".")
    if owner:
        return any(hasattr(getattr(module, owner, None), method) for module in MODULES)
    for module in MODULES:
        classes = [each for each in vars(module).values() if isinstance(each, type)]
        if any(hasattr(place, name) for place in (module, *classes)):
            return True
    return False


@pytest.mark.parametrize("row", [*WITH_TORCHVISION, *WITH_MMDETECTION], ids=lambda row: row[0][0])
def test_our_names_exist(row):
    assert all(hasattr(models, name) or hasattr(ops, name) for name in row[0])


@pytest.mark.parametrize("row", WITH_TORCHVISION, ids=lambda row: row[0][0])
def test_torchvision_s_names_exist(row):
    assert all(map(is_there, row[1]))


def test_the_tables_are_whole_and_a_wrong_name_would_be_noticed():
    assert len(WITH_TORCHVISION) >= 20
    assert len(WITH_MMDETECTION) >= 10
    assert not is_there("find_top_rpn_proposals")
    for table in (WITH_TORCHVISION, WITH_MMDETECTION):
        ours = [row[0][0] for row in table]
        assert len(set(ours)) == len(ours)
        assert all(all(cell) for row in table for cell in row)

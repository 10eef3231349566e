"""The mask IoU of an oracle mask head: the recorded numbers hold."""

import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import roi_align

from roilearn.bench.detectors import oracle_masks
from roilearn.bench.detectors.oracle_masks import (
    BOXES,
    CANVAS,
    CELLS,
    OBJECTS,
    SIZES,
    draw_masks,
    format_table,
    oracle_iou,
)
from roilearn.bench.recorded.oracle_masks import read_oracle_masks
from roilearn.ops import masks_to_boxes

PAIRS = [
    (target, paste) for target in ("torchvision", "aligned") for paste in ("torchvision", "aligned")
]


def row(boxes, size, target, paste):
    (found,) = (
        each
        for each in read_oracle_masks()
        if (each.boxes, each.min_side, each.max_side, each.target, each.paste)
        == (boxes, *size, target, paste)
    )
    return found


def test_every_row_is_recorded():
    assert len(read_oracle_masks()) == len(BOXES) * len(SIZES) * len(PAIRS)
    assert {each.objects for each in read_oracle_masks()} == {oracle_masks.OBJECTS}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("boxes", "size"), [("exact", (8, 16)), ("jittered", (16, 32))])
def test_recorded_rows_hold(boxes, size, pair):
    assert oracle_iou(boxes, size, *pair) == pytest.approx(
        row(boxes, size, *pair).mask_iou, abs=2e-3
    )


@pytest.mark.parametrize("size", SIZES)
def test_torchvisions_own_operators_reach_what_is_recorded_for_them(size):
    masks = draw_masks(OBJECTS, size, torch.Generator().manual_seed(0))
    boxes = masks_to_boxes(masks, exclusive=True)
    numbered = torch.cat([torch.arange(OBJECTS)[:, None], boxes], 1)
    cells = roi_align(masks[:, None].float(), numbered, (CELLS, CELLS), 1.0, -1, aligned=False)
    pasted = paste_masks_in_image(cells, boxes, CANVAS)[:, 0] > 0.5
    shared, united = (each.flatten(1).sum(1) for each in (masks & pasted, masks | pasted))
    found = float((shared / united).mean())
    assert found == pytest.approx(row("exact", size, *PAIRS[0]).mask_iou, abs=2e-3)


def test_small_objects_lose_most_and_the_aligned_pair_loses_least():
    losses = [1 - row("exact", size, "torchvision", "torchvision").mask_iou for size in SIZES]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 0.1
    for boxes in BOXES:
        for size in SIZES:
            best = max(PAIRS, key=lambda pair: row(boxes, size, *pair).mask_iou)
            assert best == ("aligned", "aligned")
    assert row("exact", SIZES[0], "aligned", "aligned").mask_iou > 0.99


def test_the_table_shows_every_number():
    rows = read_oracle_masks()
    assert format_table(rows).count("0.") + format_table(rows).count("1.0") == len(rows)

"""Average precision against pycocotools, on random data and on edge cases."""

import numpy as np
import pytest
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from roilearn import reference

SIDE = 128


def draw(seed, images=12, classes=4, *, grid=0.25, ties=True, crowd=0.15, many=False):
    """Images with objects, and detections that are near them, anywhere, or repeated.

    Places lie on a grid, so that overlaps are ratios of small numbers: many lie on a threshold.
    """
    state = np.random.RandomState(seed)
    detections, targets = [], []
    for number in range(images):
        count = 0 if number % 5 == 3 else state.randint(1, 8)
        boxes = boxes_of(state, count, grid)
        near = boxes[state.randint(count, size=3 * count)] if count else boxes
        near = near + grid * state.randint(-12, 13, near.shape) * (state.rand(len(near), 1) < 0.7)
        near = near[(near[:, 2:] > near[:, :2]).all(1)]
        stray = boxes_of(state, 250 if many and number == 1 else state.randint(0, 6), grid)
        found = np.concatenate([near, stray])
        scores = state.rand(len(found))
        detections.append(
            {
                "boxes": found,
                "labels": state.randint(1, max(classes, 2), len(found)),  # never the last class
                "scores": scores.round(1) if ties else scores,
            }
        )
        labels = state.randint(2 if classes > 2 else 1, classes + 1, count)  # never the first
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        on_edge = state.rand(count) < 0.4
        areas[on_edge] = state.choice([32**2, 96**2, 0, 32**2 + 1, 96**2 - 1], on_edge.sum())
        targets.append(
            {"boxes": boxes, "labels": labels, "area": areas, "iscrowd": state.rand(count) < crowd}
        )
    return detections, targets


def boxes_of(state, count, grid):
    sides = np.exp(state.uniform(np.log(4), np.log(SIDE), (count, 2)))
    sides[state.rand(count) < 0.3] = state.choice([32.0, 96.0])
    first = state.uniform(0, 1, (count, 2)) * (SIDE - sides)
    first, sides = (grid * np.round(each / grid) for each in (first, sides))
    return np.hstack([first, first + sides])


def fill(boxes, labels):
    """Masks in boxes: full ones, discs, and some that are empty."""
    x = y = np.arange(SIDE) + 0.5
    masks = np.zeros((len(boxes), SIDE, SIDE), bool)
    for n, (x1, y1, x2, y2) in enumerate(boxes):
        across = abs(2 * (x - x1) / (x2 - x1) - 1)[None]
        down = abs(2 * (y - y1) / (y2 - y1) - 1)[:, None]
        square = (across < 1) & (down < 1)
        masks[n] = square if labels[n] % 2 else across**2 + down**2 < 1
    masks[5::17] = False
    return masks


def by_pycocotools(detections, targets, iou_type):
    """The numbers as pycocotools' own example computes them."""
    records, results = [], []
    for number, (found, target) in enumerate(zip(detections, targets, strict=True)):
        for image, into in ((target, records), (found, results)):
            for n, label in enumerate(image["labels"]):
                x1, y1, x2, y2 = image["boxes"][n]
                record = {"image_id": number, "category_id": int(label)}
                if iou_type == "masks":
                    mask = np.asfortranarray(image["masks"][n], np.uint8)
                    record["segmentation"] = run_lengths.encode(mask)
                else:
                    record["bbox"] = [x1, y1, x2 - x1, y2 - y1]
                if image is target:
                    record["iscrowd"] = int(target["iscrowd"][n])
                    record["area"] = target["area"][n]
                    record["id"] = len(into) + 1
                else:
                    record["score"] = found["scores"][n]
                into.append(record)
    truth = COCO()
    truth.dataset = {
        "images": [{"id": k, "height": SIDE, "width": SIDE} for k in range(len(targets))],
        "categories": [{"id": k} for k in range(1, 9)],
        "annotations": records,
    }
    truth.createIndex()
    measured = COCOeval(truth, truth.loadRes(results), "bbox" if iou_type == "boxes" else "segm")
    measured.evaluate()
    measured.accumulate()
    measured.summarize()
    return measured.stats


KINDS = {
    "on a grid, ties": {},
    "anywhere, no ties": {"grid": 1e-3, "ties": False},
    "one class": {"classes": 1},
    "coarse": {"grid": 8, "crowd": 0.5},
    "more than a hundred": {"classes": 2, "many": True, "images": 4},
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_boxes(kind, seed):
    detections, targets = draw(seed, **KINDS[kind])
    ours = reference.average_precision(detections, targets)
    theirs = by_pycocotools(detections, targets, "boxes")
    np.testing.assert_allclose(list(ours.values()), theirs, rtol=0, atol=1e-6)
    assert 0 < ours["AP"] < 1


@pytest.mark.parametrize("kind", ["on a grid, ties", "coarse", "more than a hundred"])
def test_masks(kind):
    detections, targets = draw(7, **{**KINDS[kind], "images": 6})
    for image in (*detections, *targets):
        image["masks"] = fill(image["boxes"], image["labels"])
    ours = reference.average_precision(detections, targets, "masks")
    theirs = by_pycocotools(detections, targets, "masks")
    np.testing.assert_allclose(list(ours.values()), theirs, rtol=0, atol=1e-6)
    assert 0 < ours["AP"] < 1


def test_mask_iou():
    state = np.random.RandomState(0)
    first, second = (fill(boxes_of(state, 12, 1), range(12)) for _ in range(2))
    encoded = [
        [run_lengths.encode(np.asfortranarray(mask, np.uint8)) for mask in masks]
        for masks in (first, second)
    ]
    theirs = run_lengths.iou(*encoded, [0] * 12)
    np.testing.assert_allclose(reference.mask_iou(first, second), theirs, rtol=0, atol=1e-12)


def test_the_names_are_in_the_order_of_pycocotools():
    names = list(reference.average_precision([], []))
    assert " ".join(names) == "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl"


def test_pycocotools_overlooks_an_object_whose_id_is_0():
    """Why ids count from 1 wherever they are written."""
    truth = COCO()
    box = {"image_id": 0, "category_id": 1, "bbox": [0, 0, 9, 9], "area": 81, "iscrowd": 0}
    truth.dataset = {
        "images": [{"id": 0}],
        "categories": [{"id": 1}],
        "annotations": [{**box, "id": 0}],
    }
    truth.createIndex()
    measured = COCOeval(truth, truth.loadRes([{**box, "score": 1}]), "bbox")
    measured.evaluate()
    measured.accumulate()
    measured.summarize()
    assert measured.stats[0] == 0

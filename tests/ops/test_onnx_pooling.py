"""ONNX files of the other pooling operators: right for other images and boxes, or refused by name.

Exported with 2 images and 7 boxes, with and without recording of gradients, and run with 3 images
and 48 boxes, with 1 and with none.
"""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from onnx_files import EXPECTED_WARNINGS, EXPORTERS, export, kinds_of_nodes, run

from roilearn import ops

pytestmark = EXPECTED_WARNINGS

SHAPE, SIZE, SCALE = (2, 12, 9, 13), (3, 2), 0.25
CURVED = torch.tensor(np.random.RandomState(0).randn(*SHAPE), dtype=torch.float32)
MORE = torch.cat([CURVED.flip(3), CURVED[:1].flip(2)])
BOUND = 1e-6 * CURVED.abs().max().item()
OVERFLOWS = ("inverted x", "inverted y")  # adaptive: onnxruntime counts samples below 0 and raises


def upright(kind, count, shape):
    return torch.tensor(draw(kind, count, shape, SCALE, seed=1))


def rotated(kind, count, shape):
    image, x1, y1, x2, y2 = upright(kind, count, shape).unbind(1)
    sides = (x2 - x1).abs(), (y2 - y1).abs()
    angle = torch.linspace(-200, 200, count)
    return torch.stack([image, (x1 + x2) / 2, (y1 + y2) / 2, *sides, angle], 1)


FIRST, SECOND = torch.tensor([0, 0, 5, 0, 2, 1]), torch.tensor([0, 2, 3])  # the second bag is empty


def own_bags(features, weight):
    """Bags of three, no and two cells, weighted by what comes."""
    bag = ops.Bag(FIRST[:5], weight.flatten()[:5], torch.tensor([0, 3, 3]))
    return ops.weighted_sum(features, bag, (3, 1, 1))


FILES = {  # operator, boxes, a node that the file must hold
    "roi_pool": (lambda x, b: ops.roi_pool(x, b, SIZE, SCALE), upright, "MaxRoiPool"),
    "ps_roi_align": (lambda x, b: ops.ps_roi_align(x, b, SIZE, SCALE, 2), upright, "RoiAlign"),
    "adaptive ps_roi_align": (
        lambda x, b: ops.ps_roi_align(x, b, SIZE, SCALE),
        upright,
        "RoiAlign",
    ),
    "crop_and_resize": (lambda x, b: ops.crop_and_resize(x, b, SIZE, SCALE), upright, "Gather"),
    "nearest crop_and_resize": (
        lambda x, b: ops.crop_and_resize(x, b, SIZE, SCALE, "nearest", -7.0, aligned=True),
        upright,
        "Gather",
    ),
    "roi_align_rotated": (lambda x, b: ops.roi_align_rotated(x, b, SIZE, SCALE, 2), rotated, "Cos"),
}


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_the_file_pools_every_kind_of_box_as_the_operator(name, recording):
    operator, boxes, node = FILES[name]
    with torch.set_grad_enabled(recording):
        model = export(operator, (CURVED, boxes("inside", 7, SHAPE)), dynamo=False)
    assert node in kinds_of_nodes(model)
    assert not {"Loop", "If", "Scan"} & kinds_of_nodes(model)
    for kind in KINDS:
        if name == "adaptive ps_roi_align" and kind in OVERFLOWS:
            continue
        for count in (48, 1, 0):
            rois = boxes(kind, 48, MORE.shape)[:count]
            answer, wanted = run(model, MORE, rois), operator(MORE, rois)
            torch.testing.assert_close(answer, wanted, rtol=0, atol=BOUND)


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("name", FILES)
def test_both_exporters_give_the_same(name, dynamo):
    operator, boxes, node = FILES[name]
    model = export(operator, (CURVED, boxes("inside", 7, SHAPE)), dynamo)
    assert node in kinds_of_nodes(model) | {"Gather"}
    for count in (48, 1, 0):
        rois = boxes("border", 48, MORE.shape)[:count]
        torch.testing.assert_close(run(model, MORE, rois), operator(MORE, rois), rtol=0, atol=BOUND)


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_bags_of_any_length_are_added_up(dynamo):
    weight = torch.tensor([[1.0, 2, 3, 4, 5]])
    model = export(own_bags, (CURVED, weight), dynamo)
    torch.testing.assert_close(run(model, MORE, 2 * weight), own_bags(MORE, 2 * weight))


REFUSED = {
    "prroi_pool": (lambda x, b: ops.prroi_pool(x, b, SIZE, SCALE), upright, "Use roi_align"),
    "ps_roi_pool": (lambda x, b: ops.ps_roi_pool(x, b, SIZE, SCALE), upright, "Use ps_roi_align"),
    "roi_pool": (lambda x, b: ops.roi_pool(x, b, SIZE, SCALE, "average"), upright, "mode='max'"),
    "roi_align_rotated": (
        lambda x, b: ops.roi_align_rotated(x, b, SIZE, SCALE),
        rotated,
        "Pass a sampling_ratio",
    ),
}


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_a_file_cannot_hold_is_refused_with_advice(name, dynamo):
    operator, boxes, advice = REFUSED[name]
    with pytest.raises(Exception, match=f"(?s){name} cannot be written to an ONNX file.*{advice}"):
        export(operator, (CURVED, boxes("inside", 7, SHAPE)), dynamo)

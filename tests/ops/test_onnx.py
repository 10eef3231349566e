"""ONNX export: what the files contain, and that onnxruntime gives our and torchvision's result.

Files are exported with 2 images and 7 boxes, and run with 3 and 48. An export with ``dynamo=True``
takes a second, so these meet every option and every opset, not every pair of them;
``dynamo=False`` meets every pair.
"""

from itertools import product

import numpy as np
import onnx
import pytest
import torch
import torchvision
from boxes import KINDS, draw
from onnx_files import EXPECTED_WARNINGS, EXPORTERS, export, run
from torch import nn

from roilearn import ops

pytestmark = EXPECTED_WARNINGS

SHAPE, SIZE, SCALE = (2, 3, 9, 13), (3, 2), 0.25
CURVED = torch.tensor(np.random.RandomState(0).randn(*SHAPE), dtype=torch.float32)
BOUND = 1e-6 * CURVED.abs().max().item()
MORE = torch.cat([CURVED.flip(3), CURVED[:1].flip(2)])
SEVEN = torch.tensor(draw("inside", 7, SHAPE, SCALE))
OVERFLOWS = ("inverted x", "inverted y")  # adaptive and aligned: the engines count samples below 0

OLDER = product([False], (16, 18, 20, 21), (2, 1, -1, 0), (False, True))
NEWER = (
    *((True, 16, 2, True), (True, 18, 1, True), (True, 20, -1, True), (True, 21, 0, True)),
    *((True, 16, -1, False), (True, 18, 0, False), (True, 20, 2, False), (True, 21, 1, False)),
    *((True, 11, 2, False), (True, 15, -1, True)),  # written as opset 18
)
COVERING = [*OLDER, *NEWER]


def the_node(model):
    """Attributes of the RoiAlign node, which must be the only one, and in no loop."""
    onnx.checker.check_model(model, full_check=True)
    assert not {"If", "Loop", "Scan"} & {node.op_type for node in model.graph.node}
    assert not model.functions
    (node,) = (node for node in model.graph.node if node.op_type == "RoiAlign")
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def opset_of(model):
    (version,) = (opset.version for opset in model.opset_import if not opset.domain)
    return version


@pytest.mark.parametrize(("dynamo", "opset", "ratio", "aligned"), COVERING)
def test_every_kind_of_box_is_pooled_as_by_us_and_by_torchvision(dynamo, opset, ratio, aligned):
    options = (SIZE, SCALE, ratio, aligned)
    model = export(ops.RoIAlign(*options), (CURVED, SEVEN), dynamo, opset)
    assert opset_of(model) == (opset if opset >= 16 else 18)
    assert the_node(model) == {
        "coordinate_transformation_mode": b"half_pixel" if aligned else b"output_half_pixel",
        "mode": b"avg",
        "output_height": 3,
        "output_width": 2,
        "sampling_ratio": max(ratio, 0),
        "spatial_scale": SCALE,
    }
    others = {node.op_type for node in model.graph.node} - {"RoiAlign"}
    assert others <= {"Cast", "Concat", "Constant", "Gather", "Slice"}  # they cut the boxes up
    for kind in KINDS:
        rois = torch.tensor(draw(kind, 48, MORE.shape, SCALE, seed=1))
        ours = ops.roi_align(MORE, rois, *options)
        if aligned and ratio < 1 and kind in OVERFLOWS:
            with pytest.raises(Exception, match="overflow"):
                run(model, MORE, rois)
            assert not ours.any()
            continue
        theirs = torchvision.ops.roi_align(MORE, rois, *options)
        answer = run(model, MORE, rois)
        torch.testing.assert_close(answer, ours, rtol=0, atol=BOUND)
        torch.testing.assert_close(answer, theirs, rtol=0, atol=BOUND)


class Head(nn.Module):
    """Features, boxes in either form, and what a detector does with them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.scores = nn.Linear(4 * 3 * 2, 5)

    def forward(self, image, boxes, more_boxes=None):
        boxes = boxes if more_boxes is None else [boxes, more_boxes]
        pooled = ops.roi_align(self.features(image), boxes, SIZE, SCALE, 2, aligned=True)
        return self.scores(pooled.flatten(1))


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_a_model_exports_whole(dynamo, as_list):
    head, many = Head().requires_grad_(requires_grad=False), torch.tensor(draw("inside", 48, SHAPE))
    few, many = ([b[:3, 1:], b[3:, 1:]] if as_list else [b] for b in (SEVEN, many))
    model = export(head, (CURVED, *few), dynamo)
    assert {"Conv", "Gemm"} <= {node.op_type for node in model.graph.node}
    the_node(model)
    torch.testing.assert_close(run(model, CURVED, *many), head(CURVED, *many))


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_half_precision_features_meet_boxes_of_full_precision(dynamo):
    half, pool = CURVED.half(), ops.RoIAlign(SIZE, SCALE, 2, aligned=True)
    answer = run(export(pool, (half, SEVEN), dynamo), half, SEVEN)
    assert answer.dtype == torch.float16
    torch.testing.assert_close(answer, pool(half, SEVEN), rtol=0, atol=2e-3)


@pytest.mark.parametrize(("opset", "advice"), [(11, "added in version 16"), (22, "opset.version")])
def test_an_opset_that_cannot_say_it_is_an_error_that_names_one_that_can(opset, advice):
    with pytest.raises((ValueError, torch.onnx.errors.UnsupportedOperatorError), match=advice):
        export(ops.RoIAlign(SIZE, SCALE, 2), (CURVED, SEVEN), dynamo=False, opset=opset)


def test_the_recorded_operator_answers_its_example():
    """A model may look at values while it is recorded, and then act on them."""
    operands = CURVED, SEVEN[:, 1:], SEVEN[:, 0].long()
    answer = torch.ops.roilearn.roi_align(*operands, *SIZE, SCALE, 2, True)
    torch.testing.assert_close(answer, ops.roi_align(CURVED, SEVEN, SIZE, SCALE, 2, aligned=True))


def test_an_export_that_is_not_to_onnx_keeps_the_bags():
    program = torch.export.export(ops.RoIAlign(SIZE, SCALE, 2), (CURVED, SEVEN), strict=False)
    assert "embedding_bag" in str(program.graph)
    assert "roilearn" not in str(program.graph)
    assert "onnx" not in str(program.graph)

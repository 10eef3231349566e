"""``torch.fx``: a module of ours is one node, so that a model can be recorded and taken apart."""

import pytest
import torch
from every_operator import BINS, FEATURES, ROIS, ROTATED
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor

from roilearn import ops
from roilearn.ops import box_iou, roi_align

MODULES = {
    "roi_align": (ops.RoIAlign(BINS, 0.7, -1), ROIS),
    "roi_pool": (ops.RoIPool(BINS, 0.7), ROIS),
    "ps_roi_align": (ops.PSRoIAlign(BINS, 0.7, 2), ROIS),
    "ps_roi_pool": (ops.PSRoIPool(BINS, 0.7), ROIS),
    "prroi_pool": (ops.PrRoIPool(BINS, 0.7), ROIS),
    "roi_align_rotated": (ops.RoIAlignRotated(BINS, 0.7, 2), ROTATED),
}


class Model(nn.Module):
    def __init__(self, pool):
        super().__init__()
        self.body = nn.Conv2d(6, 6, 3, padding=1)
        self.pool = pool

    def forward(self, x, boxes):
        return self.pool(self.body(x).relu(), boxes).mean((2, 3))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_one_node(name):
    pool, rois = MODULES[name]
    model = Model(pool)
    graph = torch.fx.symbolic_trace(model)
    assert name in {getattr(node.target, "__name__", None) for node in graph.graph.nodes}
    for x in (FEATURES, FEATURES[..., 1:, 2:]):
        torch.testing.assert_close(graph(x, rois), model(x, rois))


def test_features_of_a_model_are_extracted_by_torchvision():
    model = Model(ops.RoIAlign(BINS, 0.7, -1))
    found = create_feature_extractor(model, ["relu", "pool.roi_align"])(FEATURES, ROIS)
    torch.testing.assert_close(found["pool.roi_align"].mean((2, 3)), model(FEATURES, ROIS))


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = ops.MultiScaleRoIAlign(["0", "1"], BINS, 2)

    def forward(self, x, boxes, shapes):
        return self.pool({"0": x, "1": x[..., ::2, ::2]}, boxes, shapes)


def test_a_pyramid_is_one_node():
    graph = torch.fx.symbolic_trace(Pyramid())
    arguments = FEATURES, [ROIS[:1, 1:], ROIS[1:, 1:]], [(7, 9)] * 2
    torch.testing.assert_close(graph(*arguments), Pyramid()(*arguments))


def test_functions_imported_by_name_say_what_to_do():
    with pytest.raises(
        TypeError, match=r"input must be .* a symbol of torch\.fx\. Use .* RoIAlign"
    ):
        torch.fx.symbolic_trace(lambda x: roi_align(x, ROIS, 2))
    with pytest.raises(TypeError, match=r"boxes1 must be .* torch\.fx\.wrap"):
        torch.fx.symbolic_trace(lambda b: box_iou(b, b))

"""Anchors, deltas, clipping, formats and IoU in traced graphs, for maps of any size."""

import pytest
import torch

from roilearn import ops

STRIDE = 16


class Proposals(torch.nn.Module):
    def forward(self, features, deltas):
        height, width = features.shape[-2:]
        anchors = ops.generate_anchors((height, width), STRIDE, (32, 64))
        boxes = ops.decode_boxes(deltas, anchors)
        boxes = ops.clip_boxes_to_image(boxes, (height * STRIDE, width * STRIDE))
        centres = ops.box_convert(boxes, "xyxy", "cxcywh")
        overlap = ops.generalized_box_iou(boxes[:5], anchors[:7])
        return boxes, centres, overlap, ops.encode_boxes(anchors + 1, anchors)


class LargeOnes(torch.nn.Module):
    def forward(self, boxes):
        return ops.remove_small_boxes(boxes, 20)


def inputs(height, width):
    generator = torch.Generator().manual_seed(height)
    deltas = torch.randn(height * width * 6, 4, generator=generator)
    return torch.zeros(1, 1, height, width), deltas.requires_grad_()


def answers(proposals, size):
    features, deltas = inputs(*size)
    results = proposals(features, deltas)
    return [*results, *torch.autograd.grad(results[2].sum(), deltas)]


def test_compiled_forward_and_gradient_are_the_same():
    torch._dynamo.reset()
    compiled = torch.compile(Proposals(), fullgraph=True, dynamic=True, backend="aot_eager")
    for size in ((4, 6), (5, 7)):
        for ours, eager in zip(answers(compiled, size), answers(Proposals(), size), strict=True):
            torch.testing.assert_close(ours, eager, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_program_serves_maps_of_any_size(strict):
    dynamic = torch.export.Dim.DYNAMIC
    sizes = {2: dynamic, 3: dynamic}, {0: dynamic}
    program = torch.export.export(
        Proposals(), inputs(4, 6), dynamic_shapes=sizes, strict=strict
    ).module()
    for size in ((4, 6), (5, 7)):
        for ours, eager in zip(answers(program, size), answers(Proposals(), size), strict=True):
            torch.testing.assert_close(ours, eager, rtol=1e-6, atol=1e-4)


def test_a_number_of_boxes_that_depends_on_values_can_be_exported():
    boxes = ops.generate_anchors((3, 3), 8, (8, 24))
    program = torch.export.export(LargeOnes(), (boxes,)).module()
    for some in (boxes, boxes.flip(0), boxes / 9):
        assert torch.equal(program(some), LargeOnes()(some))


def test_where_values_are_not_read_a_level_is_one_of_those_that_there_are():
    torch._dynamo.reset()
    compiled = torch.compile(ops.assign_levels, fullgraph=True, backend="eager")
    bad = [[torch.nan, 0, 9, 9], [0, 0, torch.inf, 9], [torch.inf, 0, torch.inf, 9]]
    assert compiled(torch.tensor(bad)).tolist() == [2, 5, 2]


def test_where_values_are_not_read_a_box_of_no_area_has_no_finite_delta():
    torch._dynamo.reset()
    compiled = torch.compile(ops.encode_boxes, fullgraph=True, backend="aot_eager")
    flat, anchor = torch.tensor([[1.0, 1, 1, 5]]), torch.tensor([[0.0, 0, 4, 4]])
    assert compiled(flat, anchor)[0, 2] == -torch.inf

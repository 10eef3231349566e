"""Pooling operators with fixed sizes are one graph for torch.compile and torch.export."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn.ops import (
    CROP_METHODS,
    crop_and_resize,
    multi_scale_roi_align,
    ps_roi_align,
    ps_roi_pool,
    roi_align,
    roi_align_rotated,
    roi_pool,
)

# torch 2.12 does so itself while it traces an autograd.Function.
pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")

SHAPE = (2, 3, 9, 12)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE))
OPTIONS = ((3, 2), 0.9, 3, True)
COUNTS = (2, 20)


class Pool(torch.nn.Module):
    def forward(self, features, rois):
        return roi_align(features, rois, *OPTIONS)


def rois_of(count):
    return torch.tensor(draw("border", count, SHAPE, 0.9)).double()


@pytest.fixture(scope="module")
def compiled():
    torch._dynamo.reset()
    # This backend traces forward and backward as the default one does, and writes no C++.
    return torch.compile(Pool(), fullgraph=True, dynamic=True, backend="aot_eager")


@pytest.mark.parametrize("count", COUNTS)
def test_compiled_forward_and_both_gradients_are_the_same(compiled, count):
    results = []
    for pool in (compiled, Pool()):
        features, rois = FEATURES.clone().requires_grad_(), rois_of(count).requires_grad_()
        output = pool(features, rois)
        results.append((output, *torch.autograd.grad(output.square().sum(), (features, rois))))
    for ours, eager in zip(*results, strict=True):
        torch.testing.assert_close(ours, eager, rtol=0, atol=1e-12)


def test_compiled_code_answers_a_bad_box_with_zeros(compiled):
    rois = rois_of(4)
    rois[0, 2], rois[1, 0], rois[2, 0] = torch.nan, 2, -1
    pooled = compiled(FEATURES, rois)
    assert not pooled[:3].any()
    torch.testing.assert_close(pooled[3:], Pool()(FEATURES, rois[3:]))


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_program_serves_any_number_of_boxes(strict):
    any_number = ({}, {0: torch.export.Dim.DYNAMIC})
    inputs = FEATURES, rois_of(5)
    program = torch.export.export(Pool(), inputs, dynamic_shapes=any_number, strict=strict)
    for count in COUNTS:
        rois = rois_of(count)
        torch.testing.assert_close(program.module()(FEATURES, rois), Pool()(FEATURES, rois))


def one_graph(operator):
    torch._dynamo.reset()
    return torch.compile(operator, fullgraph=True, dynamic=True, backend="aot_eager")


@pytest.mark.parametrize("method", CROP_METHODS)
def test_a_crop_is_one_graph(method):
    crop = lambda x, b: crop_and_resize(x, b, (3, 2), 0.9, method, 5.0)  # noqa: E731
    compiled = one_graph(crop)
    for count in COUNTS:
        torch.testing.assert_close(
            compiled(FEATURES, rois_of(count)), crop(FEATURES, rois_of(count))
        )
    bad = torch.tensor([[0.0, torch.nan, 4, 2, 2], [2, 1, 1, 2, 2]]).double()
    assert (compiled(FEATURES, bad) == 5).all()


def test_rotated_boxes_with_a_fixed_ratio_are_one_graph():
    pool = lambda x, b: roi_align_rotated(x, b, (3, 2), 0.9, 2)  # noqa: E731
    compiled = one_graph(pool)
    for count in COUNTS:
        image, x1, y1, x2, y2 = rois_of(count).unbind(1)
        box = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 7 * x1
        rois = torch.stack([image, *box], 1)
        torch.testing.assert_close(compiled(FEATURES, rois), pool(FEATURES, rois))
    bad = torch.tensor([[0.0, 4, 4, -2, 2, 0], [0, torch.nan, 4, 2, 2, 0], [2, 4, 4, 2, 2, 0]])
    assert not compiled(FEATURES, bad.double()).any()


class Every(torch.nn.Module):
    """All operators at once, since a graph takes seconds to make."""

    def forward(self, features, rois):
        maps = features, features[..., ::2, ::2].contiguous()
        of_bins = features.repeat(1, 2, 1, 1)
        turned = torch.cat([rois, rois[:, :1]], 1)
        return [
            *(crop_and_resize(features, rois, 2, method=method) for method in CROP_METHODS),
            roi_align_rotated(features, turned, 2, 1.0, 2),
            multi_scale_roi_align(maps, rois, 2, (0.25, 0.125), 2, canonical_scale=8),
            roi_align(features, rois, 2, 1.0, 2),
            roi_pool(features, rois, 2),
            ps_roi_pool(of_bins, rois, (1, 2)),
            ps_roi_align(of_bins, rois, (1, 2), 1.0, 2),
            ps_roi_align(of_bins, rois, (1, 2)),
        ]


def test_an_exported_program_serves_any_number_of_images_and_no_boxes():
    sizes = {0: torch.export.Dim("images")}, {0: torch.export.Dim("boxes")}
    inputs = FEATURES, rois_of(5).abs()
    program = torch.export.export(Every(), inputs, dynamic_shapes=sizes).module()
    more = torch.cat([FEATURES, FEATURES[:1] + 1])
    for features, rois in ((more, inputs[1]), (more, inputs[1][:0]), (FEATURES, inputs[1][:1])):
        for ours, eager in zip(program(features, rois), Every()(features, rois), strict=True):
            torch.testing.assert_close(ours, eager)


class FixedSizes(torch.nn.Module):
    """Operators that dynamo looks into."""

    def forward(self, features, rois):
        maps = features, features[..., ::2, ::2].contiguous()
        return [
            crop_and_resize(features, rois, 2),
            multi_scale_roi_align(maps, rois, 2, (0.25, 0.125), 2, canonical_scale=8),
            roi_align(features, rois, 2, 1.0, 2),
            ps_roi_align(features, rois, (1, 3), 1.0, 2),
        ]


@pytest.mark.parametrize("count", [0, 5])
def test_compiled_code_serves_no_boxes_and_several_images_while_nothing_is_recorded(count):
    torch._dynamo.reset()
    compiled = torch.compile(FixedSizes(), fullgraph=True, backend="eager")
    rois = rois_of(5).abs()[:count]
    for ours, eager in zip(compiled(FEATURES, rois), FixedSizes()(FEATURES, rois), strict=True):
        torch.testing.assert_close(ours, eager)

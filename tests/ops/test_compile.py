"""With a fixed sampling ratio `roi_align` is one graph: for torch.compile, and for torch.export."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn.ops import roi_align

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

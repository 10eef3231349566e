"""Every way through an operator gives what the loops give, for every option.

An option that one way forgets would be wrong there alone: on a GPU, in a compiled model, in a file.
"""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw
from onnx_files import EXPECTED_WARNINGS, export, run

import roilearn
from roilearn import kernels, ops, reference
from roilearn.ops import dispatch

pytestmark = EXPECTED_WARNINGS

CURVED = np.random.RandomState(0).randn(2, 6, 7, 9).astype(np.float32)
BINS = (3, 2)
KINDS = [kind for kind in KINDS if kind not in ("inverted x", "inverted y", "huge")]
ROIS = np.concatenate([draw(kind, 2, CURVED.shape, 0.5) for kind in KINDS])  # the engine has all
PYRAMID = [CURVED, CURVED[..., ::2, ::2]]
OPTIONS = [(2, False), (2, True), (3, True), (-1, False), (-1, True)]  # sampling_ratio, aligned
OPERATORS = {
    "roi_align": lambda library, x, b, ratio, aligned: library.roi_align(
        x, b, BINS, 0.5, ratio, aligned
    ),
    "multi_scale_roi_align": lambda library, x, b, ratio, aligned: library.multi_scale_roi_align(
        [x, x[..., ::2, ::2]], b, BINS, [0.5, 0.25], ratio, aligned, 8, 2
    ),
    "ps_roi_align": lambda library, x, b, ratio, _: library.ps_roi_align(x, b, BINS, 0.5, ratio),
    "roi_pool": lambda library, x, b, *_: library.roi_pool(x, b, BINS, 0.5),
}
CASES = [
    *(("roi_align", *each) for each in OPTIONS),
    *(("multi_scale_roi_align", *each) for each in OPTIONS),
    *(("ps_roi_align", *each) for each in OPTIONS if each[1]),
    ("roi_pool", -1, False),
]


def in_a_graph(function, x, b):
    return torch.export.export(ops_module(function), (x, b), strict=False).module()(x, b)


def ops_module(function):
    class Module(torch.nn.Module):
        def forward(self, x, b):
            return function(ops, x, b)

    return Module()


def in_a_file(function, x, b):
    return run(export(ops_module(function), (x, b), dynamo=False), x, b)


def recorded(function, x, b):
    return function(ops, x.clone().requires_grad_(), b.clone().requires_grad_()).detach()


WAYS = {
    "bags": lambda function, x, b: function(ops, x, b),
    "bags, recorded": recorded,
    "graph": in_a_graph,
    "onnx": in_a_file,
    "kernel": lambda function, x, b: function(kernels, x, b),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_every_way_gives_what_the_loops_give(case, way):
    name, *options = case

    def function(library, x, b):
        return OPERATORS[name](library, x, b, *options)

    found = WAYS[way](function, torch.tensor(CURVED), torch.tensor(ROIS))
    np.testing.assert_allclose(found, function(reference, CURVED, ROIS), atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_patched_torchvision_does_too(options):
    with roilearn.patch():
        found = torchvision.ops.roi_align(
            torch.tensor(CURVED), torch.tensor(ROIS), BINS, 0.5, *options
        )
    expected = reference.roi_align(CURVED, ROIS, BINS, 0.5, *options)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("sizes", [True, False])
def test_a_kernel_goes_before_all_others_and_a_file_before_a_node(monkeypatch, sizes):
    def way(**further):
        arguments = [torch.zeros(1)], torch.zeros(1)
        return dispatch.choose_way(*arguments, sizes_follow_from_shapes=sizes, **further)

    assert way() is dispatch.Way.BAGS
    monkeypatch.setattr(dispatch, "is_tracing", lambda: True)
    assert way() is (dispatch.Way.BAGS if sizes else dispatch.Way.NODE)
    monkeypatch.setattr(dispatch, "is_exporting_onnx", lambda: True)
    assert way() is dispatch.Way.ONNX
    assert way(is_in_onnx=False) is (dispatch.Way.BAGS if sizes else dispatch.Way.NODE)
    monkeypatch.setattr(dispatch, "kernels_for", lambda *_: "kernels")
    assert way() is dispatch.Way.KERNEL
    assert way(has_kernel=False) is dispatch.Way.ONNX

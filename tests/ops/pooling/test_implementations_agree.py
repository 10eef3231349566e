"""The operators in PyTorch give the results of the loops in NumPy."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import models, ops, reference

CURVED = np.random.RandomState(0).randn(2, 3, 9, 13)
positions = st.lists(st.floats(-3, 16), min_size=1, max_size=6)
SETTINGS = [((3, 2), 1.0, 2), ((2, 5), 0.25, 1), ((2, 3), 0.3, -1), ((1, 4), 1.0, 3)]

ON_A_KINK = {("integer", 0.3), ("half", 0.3), ("quarter", 0.3)}
"""Boxes whose samples fall on whole positions but for the rounding of 0.3: no slope there."""


def tensors(*arrays):
    return [torch.tensor(array) for array in arrays]


def test_the_implementations_have_the_same_names():
    by_autograd = {n for n in reference.__all__ if n.endswith(("_backward", "_box_gradient"))}
    printed_in_the_book = {
        *("bin_average", "box_bins", "fractions", "in_band", "region", "sample_positions"),
        *("bin_weights", "crop_positions", "hat", "hat_area", "rotate_sample"),
        *("deformed_window", "read_with_zeros"),
    }
    numpy_alone = {
        *("ImageEvaluation", "accumulate", "average_precision", "evaluate_image", "mask_iou"),
        *("match_detections", "summarise", "rank_detections", "precision_recall"),
        *("RECALLS_11", "RECALLS_101", "interpolate_precision", "precision_at"),
        *("ap_11_points", "ap_101_points", "area_under_curve"),
        *("DetectionErrors", "ERROR_KINDS", "detection_errors", "error_kind"),
        *("mend", "mended_average_precision"),
        *("FieldGeometry", "branch_layers", "receptive_field", "resnet_layers"),
    }
    modules = {
        "convolution_block": "ConvolutionBlock",
        "feature_pyramid": "FeaturePyramid",
        "identity_block": "IdentityBlock",
    }
    torch_has = {
        *("binary_cross_entropy", "convolve", "cross_entropy", "enlarge_nearest", "relu"),
        *("residual_branch", "smooth_l1", "SMOOTH_L1_BETA"),
    }
    loops = set(reference.__all__) - by_autograd - printed_in_the_book - numpy_alone - torch_has
    assert {modules.get(name, name) for name in loops} <= {*ops.__all__, *models.__all__}


@given(positions)
def test_linear_and_its_gradient(places):
    values = CURVED[0, 0, 0]
    place = torch.tensor(places, dtype=torch.float64)
    loop = [reference.linear(values, p) for p in places]
    slopes = [reference.linear_gradient(values, p) for p in places]
    assert_allclose(ops.linear(torch.tensor(values), place), loop, atol=1e-12)
    assert_allclose(ops.linear_gradient(torch.tensor(values), place), slopes, atol=1e-12)


@given(positions, st.randoms(use_true_random=False))
def test_bilinear_its_gradient_and_its_adjoint(rows, random):
    columns = [random.uniform(-3, 16) for _ in rows]
    row, column = (torch.tensor(p, dtype=torch.float64) for p in (rows, columns))
    image = CURVED[0]
    pairs = list(zip(rows, columns, strict=True))
    loop = np.stack([reference.bilinear(image, r, c) for r, c in pairs], -1)
    assert_allclose(ops.bilinear(torch.tensor(image), row, column), loop, atol=1e-12)
    slopes = np.stack([reference.bilinear_gradient(image, r, c) for r, c in pairs], -1)
    ours = torch.stack(ops.bilinear_gradient(torch.tensor(image), row, column))
    assert_allclose(ours, slopes, atol=1e-12)
    arriving = np.random.RandomState(len(rows)).randn(len(rows))
    spread = sum(
        reference.bilinear_adjoint(g, r, c, 9, 13)
        for g, (r, c) in zip(arriving, pairs, strict=True)
    )
    ours = ops.bilinear_adjoint(torch.tensor(arriving), row, column, 9, 13)
    assert_allclose(ours, spread, atol=1e-12)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(reference.GRID_RULES))
def test_resize(height, width, rule):
    loop = reference.resize(CURVED[0], (height, width), rule)
    assert_allclose(ops.resize(torch.tensor(CURVED[0]), (height, width), rule), loop, atol=1e-12)
    signal = CURVED[0, 0, 0]
    loop = reference.resize_linear(signal, width, rule)
    assert_allclose(ops.resize_linear(torch.tensor(signal), width, rule), loop, atol=1e-12)
    ours = ops.source_positions(width, height, rule)
    assert_allclose(ours, reference.source_positions(width, height, rule), atol=1e-6)


@given(st.lists(st.integers(-999, 999), min_size=1), st.sampled_from(reference.ROUNDING_RULES))
def test_quantize(quarters, rule):
    values = np.array(quarters) / 4
    assert_array_equal(ops.quantize(torch.tensor(values), rule), reference.quantize(values, rule))
    ours = ops.quantization_error(torch.tensor(values), rule)
    assert_array_equal(ours, reference.quantization_error(values, rule))


def test_boxes():
    first, second = (draw(kind, 20, CURVED.shape)[:, 1:] for kind in ("inside", "border"))
    for boxes in (second, draw("inverted x", 20, CURVED.shape)[:, 1:], first[:0]):
        ours = ops.box_iou(*tensors(first, boxes))
        assert_allclose(ours, reference.box_iou(first, boxes), atol=1e-6)
    assert_allclose(ops.box_area(torch.tensor(first)), reference.box_area(first), rtol=1e-6)
    nothing = torch.zeros(1, 4)
    assert ops.box_iou(nothing, nothing).item() == reference.box_iou(nothing, nothing).item() == 0


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_roi_align_and_both_its_gradients(kind, setting, aligned):
    size, scale, ratio = setting
    rois = draw(kind, 8, CURVED.shape, scale).astype(float)
    arriving = np.random.RandomState(1).randn(8, 3, *size)
    features, boxes = (tensor.requires_grad_() for tensor in tensors(CURVED, rois))
    pooled = ops.roi_align(features, boxes, size, scale, ratio, aligned)
    pooled.backward(torch.tensor(arriving))
    options = (scale, ratio, aligned)
    loop = reference.roi_align(CURVED, rois, size, *options)
    assert_allclose(pooled.detach(), loop, atol=1e-12)
    spread = reference.roi_align_backward(arriving, CURVED, rois, *options)
    assert_allclose(features.grad, spread, atol=1e-11)
    if (kind, scale) not in ON_A_KINK:
        slopes = reference.roi_align_box_gradient(arriving, CURVED, rois, *options)
        assert_allclose(boxes.grad[:, 1:], slopes, atol=1e-9)


@pytest.mark.parametrize("mode", ["max", "average"])
@pytest.mark.parametrize("setting", [((3, 2), 1.0), ((7, 7), 1 / 16), ((2, 5), 0.3)])
@pytest.mark.parametrize("kind", KINDS)
def test_roi_pool_and_its_gradient(kind, setting, mode):
    rois = draw(kind, 20, CURVED.shape, setting[1]).astype(float)
    arriving = np.random.RandomState(1).randn(20, 3, *setting[0])
    features = torch.tensor(CURVED, requires_grad=True)
    pooled = ops.roi_pool(features, torch.tensor(rois), *setting, mode=mode)
    pooled.backward(torch.tensor(arriving))
    assert_allclose(pooled.detach(), reference.roi_pool(CURVED, rois, *setting, mode), atol=1e-12)
    spread = reference.roi_pool_backward(arriving, CURVED, rois, setting[1], mode)
    assert_allclose(features.grad, spread, atol=1e-11)


def test_nan_cells_win_nothing_and_a_bin_without_numbers_pays_nobody():
    rois = draw("inside", 30, CURVED.shape).astype(float)
    holes = np.where(np.random.RandomState(2).rand(*CURVED.shape) < 0.6, np.nan, CURVED)
    holes[..., 2:5, 1:7] -= np.inf  # what is a number there becomes minus infinity
    arriving = np.random.RandomState(1).randn(30, 3, 3, 4)
    features = torch.tensor(holes, requires_grad=True)
    pooled = ops.roi_pool(features, torch.tensor(rois), (3, 4))
    pooled.backward(torch.tensor(arriving))
    loop = reference.roi_pool(holes, rois, (3, 4))
    assert np.isnan(loop).any()
    assert np.isneginf(loop).any()
    assert_allclose(pooled.detach(), loop, atol=0)
    assert_allclose(features.grad, reference.roi_pool_backward(arriving, holes, rois), atol=1e-12)
    assert not features.grad[torch.isnan(features)].any()

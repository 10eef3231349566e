"""Deformable convolution against torchvision: values and every gradient, also of odd offsets."""

import numpy as np
import pytest
import torch
import torchvision

from roilearn import ops, reference

CASES = {
    "plain": {},
    "mask": {"mask": True},
    "no bias": {"bias": False},
    "stride": {"stride": (2, 1)},
    "padding": {"padding": (2, 1)},
    "dilation": {"dilation": (1, 2)},
    "groups": {"groups": 2},
    "offset groups": {"offset_groups": 3, "mask": True},
    "both groups": {"groups": 2, "offset_groups": 3},
    "all": {
        "groups": 3,
        "offset_groups": 2,
        "mask": True,
        "stride": (1, 2),
        "padding": (1, 3),
        "dilation": (2, 1),
    },
    "numbers for pairs": {"stride": 2, "padding": 1, "dilation": 2},
    "one cell": {"kernel": (1, 1), "mask": True},
    "even window": {"kernel": (2, 4)},
}
SPREADS = {"near": 0.7, "far": 6.0, "whole cells": None}


def arguments(
    spread="near",
    kernel=(3, 2),
    groups=1,
    offset_groups=1,
    mask=False,
    bias=True,
    stride=(1, 1),
    padding=(0, 0),
    dilation=(1, 1),
    dtype=torch.float64,
    images=2,
):
    random = torch.Generator().manual_seed(len(spread) + groups)

    def draw(*shape):
        return torch.randn(shape, generator=random, dtype=torch.float64).to(dtype)

    features, weight = draw(images, 6, 7, 9), draw(6, 6 // groups, *kernel)
    steps = {"stride": stride, "padding": padding, "dilation": dilation}
    size = torch.nn.functional.conv2d(features, weight, groups=groups, **steps).shape[2:]
    cells = kernel[0] * kernel[1] * offset_groups
    offset = draw(images, 2 * cells, *size)
    offset = (3 * offset).round() if SPREADS[spread] is None else SPREADS[spread] * offset
    tensors = {"input": features, "offset": offset, "weight": weight}
    tensors |= {"bias": draw(6)} if bias else {}
    tensors |= {"mask": draw(images, cells, *size)} if mask else {}
    return tensors, steps


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case, spread):
    tensors, steps = arguments(spread, **CASES[case])
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    theirs = torchvision.ops.deform_conv2d(**leaves, **steps)
    ours = ops.deform_conv2d(**leaves, **steps)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    incoming = torch.randn(ours.shape, dtype=ours.dtype)
    wanted, found = (
        torch.autograd.grad(out, list(leaves.values()), incoming) for out in (theirs, ours)
    )
    for name, one, other in zip(leaves, found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9, msg=lambda m, n=name: n + m)


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("case", CASES)
def test_the_loop(case, spread):
    tensors, steps = arguments(spread, **CASES[case], images=1)
    wanted = torchvision.ops.deform_conv2d(**tensors, **steps)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    np.testing.assert_allclose(reference.deform_conv2d(**arrays, **steps), wanted, atol=1e-10)


@pytest.mark.parametrize("shift", [-1, -2, 7, 8, 9, 1e6, -1e30, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1])
def test_offsets_to_the_border_and_beyond(shift, axis):
    tensors, _ = arguments(kernel=(1, 1), mask=True)
    tensors["offset"] = torch.zeros_like(tensors["offset"])
    tensors["offset"][:, axis] = shift
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    theirs, ours = torchvision.ops.deform_conv2d(**leaves), ops.deform_conv2d(**leaves)
    torch.testing.assert_close(ours, theirs)
    arrays = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    np.testing.assert_allclose(reference.deform_conv2d(**arrays), theirs.detach(), atol=1e-10)
    gradients = torch.autograd.grad(ours.sum(), list(leaves.values()))
    assert all(gradient.isfinite().all() for gradient in gradients)
    if abs(shift) < 1e6:
        wanted = torch.autograd.grad(theirs.sum(), list(leaves.values()))
        torch.testing.assert_close(gradients, wanted)


def test_no_images():
    tensors, _ = arguments(images=0, mask=True)
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    output = ops.deform_conv2d(**leaves)
    assert output.shape == torchvision.ops.deform_conv2d(**leaves).shape
    output.sum().backward()
    assert leaves["weight"].grad.eq(0).all()
    arrays = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    assert reference.deform_conv2d(**arrays).shape == output.shape


def test_float32():
    tensors, steps = arguments("far", **CASES["all"], dtype=torch.float32)
    theirs = torchvision.ops.deform_conv2d(**tensors, **steps)
    torch.testing.assert_close(ops.deform_conv2d(**tensors, **steps), theirs)


def test_the_layer():
    options = {"stride": 2, "padding": 1, "groups": 3}
    torch.manual_seed(0)
    theirs = torchvision.ops.DeformConv2d(6, 12, (3, 2), **options)
    torch.manual_seed(0)
    ours = ops.DeformConv2d(6, 12, (3, 2), **options)
    assert repr(ours) == repr(theirs)
    for (name, one), (other_name, other) in zip(
        ours.state_dict().items(), theirs.state_dict().items(), strict=True
    ):
        assert name == other_name
        assert torch.equal(one, other)
    features, offset = torch.randn(2, 6, 8, 9), torch.randn(2, 12, 4, 5)
    for given in ((features, offset), (features, offset, torch.rand(2, 6, 4, 5))):
        torch.testing.assert_close(ours(*given), theirs(*given))
    without = {"bias": False, "dilation": (1, 2)}
    assert repr(ops.DeformConv2d(3, 2, 1, **without)) == repr(
        torchvision.ops.DeformConv2d(3, 2, 1, **without)
    )

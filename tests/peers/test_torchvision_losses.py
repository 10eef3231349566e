"""Losses of pairs of boxes and the focal loss against torchvision: values and gradients."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw

from roilearn import ops, reference

IOU_LOSSES = ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"]
REDUCTIONS = ["none", "mean", "sum"]
SHAPE = (1, 1, 30, 50)
FLAT = torch.tensor([[2.0, 2, 2, 2], [0, 0, 4, 0], [0, 0, 0, 4], [0, 0, 4, 4], [9, 9, 9, 9]])


def pairs(kind, dtype=torch.float64):
    given = (draw(one, 60, SHAPE, seed=n)[:, 1:] for n, one in enumerate(("inside", kind)))
    return [torch.tensor(boxes, dtype=dtype).requires_grad_() for boxes in given]


def gradients(losses, *leaves):
    weights = torch.linspace(1, 2, losses.numel(), dtype=losses.dtype).reshape(losses.shape)
    return torch.autograd.grad((losses * weights).sum(), leaves)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", IOU_LOSSES)
def test_iou_losses(name, kind):
    for first, second in (pairs(kind), pairs(kind)[::-1]):
        theirs = getattr(torchvision.ops, name)(first, second)
        ours = getattr(ops, name)(first, second)
        known = theirs.isfinite()
        torch.testing.assert_close(ours[known], theirs[known])
        assert ours.isfinite().all()
        loop = getattr(reference, name)(first.detach().numpy(), second.detach().numpy())
        np.testing.assert_allclose(loop, ours.detach(), rtol=1e-9, atol=1e-12)
        found, wanted = gradients(ours, first, second), gradients(theirs, first, second)
        for one, other in zip(found, wanted, strict=True):
            assert one.isfinite().all()
            known = other.isfinite().all(1)
            torch.testing.assert_close(one[known], other[known])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("eps", [1e-7, 0.5])
@pytest.mark.parametrize("name", IOU_LOSSES)
def test_reductions_and_eps_of_iou_losses(name, eps, reduction):
    first, second = (boxes.detach() / 10 for boxes in pairs("inside"))
    theirs = getattr(torchvision.ops, name)(first, second, reduction, eps)
    torch.testing.assert_close(getattr(ops, name)(first, second, reduction, eps), theirs)
    loop = getattr(reference, name)(first.numpy(), second.numpy(), reduction, eps)
    np.testing.assert_allclose(loop, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
@pytest.mark.parametrize("name", IOU_LOSSES)
def test_dtypes_and_shapes_of_iou_losses(name, dtype):
    first, second = (boxes.detach().to(dtype) for boxes in pairs("inside"))
    theirs = getattr(torchvision.ops, name)(first, second)
    ours = getattr(ops, name)(first, second)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(getattr(ops, name)(first[3], second[3]), theirs[3])
    batch = getattr(ops, name)(first.reshape(3, 20, 4), second.reshape(3, 20, 4))
    torch.testing.assert_close(batch, theirs.reshape(3, 20))


@pytest.mark.parametrize("eps", [1e-7, 0.0])
@pytest.mark.parametrize("name", IOU_LOSSES)
def test_boxes_of_no_area_have_finite_losses_and_gradients(name, eps):
    first = FLAT.repeat(len(FLAT), 1).requires_grad_()
    second = FLAT.repeat_interleave(len(FLAT), 0).requires_grad_()
    losses = getattr(ops, name)(first, second, eps=eps)
    assert losses.isfinite().all()
    assert all(one.isfinite().all() for one in gradients(losses, first, second))
    loop = getattr(reference, name)(first.detach().numpy(), second.detach().numpy(), eps=eps)
    np.testing.assert_allclose(loop, losses.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", IOU_LOSSES)
def test_no_boxes(name, reduction):
    none = torch.zeros(0, 4, requires_grad=True)
    loss = getattr(ops, name)(none, none, reduction)
    torch.testing.assert_close(loss, getattr(torchvision.ops, name)(none, none, reduction))
    loss.sum().backward()
    assert none.grad.shape == (0, 4)
    loop = getattr(reference, name)(np.zeros((0, 4)), np.zeros((0, 4)), reduction)
    np.testing.assert_array_equal(loop, loss.detach())


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 3.5])
@pytest.mark.parametrize("alpha", [0.25, 0, 1, -1, 0.9])
def test_focal_loss(alpha, gamma, reduction):
    random = torch.Generator().manual_seed(3)
    logits = (torch.randn(4, 5, 3, generator=random, dtype=torch.float64) * 3).requires_grad_()
    soft = torch.rand(4, 5, 3, generator=random)
    for targets in (soft.round(), soft):
        options = (targets.double(), alpha, gamma, reduction)
        theirs = torchvision.ops.sigmoid_focal_loss(logits, *options)
        ours = ops.sigmoid_focal_loss(logits, *options)
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(gradients(ours, logits), gradients(theirs, logits))
        loop = reference.sigmoid_focal_loss(logits.detach().numpy(), *options)
        np.testing.assert_allclose(loop, theirs.detach())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_dtypes_of_the_focal_loss(dtype):
    logits = torch.linspace(-6, 6, 20).to(dtype)
    targets = (torch.arange(20) % 2).to(dtype)
    theirs = torchvision.ops.sigmoid_focal_loss(logits, targets)
    ours = ops.sigmoid_focal_loss(logits, targets)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours, theirs, atol=1e-2, rtol=2e-2)
    assert torch.equal(ops.sigmoid_focal_loss(logits, targets.long()), ours)
    assert torch.equal(ops.sigmoid_focal_loss(logits, targets.bool()), ours)


@pytest.mark.parametrize("gamma", [0, 0.5, 2])
def test_confident_logits_have_finite_focal_losses_and_gradients(gamma):
    logits = torch.tensor([-1e4, -200.0, -30, 30, 200, 1e4], requires_grad=True)
    for target in (0, 1):
        targets = torch.full_like(logits, target).detach()
        losses = ops.sigmoid_focal_loss(logits, targets, gamma=gamma)
        (gradient,) = torch.autograd.grad(losses.sum(), logits)
        assert losses.isfinite().all()
        assert gradient.isfinite().all()
        loop = reference.sigmoid_focal_loss(logits.detach().numpy(), targets, gamma=gamma)
        np.testing.assert_allclose(loop, losses.detach(), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_no_logits(reduction):
    none = torch.zeros(0, 3, requires_grad=True)
    loss = ops.sigmoid_focal_loss(none, none.detach(), reduction=reduction)
    loss.sum().backward()
    assert none.grad.shape == (0, 3)
    loop = reference.sigmoid_focal_loss(np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
    np.testing.assert_array_equal(loop, loss.detach())

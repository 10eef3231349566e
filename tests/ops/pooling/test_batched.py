"""``torch.vmap``, batched gradients and ``torch.func``: the same numbers as one after the other."""

import pytest
import torch
from every_operator import FEATURES, POOLING, TO_BOXES, rois_of
from torch.autograd.functional import hessian, jacobian

from roilearn import ops

MANY = torch.stack([FEATURES, FEATURES.flip(-1) * 2, FEATURES.square()])


def moved(name):
    """Three times the boxes, each time elsewhere; the indices of the images stay."""
    rois = rois_of(name)
    shift = torch.zeros(3, 1, rois.shape[1])
    shift[..., 1:3] = torch.tensor([0, 0.6, -0.9])[:, None, None]
    return rois + shift


def one_by_one(function, *batches):
    return torch.stack([function(*each) for each in zip(*batches, strict=True)])


@pytest.mark.parametrize("name", POOLING)
def test_vmap_over_features_and_boxes(name):
    pool, rois = POOLING[name], rois_of(name)
    boxes = moved(name)
    close = torch.testing.assert_close
    expected = one_by_one(lambda x: pool(x, rois), MANY)
    close(torch.vmap(pool, (0, None))(MANY, rois), expected)
    close(torch.vmap(pool, (2, None))(MANY.movedim(0, 2), rois), expected)
    expected = one_by_one(lambda b: pool(FEATURES, b), boxes)
    close(torch.vmap(pool, (None, 0))(FEATURES, boxes), expected)
    expected = one_by_one(pool, MANY, boxes)
    close(torch.vmap(pool)(MANY, boxes), expected)
    close(torch.vmap(pool, (2, 1))(MANY.movedim(0, 2), boxes.movedim(0, 1)), expected)


@pytest.mark.parametrize("name", POOLING)
def test_vmap_inside_vmap(name):
    pool, rois = POOLING[name], rois_of(name)
    twice = torch.stack([MANY, -MANY])
    found = torch.vmap(torch.vmap(pool, (0, None)), (0, None))(twice, rois)
    expected = one_by_one(lambda x: one_by_one(lambda y: pool(y, rois), x), twice)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", POOLING)
def test_jacobians_to_features(name):
    pool, rois = POOLING[name], rois_of(name)

    def few(x):
        return pool(x, rois)[:, :1, :, :2].sum(0)

    expected = jacobian(few, FEATURES)
    torch.testing.assert_close(jacobian(few, FEATURES, vectorize=True), expected)
    torch.testing.assert_close(torch.func.jacrev(few)(FEATURES), expected)


@pytest.mark.parametrize("name", TO_BOXES)
def test_jacobians_to_boxes(name):
    def few(b):
        return TO_BOXES[name](FEATURES, b)[:, :1, :, :2].sum(0)

    rois = rois_of(name)
    expected = jacobian(few, rois)
    torch.testing.assert_close(jacobian(few, rois, vectorize=True), expected)
    torch.testing.assert_close(torch.func.jacrev(few)(rois), expected)


@pytest.mark.parametrize("name", ["roi_align", "multi_scale_roi_align", "prroi_pool"])
def test_second_derivatives(name):
    def loss(b):
        return TO_BOXES[name](FEATURES, b)[:, :1].square().sum()

    rois = rois_of(name)
    expected = hessian(loss, rois)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(hessian(loss, rois, vectorize=True), expected)


@pytest.mark.parametrize("name", POOLING)
def test_gradients_of_many_losses_at_once(name):
    """Per-sample gradients: ``vmap(grad)``; and ``is_grads_batched``, twice differentiable."""
    pool, rois = POOLING[name], rois_of(name)

    def loss(x):
        return pool(x, rois).square().sum()

    expected = one_by_one(torch.func.grad(loss), MANY)
    torch.testing.assert_close(torch.vmap(torch.func.grad(loss))(MANY), expected)
    x = FEATURES.clone().requires_grad_()
    pooled = pool(x, rois)
    incoming = torch.stack([torch.ones_like(pooled), pooled.detach(), pooled.detach().square()])
    (found,) = torch.autograd.grad(pooled, x, incoming, is_grads_batched=True, retain_graph=True)
    expected = one_by_one(
        lambda g: torch.autograd.grad(pooled, x, g, retain_graph=True)[0], incoming
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@pytest.mark.parametrize("name", ["roi_align", "roi_align, 3 samples", "crop_and_resize"])
def test_gradients_of_many_boxes_at_once(name):
    def loss(b):
        return POOLING[name](FEATURES, b).square().sum()

    gradient, boxes = torch.func.grad(loss), moved(name)
    torch.testing.assert_close(torch.vmap(gradient)(boxes), one_by_one(gradient, boxes))


def test_how_many_boxes_are_kept_is_unknown_inside_vmap():
    boxes, scores = torch.rand(2, 3, 4), torch.rand(2, 3)
    with pytest.raises(ValueError, match=r"boxes must have values.*that torch\.vmap maps over"):
        torch.vmap(lambda b, s: ops.nms(b, s, 0.5))(boxes, scores)
    with pytest.raises(ValueError, match=r"boxes must have values.*that torch\.vmap maps over"):
        torch.vmap(lambda b: ops.remove_small_boxes(b, 1))(boxes)

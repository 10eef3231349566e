"""Masks in PyTorch: equal to the reference, differentiable, deterministic."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops, reference

SIZE = (17, 23)
RULES = ops.PASTE_RULES
STATE = np.random.RandomState(0)
MASKS = torch.tensor(STATE.rand(40, 1, 9, 9))
FIRST = STATE.uniform(-12, 26, (40, 2))
BOXES = torch.tensor(np.hstack([FIRST, FIRST + STATE.uniform(-3, 22, (40, 2))]))
TWO = torch.tensor([[1.13, 0.7, 5.41, 4.9], [-1.0, 2.2, 3.33, 9.0]], dtype=torch.float64)


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("rule", RULES)
def test_pasting_in_both_implementations(rule, padding):
    """Boxes inside, across every edge, outside, inverted along one axis or both."""
    slow = reference.paste_masks_in_image(
        MASKS.numpy(), BOXES.numpy(), SIZE, padding, coordinates=rule
    )
    fast = ops.paste_masks_in_image(MASKS, BOXES, SIZE, padding, coordinates=rule)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-12)
    for threshold in (0.0, 0.3, 0.5):
        cut = ops.paste_masks_in_image(MASKS, BOXES, SIZE, padding, threshold, rule)
        assert cut.dtype == torch.bool
        assert torch.equal(cut, fast > threshold)
    cut = reference.paste_masks_in_image(MASKS.numpy(), BOXES.numpy(), SIZE, padding, 0, rule)
    np.testing.assert_array_equal(cut, slow > 0)


@pytest.mark.parametrize("exclusive", [False, True])
def test_boxes_around_masks_in_both_implementations(exclusive):
    masks = STATE.rand(30, 9, 11) > STATE.uniform(0.5, 1, (30, 1, 1))
    masks[4] = False
    for each in (masks, np.where(masks, -0.5, 0.0), np.where(masks, 256, 0)):
        fast = ops.masks_to_boxes(torch.tensor(each), exclusive)
        np.testing.assert_array_equal(fast, reference.masks_to_boxes(each, exclusive))
        assert fast.dtype == torch.float32


def test_full_masks_fill_their_boxes_exactly():
    first = STATE.randint(0, 12, (50, 2))
    boxes = torch.tensor(np.hstack([first, first + STATE.randint(1, 12, (50, 2))])).float()
    full = torch.ones(50, 1, 28, 28)
    pasted = ops.paste_masks_in_image(full, boxes, (24, 24), 0, coordinates="aligned")
    expected = torch.zeros_like(pasted)
    for n, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
        expected[n, 0, y1:y2, x1:x2] = 1
    assert torch.equal(pasted, expected)
    assert torch.equal(ops.masks_to_boxes(pasted[:, 0], exclusive=True), boxes)


@pytest.mark.parametrize("padding", [0, 1])
def test_gradients_when_aligned(padding):
    masks = torch.tensor(STATE.rand(2, 1, 3, 3), requires_grad=True)
    boxes = TWO.clone().requires_grad_()

    def paste(masks, boxes):
        return ops.paste_masks_in_image(masks, boxes, (6, 7), padding, coordinates="aligned")

    assert gradcheck(paste, (masks, boxes))
    assert gradgradcheck(paste, (masks, boxes))


def test_gradients_by_torchvisions_rule_go_to_masks_alone():
    masks = torch.tensor(STATE.rand(2, 1, 3, 3), requires_grad=True)
    boxes = TWO.clone().requires_grad_()
    assert gradcheck(lambda m: ops.paste_masks_in_image(m, TWO, (6, 7)), masks)
    assert gradgradcheck(lambda m: ops.paste_masks_in_image(m, TWO, (6, 7)), masks)
    pasted = ops.paste_masks_in_image(masks, boxes, (6, 7))
    (slope,) = torch.autograd.grad(pasted.sum(), boxes, allow_unused=True)
    assert slope is None


@pytest.mark.parametrize("rule", RULES)
def test_values_that_are_not_read_give_the_same_image(rule):
    def paste(masks, boxes):
        return ops.paste_masks_in_image(masks, boxes, SIZE, 1, coordinates=rule)

    compiled = torch.compile(paste, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(MASKS, BOXES), paste(MASKS, BOXES), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_the_same_bits_at_one_and_at_two_threads(rule):
    threads, results = torch.get_num_threads(), []
    masks, boxes = MASKS.float().requires_grad_(), BOXES.float() * 8
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            pasted = ops.paste_masks_in_image(masks, boxes, (150, 190), coordinates=rule)
            results.append([pasted, *torch.autograd.grad(pasted.square().sum(), masks)])
    finally:
        torch.set_num_threads(threads)
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float32, 2e-6), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)]
)
@pytest.mark.parametrize("rule", RULES)
def test_other_dtypes(rule, dtype, error):
    whole = BOXES.round()
    exact = ops.paste_masks_in_image(MASKS.to(dtype).double(), whole, SIZE, 0, coordinates=rule)
    pasted = ops.paste_masks_in_image(MASKS.to(dtype), whole.float(), SIZE, 0, coordinates=rule)
    assert pasted.dtype == dtype
    torch.testing.assert_close(pasted.double(), exact, rtol=0, atol=error)


def test_layouts_and_boxes_of_whole_numbers():
    whole = BOXES.round()
    masks = MASKS.mT
    for rule in RULES:
        expected = ops.paste_masks_in_image(masks.contiguous(), whole, SIZE, coordinates=rule)
        pasted = ops.paste_masks_in_image(masks, whole, SIZE, coordinates=rule)
        assert torch.equal(pasted, expected)
    pasted = ops.paste_masks_in_image(masks.float(), whole.long(), SIZE)
    assert torch.equal(pasted, ops.paste_masks_in_image(masks.float(), whole.float(), SIZE))


def test_a_box_too_large_to_stretch_over():
    masks, boxes = torch.ones(1, 1, 4, 4), torch.tensor([[0.0, 0, 1e5, 1e4]])
    with pytest.raises(ValueError, match=r"boxes must be small enough .* one of 15001 x"):
        ops.paste_masks_in_image(masks, boxes, (4, 5), 1)
    aligned = ops.paste_masks_in_image(masks, boxes, (4, 5), 0, coordinates="aligned")
    assert torch.equal(aligned, torch.ones(1, 1, 4, 5))

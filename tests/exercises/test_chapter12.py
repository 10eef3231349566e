"""The answers of chapter 12 are right by another road: the package's losses and its pasting."""

import numpy as np
import pytest
import torch

from roilearn import exercises, models, ops, reference
from roilearn.exercises import chapter12


def test_numbers_by_hand_are_the_package_s():
    cell = reference.binary_cross_entropy(np.log(4), 0)
    assert cell == pytest.approx(chapter12.CELL.answer)
    predicted, true = torch.tensor([0.2, 0.7, -0.1, 0]), torch.tensor([0.1, -0.7, -0.1, 0.05])
    deltas, targets = torch.zeros(8, 2, 4), torch.zeros(8, 4)
    deltas[0, 1], targets[0] = predicted, true
    labels = torch.tensor([1, 1, 0, 0, 0, 0, 0, 0])
    losses = models.box_losses(torch.zeros(8, 2), deltas, labels, targets)
    assert losses["loss_box_reg"].item() == pytest.approx(chapter12.BOX_LOSS.answer, abs=1e-6)


def test_the_place_in_the_mask_is_where_the_package_reads():
    ramp = torch.arange(28.0).expand(1, 1, 28, 28)
    box = torch.tensor([[10.4, 0, 24.4, 14]])
    pasted = ops.paste_masks_in_image(ramp, box, (14, 30), 0, coordinates="aligned")
    assert pasted[0, 0, 7, 12].item() == pytest.approx(chapter12.PLACE.answer, abs=1e-5)


@pytest.mark.parametrize("call", chapter12.MASK_LOSS.calls)
def test_a_mask_loss_is_the_package_s(call):
    logits, labels, targets = call
    if not labels:
        assert chapter12.mask_loss(*call) == 0
        return
    chosen = torch.tensor(logits, dtype=torch.float64)[range(len(labels)), labels][:, None]
    expected = models.mask_loss(chosen, torch.tensor(targets, dtype=torch.float64))
    assert chapter12.mask_loss(*call) == pytest.approx(expected.item())


@pytest.mark.parametrize("call", chapter12.PASTE.calls)
def test_a_pasted_mask_is_the_package_s(call):
    mask, box, height, width = call
    masks = torch.tensor(mask, dtype=torch.float64)[None, None]
    boxes = torch.tensor([box], dtype=torch.float64)
    options = {"padding": 0, "threshold": 0.5, "coordinates": "aligned"}
    expected = ops.paste_masks_in_image(masks, boxes, (height, width), **options)
    np.testing.assert_array_equal(chapter12.paste_mask(*call), expected[0, 0])


def test_vectorised_answers_pass():
    def mask_loss(mask_logits, labels, targets):
        if not labels:
            return 0.0
        t = np.array(mask_logits)[np.arange(len(labels)), labels]
        return (np.logaddexp(0, t) - t * np.array(targets)).mean()

    def paste_mask(mask, box, height, width):
        masks, boxes = torch.tensor(mask)[None, None].double(), torch.tensor([box]).double()
        options = {"padding": 0, "threshold": 0.5, "coordinates": "aligned"}
        return ops.paste_masks_in_image(masks, boxes, (height, width), **options)[0, 0].numpy()

    assert exercises.check("12.4", mask_loss)
    assert exercises.check("12.5", paste_mask)

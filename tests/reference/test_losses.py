"""The losses of a detector: the package's PyTorch versions agree, and a few numbers by hand."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from roilearn import models, reference


@pytest.mark.parametrize("logit", [-800.0, -3.0, 0.0, 0.7, 800.0])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_of_any_logit(logit, target):
    wanted = functional.binary_cross_entropy_with_logits(
        torch.tensor(logit, dtype=torch.float64), torch.tensor(target, dtype=torch.float64)
    )
    assert reference.binary_cross_entropy(logit, target) == pytest.approx(wanted.item())


@pytest.mark.parametrize("scale", [1, 1000])
def test_cross_entropy_of_any_logits(scale):
    logits = torch.tensor([0.3, -1.2, 0.9, 0.1], dtype=torch.float64) * scale
    for label in range(4):
        wanted = functional.cross_entropy(logits, torch.tensor(label))
        assert reference.cross_entropy(logits.numpy(), label) == pytest.approx(wanted.item())


@pytest.mark.parametrize("beta", [1 / 9, 1.0])
def test_smooth_l1_below_at_and_above_beta(beta):
    for error in (0.0, beta / 3, beta, 2 * beta, -5.0):
        wanted = functional.smooth_l1_loss(
            torch.tensor(error, dtype=torch.float64),
            torch.zeros((), dtype=torch.float64),
            beta=beta,
        )
        assert reference.smooth_l1(error, 0.0, beta) == pytest.approx(wanted.item())


def test_smooth_l1_is_smooth_where_the_line_begins():
    below, above = (reference.smooth_l1(0.5 + step, 0.0, 0.5) for step in (-1e-6, 1e-6))
    assert (above - below) / 2e-6 == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_losses_are_those_of_the_models(seed):
    random = np.random.RandomState(seed)
    count = random.randint(0, 5)
    logits, deltas = random.normal(0, 3, (count, 4)), random.normal(0, 0.3, (count, 4, 4))
    labels, true = random.randint(0, 4, count), random.normal(0, 0.3, (count, 4))
    tensors = (torch.tensor(array) for array in (logits, deltas, labels, true))
    wanted = models.box_losses(*tensors)
    ours = reference.box_losses(logits, deltas, labels.tolist(), true)
    assert ours == pytest.approx({name: loss.item() for name, loss in wanted.items()})
    masks, targets = random.normal(0, 3, (count, 1, 5, 5)), random.rand(count, 5, 5)
    wanted = models.mask_loss(torch.tensor(masks), torch.tensor(targets))
    assert reference.mask_loss(masks, targets) == pytest.approx(wanted.item())


def test_rows_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="mask_logits"):
        reference.mask_loss(np.zeros((2, 1, 3, 3)), np.zeros((1, 3, 3)))
    with pytest.raises(ValueError, match="deltas"):
        reference.box_losses(np.zeros((1, 4)), np.zeros((2, 4, 4)), [1], np.zeros((1, 4)))
    with pytest.raises(ValueError, match="target_deltas"):
        reference.box_losses(np.zeros((1, 4)), np.zeros((1, 4, 4)), [1], np.zeros((2, 4)))


@pytest.mark.parametrize("label", [-1, 4])
def test_a_label_that_is_no_class_is_named(label):
    with pytest.raises(ValueError, match=f"labels must be 0 to 3.*got {label} in row 1"):
        reference.box_losses(np.zeros((2, 4)), np.zeros((2, 4, 4)), [1, label], np.zeros((2, 4)))


def test_a_cell_that_is_sure_and_wrong_costs_its_logit():
    assert reference.binary_cross_entropy(20.0, 0.0) == pytest.approx(20, abs=1e-8)
    assert reference.cross_entropy([0.0, 0.0, 0.0], 2) == pytest.approx(math.log(3))

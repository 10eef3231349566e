"""The mask head: sizes, initial weights, and the mask logits of one class only."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from roilearn import models


@pytest.fixture
def predictor():
    torch.manual_seed(0)
    return models.MaskPredictor(6, 5, 7)


def test_convolutions_keep_the_size_and_the_predictor_doubles_it(predictor):
    features = models.MaskHead(3, (4, 8, 6))(torch.randn(2, 3, 14, 10))
    assert features.shape == (2, 6, 14, 10)
    assert predictor(features).shape == (2, 7, 28, 20)


def test_features_keep_their_spread_through_four_layers():
    torch.manual_seed(0)
    before = torch.randn(8, 64, 14, 14)
    after = models.MaskHead(64, (64,) * 4)(before)
    assert 0.5 < (after**2).mean() / (before**2).mean() < 2


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_rows_of_weights_picked_before_give_the_channels_picked_after(predictor, memory_format):
    torch.manual_seed(1)
    features = torch.randn(9, 6, 14, 10).to(memory_format=memory_format)
    labels = torch.randint(0, 7, (9,))
    every = predictor(features)
    picked = predictor(features, labels)
    torch.testing.assert_close(picked[:, 0], every[range(9), labels], rtol=0, atol=1e-6)


def test_gradients_reach_the_picked_class_alone(predictor):
    features, labels = torch.randn(3, 6, 4, 4), torch.tensor([2, 5, 2])
    predictor(features, labels).sum().backward()
    reached = predictor.mask_fcn_logits.weight.grad.abs().sum((1, 2, 3)) > 0
    assert reached.nonzero()[:, 0].tolist() == [2, 5]


def test_the_loss_is_the_mean_over_cells_and_boxes():
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 1, 4, 4), torch.rand(3, 4, 4)
    each = binary_cross_entropy_with_logits(logits[:, 0], targets, reduction="none")
    torch.testing.assert_close(models.mask_loss(logits, targets), each.sum() / 48)
    assert models.mask_loss(0 * logits, targets).item() == pytest.approx(math.log(2))
    assert models.mask_loss(torch.full((1, 1, 2, 2), 40.0), torch.ones(1, 2, 2)).item() < 1e-6


def test_no_object_costs_nothing_and_has_gradients(predictor):
    none = predictor(torch.zeros(0, 6, 14, 14), torch.zeros(0, dtype=torch.int64))
    assert none.shape == (0, 1, 28, 28)
    loss = models.mask_loss(none, torch.zeros(0, 28, 28))
    loss.backward()
    assert loss.item() == 0
    assert all((numbers.grad == 0).all() for numbers in predictor.parameters())


def test_a_label_is_needed_for_each_box(predictor):
    with pytest.raises(ValueError, match="labels must have a row for each of features"):
        predictor(torch.zeros(3, 6, 4, 4), torch.tensor([1]))

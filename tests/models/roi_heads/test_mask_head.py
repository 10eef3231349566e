"""The mask head: sizes, initial weights, the mask logits of one class only, and two losses."""

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


def test_equal_logits_share_the_probability_among_all_classes():
    logits, targets, labels = torch.zeros(2, 5, 3, 3), torch.rand(2, 3, 3), torch.tensor([1, 4])
    assert models.softmax_mask_loss(logits, targets, labels).item() == pytest.approx(math.log(5))


def test_a_cell_has_its_share_of_class_and_of_background():
    logits = torch.tensor([1.0, 2.0, 4.0, 1.0]).log()[None, :, None, None]  # probabilities of 8
    loss = models.softmax_mask_loss(logits, torch.full((1, 1, 1), 0.75), torch.tensor([2]))
    assert loss.item() == pytest.approx(0.75 * math.log(2) + 0.25 * math.log(8))


def test_a_softmax_over_two_maps_is_a_sigmoid_of_their_difference():
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 2, 4, 4), torch.rand(3, 4, 4)
    competing = models.softmax_mask_loss(logits, targets, torch.ones(3, dtype=torch.int64))
    torch.testing.assert_close(competing, models.mask_loss(logits[:, 1:] - logits[:, :1], targets))


def test_only_differences_between_classes_count():
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 4, 5, 5), torch.rand(3, 5, 5)
    labels = torch.tensor([1, 3, 2])
    raised = logits + torch.randn(3, 1, 5, 5)
    torch.testing.assert_close(
        models.softmax_mask_loss(raised, targets, labels),
        models.softmax_mask_loss(logits, targets, labels),
    )


def test_the_softmax_teaches_every_map_and_the_sigmoid_that_of_the_class_alone(predictor):
    features, labels = torch.randn(2, 6, 4, 4), torch.tensor([2, 5])
    targets = torch.rand(2, 8, 8)
    losses = {
        "sigmoid": models.mask_loss(predictor(features, labels), targets),
        "softmax": models.softmax_mask_loss(predictor(features), targets, labels),
    }
    reached = {}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, predictor.mask_fcn_logits.bias)
        reached[name] = gradient.nonzero()[:, 0].tolist()
    assert reached == {"sigmoid": [2, 5], "softmax": [0, 1, 2, 3, 4, 5, 6]}


def test_no_object_costs_nothing_with_a_softmax_either(predictor):
    every = predictor(torch.zeros(0, 6, 14, 14))
    none = torch.zeros(0, dtype=torch.int64)
    loss = models.softmax_mask_loss(every, torch.zeros(0, 28, 28), none)
    loss.backward()
    assert loss.item() == 0
    assert all((numbers.grad == 0).all() for numbers in predictor.parameters())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1], "labels must have a row for each of mask_logits; got 1 rows for 2"),
        ([1, 0], "labels must be 1 to 3.*got 0 in row 1"),
        ([4, 1], "labels must be 1 to 3.*got 4 in row 0"),
    ],
)
def test_a_softmax_needs_a_map_for_each_label(labels, message):
    with pytest.raises(ValueError, match=message):
        models.softmax_mask_loss(torch.zeros(2, 4, 3, 3), torch.ones(2, 3, 3), torch.tensor(labels))

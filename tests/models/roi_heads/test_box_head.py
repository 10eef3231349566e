"""The box head: shapes, and losses computed by hand."""

import math

import pytest
import torch

from roilearn import models


def test_a_pooled_box_becomes_scores_and_a_row_of_deltas_for_each_class():
    torch.manual_seed(0)
    hidden = models.BoxHead(3 * 4 * 2, 6)(torch.randn(5, 3, 4, 2))
    assert hidden.shape == (5, 6)
    assert (hidden >= 0).all()
    logits, deltas = models.BoxPredictor(6, 4)(hidden)
    assert logits.shape == (5, 4)
    assert deltas.shape == (5, 4, 4)
    assert models.BoxPredictor(6, 4, class_agnostic=True)(hidden)[1].shape == (5, 1, 4)


def test_memory_format_does_not_matter():
    torch.manual_seed(0)
    head, pooled = models.BoxHead(3 * 4 * 2, 6), torch.randn(5, 3, 4, 2)
    again = head(pooled.to(memory_format=torch.channels_last))
    torch.testing.assert_close(again, head(pooled))


def losses(logits, deltas, labels, true):
    found = models.box_losses(logits, deltas, torch.tensor(labels), true)
    return found["loss_classifier"].item(), found["loss_box_reg"].item()


def test_only_the_deltas_of_the_true_class_count():
    deltas = torch.full((3, 4, 4), 99.0)
    true = torch.randn(3, 4)
    deltas[0, 2], deltas[2, 1] = true[0], true[2]
    assert losses(torch.zeros(3, 4), deltas, [2, 0, 1], true)[1] == 0
    assert losses(torch.zeros(3, 4), deltas, [2, 0, 3], true)[1] > 90


def test_a_small_error_costs_its_square_and_a_large_one_its_size():
    deltas, true = torch.zeros(1, 2, 4), torch.zeros(1, 4)
    true[0, 0] = 1 / 18  # half of beta: 9 / 2 times its square
    assert losses(torch.zeros(1, 2), deltas, [1], true)[1] == pytest.approx(4.5 / 18**2)
    true[0, 0] = 3
    assert losses(torch.zeros(1, 2), deltas, [1], true)[1] == pytest.approx(3 - 1 / 18)


def test_background_makes_the_loss_of_boxes_smaller():
    deltas, true = torch.zeros(4, 2, 4), torch.ones(4, 4)
    alone = losses(torch.zeros(1, 2), deltas[:1], [1], true[:1])[1]
    assert losses(torch.zeros(4, 2), deltas, [1, 0, 0, 0], true)[1] == pytest.approx(alone / 4)


def test_one_row_of_deltas_serves_all_classes():
    deltas, true = torch.randn(3, 1, 4), torch.randn(3, 4)
    every = deltas.expand(3, 5, 4)
    logits, labels = torch.randn(3, 5), [4, 0, 2]
    assert losses(logits, deltas, labels, true) == losses(logits, every, labels, true)


def test_certainty_costs_nothing_and_a_certain_error_its_logit():
    logits = torch.tensor([[50.0, 0, 0], [0, 0, 50]])
    none = torch.zeros(2, 3, 4), torch.zeros(2, 4)
    assert losses(logits, none[0], [0, 2], none[1])[0] == pytest.approx(0, abs=1e-6)
    assert losses(logits, none[0], [1, 2], none[1])[0] == pytest.approx(25)
    assert losses(0 * logits, none[0], [1, 2], none[1])[0] == pytest.approx(math.log(3))


def test_nothing_sampled_costs_nothing_and_has_gradients():
    head = models.BoxPredictor(6, 4)
    logits, deltas = head(torch.zeros(0, 6))
    found = models.box_losses(logits, deltas, torch.zeros(0, dtype=torch.int64), torch.zeros(0, 4))
    sum(found.values()).backward()
    assert [loss.item() for loss in found.values()] == [0, 0]
    assert all((numbers.grad == 0).all() for numbers in head.parameters())


def test_a_class_that_the_head_does_not_know_is_named():
    with pytest.raises(ValueError, match=r"labels must be 0 to 3, for heads of 4 classes .* got 4"):
        losses(torch.zeros(2, 4), torch.zeros(2, 4, 4), [1, 4], torch.zeros(2, 4))

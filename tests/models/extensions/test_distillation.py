"""Distillation: the loss, and a student that hears labels and teacher while the teacher stays."""

import copy
import math

import pytest
import torch
from torch import nn

from roilearn import models
from roilearn.data import ShapeScenes

SMALL = {"widths": (8, 16, 16), "channels": 16, "box_layers": (8,), "representation_size": 16}


def tiny(seed=0):
    torch.manual_seed(seed)
    return models.faster_rcnn_tiny(4, **SMALL)


@pytest.fixture(scope="module")
def batch():
    scenes = ShapeScenes(2, size=96)
    return tuple(zip(*(scenes[k] for k in range(2)), strict=True))


def test_equal_logits_and_logits_moved_together_cost_nothing():
    torch.manual_seed(0)
    logits = torch.randn(5, 4)
    moved = logits + torch.randn(5, 1)
    assert models.distillation_loss(logits, logits).item() == pytest.approx(0, abs=1e-6)
    assert models.distillation_loss(moved, logits).item() == pytest.approx(0, abs=1e-6)


def test_the_teacher_s_probabilities_are_the_weights():
    teacher, student = torch.tensor([[3.0, 1.0]]).log(), torch.zeros(1, 2)  # 3/4 and 1/4; halves
    by_hand = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert models.distillation_loss(student, teacher, 1).item() == pytest.approx(by_hand)
    exchanged = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    assert models.distillation_loss(teacher, student, 1).item() == pytest.approx(exchanged)


def test_it_is_not_symmetric_and_never_below_zero():
    torch.manual_seed(0)
    one, other = 3 * torch.randn(2, 50, 4)
    there, back = models.distillation_loss(one, other), models.distillation_loss(other, one)
    assert there > 0
    assert back > 0
    assert abs(there - back) > 0.01


def test_at_a_high_temperature_the_gradient_is_that_of_the_logits_difference():
    """Hinton et al. (2015), equation 4: logits of mean 0, divided by the number of classes."""
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 1, 5)
    student, teacher = (each - each.mean() for each in (student, teacher))
    student.requires_grad_()
    models.distillation_loss(student, teacher, temperature=1000.0).backward()
    torch.testing.assert_close(student.grad, (student - teacher).detach() / 5, atol=1e-3, rtol=1e-2)


def test_labels_and_teacher_both_count_and_the_teacher_is_left_alone(batch):
    images, targets = batch
    student, teacher = tiny(0), tiny(1)
    before = copy.deepcopy(teacher.state_dict())
    both = models.Distillation(student, teacher, nn.Conv2d(16, 16, 1)).train()
    losses = both(images, targets)
    assert losses.keys() == {
        *("loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"),
        *("loss_logits", "loss_maps"),
    }
    sum(losses.values()).backward()
    assert all(each.grad is None for each in teacher.parameters())
    assert not teacher.training
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())
    assert {name.partition(".")[0] for name in both.state_dict()} == {"student", "adapter"}


def test_a_teacher_who_is_the_student_has_nothing_to_say(batch):
    images, targets = batch
    student = tiny(0).eval()
    losses = models.Distillation(student.train(), copy.deepcopy(student), nn.Identity())
    losses.student.eval()  # the same statistics of batch normalisation as the teacher
    losses.student.rpn.train()
    losses.student.roi_heads.train()
    found = losses(images, targets)
    assert found["loss_maps"].item() == pytest.approx(0, abs=1e-8)


def test_each_term_reaches_the_weights_it_should(batch):
    images, targets = batch
    student = tiny(0)
    both = models.Distillation(student, tiny(1), nn.Conv2d(16, 16, 1)).train()
    losses = both(images, targets)
    head = student.roi_heads.box_predictor
    (to_classes,) = torch.autograd.grad(
        losses["loss_logits"], head.cls_score.weight, retain_graph=True
    )
    assert to_classes.abs().sum() > 0
    none, to_body = torch.autograd.grad(
        losses["loss_maps"],
        (head.cls_score.weight, student.backbone.body.conv1.weight),
        allow_unused=True,
    )
    assert none is None
    assert to_body.abs().sum() > 0


def test_logits_are_compared_in_the_sampled_boxes_with_their_weight(batch, monkeypatch):
    images, targets = batch
    asked = []

    class Recording(nn.Module):
        def forward(self, features, boxes, sizes):
            asked.append([one.clone() for one in boxes])
            return self.pool(features, boxes, sizes)

    student, teacher = tiny(0), tiny(1)
    for model in (student, teacher):
        recording = Recording()
        recording.pool, model.roi_heads.box_roi_pool = model.roi_heads.box_roi_pool, recording
    both = models.Distillation(student, teacher, logits_weight=0.5).train()
    seen = []
    monkeypatch.setattr(
        "roilearn.models.extensions.distillation.distillation_loss",
        lambda *_: seen.append(1) or torch.tensor(3.0),
    )
    losses = both(images, targets)
    assert losses["loss_logits"].item() == 1.5
    assert len(asked) == 3  # the teacher, the losses of the labels, the student's logits
    for of_image in zip(*asked, strict=True):
        assert len(of_image[0]) <= student.roi_heads.options.batch_size_per_image
        assert torch.equal(of_image[0], of_image[1])
        assert torch.equal(of_image[0], of_image[2])

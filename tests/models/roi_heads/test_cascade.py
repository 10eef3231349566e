"""The cascade: each stage refines the boxes of the one before and demands a higher IoU."""

import pytest
import torch
from second_stage import (
    CHANNELS,
    CLASSES,
    NO_PROPOSALS,
    NOTHING,
    PROPOSALS,
    SIZES,
    TARGETS,
    make_features,
    make_heads,
)

from roilearn import models, ops


def make_cascade(stages=3, **options):
    torch.manual_seed(0)
    masks = make_heads()
    return models.CascadeHeads(
        models.RoIPooler(7, aligned=True),
        [models.BoxHead(CHANNELS * 49, 12) for _ in range(stages)],
        [models.BoxPredictor(12, CLASSES, class_agnostic=True) for _ in range(stages)],
        masks.mask_roi_pool,
        masks.mask_head,
        masks.mask_predictor,
        models.HeadOptions(**options),
        models.STAGE_IOUS[:stages],
        models.STAGE_WEIGHTS[:stages],
    )


@pytest.fixture
def features():
    return make_features()


def test_a_cascade_of_one_stage_is_the_plain_second_stage(features):
    cascade, plain = make_cascade(1, score_threshold=0.1), make_heads(score_threshold=0.1)
    plain.box_head, plain.box_predictor = cascade.box_head[0], cascade.box_predictor[0]
    found, expected = (
        heads.train()(features, PROPOSALS, SIZES, TARGETS)[1] for heads in (cascade, plain)
    )
    assert found == {
        "loss_classifier_0": expected["loss_classifier"],
        "loss_box_reg_0": expected["loss_box_reg"],
        "loss_mask": expected["loss_mask"],
    }
    with torch.no_grad():
        pairs = [heads.eval()(features, PROPOSALS, SIZES)[0] for heads in (cascade, plain)]
    for one, other in zip(*pairs, strict=True):
        assert len(one["labels"]) > 0
        for name, numbers in other.items():
            torch.testing.assert_close(one[name], numbers)


class Fixed(torch.nn.Module):
    """A predictor that says the same of every box."""

    def __init__(self, logits, deltas):
        super().__init__()
        self.logits, self.deltas = torch.tensor(logits), torch.tensor(deltas)

    def forward(self, hidden):
        rows = len(hidden)
        return self.logits.expand(rows, -1), self.deltas.expand(rows, 1, -1)


def test_boxes_move_from_stage_to_stage_and_scores_are_the_mean(features):
    """A tenth of the width by each stage's own weight: 2 px, then 1, then 2 / 3."""
    cascade = make_cascade(score_threshold=0.0)
    logits = [[0.0, 1, 2], [0.0, 3, -1], [2.0, 2, 0]]
    for stage, row in enumerate(logits):
        cascade.box_predictor[stage] = Fixed(row, [1.0, 0, 0, 0])
    with torch.no_grad():
        found = cascade.eval()(
            features, [torch.tensor([[4.0, 4, 24, 24]]), torch.zeros(0, 4)], SIZES
        )
    moved = torch.tensor([4.0, 4, 24, 24]) + torch.tensor([2 + 1 + 2 / 3, 0] * 2)
    torch.testing.assert_close(found[0][0]["boxes"], moved.expand(2, 4))
    mean = torch.tensor(logits).softmax(1).mean(0)
    expected = mean[1:].sort(descending=True)
    torch.testing.assert_close(found[0][0]["scores"], expected.values)
    assert found[0][0]["labels"].tolist() == (expected.indices + 1).tolist()


def test_each_stage_asks_for_a_better_box(features):
    """IoU 0.64 with the object: good for the first two stages, not for the third."""
    cascade = make_cascade().train()
    for stage in range(3):
        cascade.box_predictor[stage] = Fixed([0.0, 50, 0], [0.0, 0, 0, 0])
    target = {"boxes": torch.tensor([[4.0, 4, 24, 24]]), "labels": torch.tensor([1])}
    target["masks"] = torch.ones(1, *SIZES[0], dtype=torch.uint8)
    proposal = torch.tensor([[4.0, 4, 20, 20]])
    assert 0.6 < ops.box_iou(proposal, target["boxes"]).item() < 0.7
    losses = cascade(features, [proposal, torch.zeros(0, 4)], SIZES, [target, NOTHING[1]])[1]
    wrong = [losses[f"loss_classifier_{stage}"].item() for stage in range(3)]
    assert wrong == pytest.approx([0, 0, 25], abs=1e-3)  # one of two, the ground truth is right
    errors = [losses[f"loss_box_reg_{stage}"].item() for stage in range(3)]
    assert errors[1] > 1.5 * errors[0] > 0  # the weights of the second stage
    assert errors[2] == 0


def test_a_stage_learns_from_what_the_one_before_made_of_its_boxes(features):
    """All boxes are moved by their own width, off the object: background for the next stage."""
    cascade = make_cascade().train()
    for stage in range(3):
        cascade.box_predictor[stage] = Fixed([0.0, 50, 0], [10.0 if stage == 0 else 0.0, 0, 0, 0])
    target = {"boxes": torch.tensor([[4.0, 4, 24, 24]]), "labels": torch.tensor([1])}
    target["masks"] = torch.ones(1, *SIZES[0], dtype=torch.uint8)
    proposals = [torch.tensor([[4.0, 4, 20, 20]]), torch.zeros(0, 4)]
    losses = cascade(features, proposals, SIZES, [target, NOTHING[1]])[1]
    wrong = [losses[f"loss_classifier_{stage}"].item() for stage in range(3)]
    assert wrong == pytest.approx([0, 50, 50], abs=1e-3)
    assert losses["loss_box_reg_0"] > 0
    assert losses["loss_box_reg_1"] == losses["loss_box_reg_2"] == 0


def test_losses_reach_every_stage_and_no_gradient_goes_back_through_boxes(features):
    cascade = make_cascade().train()
    losses = cascade(features, PROPOSALS, SIZES, TARGETS)[1]
    assert len(losses) == 7
    losses["loss_box_reg_1"].backward(retain_graph=True)
    assert cascade.box_predictor[0].bbox_pred.weight.grad is None
    sum(losses.values()).backward()
    assert all(numbers.grad is not None for numbers in cascade.parameters())


def test_without_objects_or_proposals(features):
    cascade = make_cascade()
    losses = cascade.train()(features, NO_PROPOSALS, SIZES, NOTHING)[1]
    assert all(loss == 0 for loss in losses.values())
    with torch.no_grad():
        assert [len(i["boxes"]) for i in cascade.eval()(features, NO_PROPOSALS, SIZES)[0]] == [0, 0]


def test_as_many_parts_as_stages():
    with pytest.raises(ValueError, match="box_heads, box_predictors, ious, weights must have one"):
        models.CascadeHeads(*[None], [None] * 2, [None] * 3, None, None, None)

"""The RoI heads as one module: required targets, outputs, and images without objects."""

import pytest
import torch
from second_stage import (
    CLASSES,
    NO_PROPOSALS,
    NOTHING,
    PROPOSALS,
    SIZES,
    TARGETS,
    make_features,
    make_heads,
)

from roilearn import models


@pytest.fixture
def features():
    return make_features()


def losses(heads, features, proposals=PROPOSALS, targets=TARGETS):
    found, losses = heads.train()(features, proposals, SIZES, targets)
    assert found == []
    return losses


def test_in_training_losses_and_else_detections_with_masks(features):
    heads = make_heads(score_threshold=0.1, detections_per_image=2)
    assert set(losses(heads, features)) == {"loss_classifier", "loss_box_reg", "loss_mask"}
    found, none = heads.eval()(features, PROPOSALS, SIZES)
    assert none == {}
    for image in found:
        assert set(image) == {"boxes", "labels", "scores", "masks"}
        assert image["boxes"].shape == (2, 4)
        assert image["masks"].shape == (2, 1, 28, 28)
        assert ((image["masks"] >= 0) & (image["masks"] <= 1)).all()


def test_maps_by_name_or_in_order(features):
    heads = make_heads().eval()
    named = {str(k): level for k, level in enumerate(features)}
    first, again = (heads(maps, PROPOSALS, SIZES)[0][0] for maps in (features, named))
    assert torch.equal(first["scores"], again["scores"])


def test_masks_of_the_detected_class(features):
    heads = make_heads(score_threshold=0.1).eval()
    found = heads(features, PROPOSALS, SIZES)[0][0]
    pooled = heads.mask_roi_pool(features, [found["boxes"], torch.zeros(0, 4)], SIZES)
    every = heads.mask_predictor(heads.mask_head(pooled)).sigmoid()
    expected = every[range(len(every)), found["labels"]]
    assert set(found["labels"].tolist()) == {1, 2}
    torch.testing.assert_close(found["masks"][:, 0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("proposals", "targets", "free"),
    [
        (PROPOSALS, NOTHING, {"loss_box_reg", "loss_mask"}),
        (NO_PROPOSALS, TARGETS, set()),
        (NO_PROPOSALS, NOTHING, {"loss_classifier", "loss_box_reg", "loss_mask"}),
        ([PROPOSALS[0], NO_PROPOSALS[1]], [NOTHING[0], TARGETS[1]], set()),
    ],
    ids=["no objects", "no proposals", "neither", "one image of each"],
)
def test_losses_are_finite_and_every_weight_has_a_gradient(features, proposals, targets, free):
    heads = make_heads()
    found = losses(heads, features, proposals, targets)
    assert {name for name, loss in found.items() if loss.item() == 0} == free
    sum(found.values()).backward()
    assert all(numbers.grad.isfinite().all() for numbers in heads.parameters())


@torch.no_grad()
def test_no_proposals_no_detections(features):
    for image in make_heads().eval()(features, NO_PROPOSALS, SIZES)[0]:
        assert image["boxes"].shape == (0, 4)
        assert image["masks"].shape == (0, 1, 28, 28)


def test_a_class_alone(features):
    heads = make_heads()
    heads.box_predictor, heads.mask_predictor = (
        models.BoxPredictor(12, 1),
        models.MaskPredictor(6, 6, 1),
    )
    found = heads.eval()(features, PROPOSALS, SIZES)[0]
    assert [len(image["boxes"]) for image in found] == [0, 0]
    loss = losses(heads, features, PROPOSALS, NOTHING)
    assert [value.item() for value in loss.values()] == [0, 0, 0]


def test_mask_targets_follow_the_options(features):
    torch.manual_seed(5)
    masks = [
        {**target, "masks": torch.rand(1, *size) > 0.5}
        for target, size in zip(TARGETS, SIZES, strict=True)
    ]
    found = [
        losses(make_heads(mask_target_aligned=flag), features, NO_PROPOSALS, masks)["loss_mask"]
        for flag in (True, False)
    ]
    assert abs(found[0] - found[1]) > 1e-4


def test_padding_and_crowds_do_not_shift_masks(features):
    """The mask of an object is that of its row, whatever stands before it."""
    extra = {
        "boxes": torch.tensor([[0.0, 0, 0, 0], [30, 40, 47, 63]]),
        "labels": torch.tensor([0, 2]),
        "masks": torch.ones(2, *SIZES[0], dtype=torch.uint8),
    }
    joined = {name: torch.cat([extra[name], TARGETS[0][name]]) for name in extra}
    joined["iscrowd"] = torch.tensor([0, 1, 0])
    heads = make_heads()
    plain = losses(heads, features)
    padded = losses(heads, features, PROPOSALS, [joined, TARGETS[1]])
    for name, loss in plain.items():
        torch.testing.assert_close(padded[name], loss)


def test_it_learns_one_scene_by_heart(features):
    """Losses fall and the objects are found: signs, orders and classes fit each other."""
    heads = make_heads(score_threshold=0.5, batch_size_per_image=16)
    optimizer = torch.optim.Adam(heads.parameters(), lr=3e-3)
    for _ in range(60):
        found = losses(heads, features)
        optimizer.zero_grad()
        sum(found.values()).backward()
        optimizer.step()
    with torch.no_grad():
        detected = heads.eval()(features, PROPOSALS, SIZES)[0]
    for image, target in zip(detected, TARGETS, strict=True):
        assert image["labels"].tolist() == [1]
        torch.testing.assert_close(image["boxes"], target["boxes"], rtol=0, atol=1.5)
        assert image["masks"].mean() > 0.8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": torch.zeros(3, 64, 48)}, "masks must have a row for each of boxes; got 3"),
        ({"masks": torch.zeros(1, 1, 64, 48)}, r"masks must have shape \(N, H, W\)"),
        ({"labels": torch.tensor([0])}, "labels must be 1 or more; got 0 in row 0"),
        ({"labels": torch.tensor([CLASSES])}, "labels must be 0 to 2, for heads of 3 classes"),
    ],
)
def test_targets_that_do_not_fit_are_named(features, changes, message):
    with pytest.raises(ValueError, match=message):
        losses(make_heads(), features, PROPOSALS, [{**TARGETS[0], **changes}, TARGETS[1]])


def test_missing_targets_are_named(features):
    with pytest.raises(ValueError, match=r"targets must hold the ground truth .* got none"):
        losses(make_heads(), features, targets=None)
    with pytest.raises(ValueError, match="got 1 for 2 images"):
        losses(make_heads(), features, targets=TARGETS[:1])
    boxes_only = [{name: t[name] for name in ("boxes", "labels")} for t in TARGETS]
    with pytest.raises(ValueError, match="masks is missing among 'boxes', 'labels'"):
        losses(make_heads(), features, targets=boxes_only)


@pytest.mark.parametrize(
    ("part", "name"), [("cls_score", "loss_classifier"), ("bbox_pred", "loss_box_reg")]
)
def test_a_loss_that_diverged_is_named(features, part, name):
    heads = make_heads()
    getattr(heads.box_predictor, part).weight.data[0] = torch.nan
    getattr(heads.box_predictor, part).bias.data[:] = torch.nan
    with pytest.raises(FloatingPointError, match=f"{name} is nan: training has diverged"):
        losses(heads, features)

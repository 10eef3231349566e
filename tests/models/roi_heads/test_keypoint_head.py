"""Keypoints: heatmap targets and back, and which keypoints do not count in the loss."""

import pytest
import torch
from second_stage import (
    CHANNELS,
    NOTHING,
    PROPOSALS,
    SIZES,
    TARGETS,
    ground_truth,
    make_features,
    make_heads,
)

from roilearn import models

POINTS = 3


@pytest.mark.parametrize("size", [56, 8])
def test_a_point_comes_back_to_within_half_a_cell_and_half_a_pixel(size):
    torch.manual_seed(0)
    boxes = torch.tensor([[10.0, 20, 66, 132], [5.5, 0, 75.25, 61]])
    side = boxes[:, None, 2:] - boxes[:, None, :2]
    places = boxes[:, None, :2] + (0.2 + 0.6 * torch.rand(2, 30, 2)) * side
    cells, counts = models.keypoint_targets(
        torch.cat([places, torch.ones(2, 30, 1)], 2), boxes, size
    )
    assert counts.all()
    maps = torch.zeros(2, 30, size * size).scatter(2, cells[..., None], 1.0)
    found, scores = models.heatmaps_to_keypoints(maps.unflatten(2, (size, size)), boxes)
    assert ((found[..., :2] - places).abs() <= side / size / 2 + 0.51).all()
    assert (found[..., 2] == 1).all()
    assert (scores > 0.5).all()


def test_a_point_on_the_last_edge_counts_and_none_outside_or_unmarked():
    points = torch.tensor([[[0.0, 8, 1], [8, 8, 1], [9, 4, 1], [4, 4, 0]]])
    cells, counts = models.keypoint_targets(points, torch.tensor([[0.0, 0, 8, 8]]), 4)
    assert cells.tolist() == [[12, 15, 0, 0]]
    assert counts.tolist() == [[True, True, False, False]]


def test_what_does_not_count_costs_nothing():
    torch.manual_seed(0)
    maps, cells = torch.randn(2, 3, 4, 4), torch.randint(0, 16, (2, 3))
    counts = torch.tensor([[True, False, True], [False, False, True]])
    other = torch.where(counts[..., None, None], maps, 99 * torch.randn(2, 3, 4, 4))
    loss = models.keypoint_loss(maps, cells, counts)
    assert loss == models.keypoint_loss(other, cells, counts)
    log = maps.flatten(2).log_softmax(2).gather(2, cells[..., None])[..., 0]
    torch.testing.assert_close(loss, -log[counts].mean())
    assert models.keypoint_loss(maps, cells, counts & False) == 0


def keypoint_heads():
    head = models.KeypointHead(CHANNELS, (5,))
    return models.KeypointHeads(
        make_heads(score_threshold=0.1),
        models.RoIPooler(14),
        head,
        models.KeypointPredictor(5, POINTS),
    )


def with_points(targets):
    return [
        {
            **t,
            "keypoints": torch.cat(
                [t["boxes"][:, None, :2] + 3, torch.ones(len(t["boxes"]), 1, 1)], 2
            ).repeat(1, POINTS, 1),
        }
        for t in targets
    ]


def test_heads_with_keypoints():
    heads = keypoint_heads()
    losses = heads.train()(make_features(), PROPOSALS, SIZES, with_points(TARGETS))[1]
    assert set(losses) == {"loss_classifier", "loss_box_reg", "loss_mask", "loss_keypoint"}
    assert losses["loss_keypoint"] > 1
    none = heads(make_features(), PROPOSALS, SIZES, with_points(NOTHING))[1]
    assert none["loss_keypoint"] == 0
    with torch.no_grad():
        found = heads.eval()(make_features(), PROPOSALS, SIZES)[0]
        nothing = heads(make_features(), [torch.zeros(0, 4)] * 2, SIZES)[0]
    for image in found:
        assert image["keypoints"].shape == (len(image["boxes"]), POINTS, 3)
        assert image["keypoints_scores"].shape == (len(image["boxes"]), POINTS)
    assert [image["keypoints"].shape for image in nothing] == [(0, POINTS, 3)] * 2


def test_a_proposal_learns_the_points_of_its_own_object():
    """Those of the second object alone are marked."""
    targets = with_points([ground_truth(SIZES[0], (5, 5, 29, 31), (30, 34, 46, 60)), NOTHING[1]])
    targets[0]["keypoints"][0, :, 2] = 0
    losses = keypoint_heads().train()(make_features(), PROPOSALS, SIZES, targets)[1]
    assert losses["loss_keypoint"] > 0


def test_missing_keypoints_are_named():
    with pytest.raises(ValueError, match="keypoints is missing"):
        keypoint_heads().train()(make_features(), PROPOSALS, SIZES, TARGETS)


@pytest.mark.parametrize("shape", [(POINTS, 2), (POINTS + 1, 3), (3,)])
def test_keypoints_of_another_shape_are_refused(shape):
    targets = [t | {"keypoints": torch.ones(len(t["boxes"]), *shape)} for t in TARGETS]
    with pytest.raises(ValueError, match="keypoints of image 0 must have shape"):
        keypoint_heads().train()(make_features(), PROPOSALS, SIZES, targets)


def test_a_keypoint_at_nan_is_refused():
    targets = with_points(TARGETS)
    targets[1]["keypoints"][0, 1, 0] = torch.nan
    with pytest.raises(ValueError, match="keypoints of image 1 must be finite"):
        keypoint_heads().train()(make_features(), PROPOSALS, SIZES, targets)

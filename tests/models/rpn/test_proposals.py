"""Proposals in both implementations: the selection, step by step, and bad or few inputs."""

import numpy as np
import pytest
import torch

from roilearn import models, reference
from roilearn.ops import box_iou

SIZES = [(50, 70), (64, 61)]


def drawn(levels=(30, 12), images=2, seed=0):
    """Answers for random anchors of a few levels; scores all different."""
    generator = torch.Generator().manual_seed(seed)
    anchors, objectness, deltas = [], [], []
    for count in levels:
        corner = torch.rand(count, 2, generator=generator) * 60 - 5
        side = torch.rand(count, 2, generator=generator) * 30 + 2
        anchors.append(torch.cat([corner, corner + side], 1))
        objectness.append(torch.randn(images, count, generator=generator) * 3)
        deltas.append(torch.randn(images, count, 4, generator=generator) * 0.3)
    return objectness, deltas, anchors


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pre_nms_top_n": 9, "post_nms_top_n": 7},
        {"nms_threshold": 0.2, "score_threshold": 0.4},
        {"nms_threshold": 1.0, "min_size": 12.0},
    ],
)
def test_the_implementations_agree(settings):
    answers = drawn()
    boxes, scores = models.generate_proposals(*answers, SIZES, **settings)
    arrays = [[level.numpy() for level in part] for part in answers]
    slow_boxes, slow_scores = reference.generate_proposals(*arrays, SIZES, **settings)
    for image in range(2):
        np.testing.assert_allclose(boxes[image], slow_boxes[image], atol=1e-4)
        np.testing.assert_allclose(scores[image], slow_scores[image], atol=1e-6)


def test_what_comes_out_is_inside_sorted_and_apart():
    answers = drawn((200,))
    for boxes, scores, (height, width) in zip(
        *models.generate_proposals(*answers, SIZES, 100, 60, 0.5, 4.0), SIZES, strict=True
    ):
        assert 10 < len(boxes) <= 60
        assert (boxes >= 0).all()
        assert (boxes <= torch.tensor([width, height, width, height])).all()
        assert (boxes[:, 2:] - boxes[:, :2] >= 4).all()
        assert (scores.diff() <= 0).all()
        assert (box_iou(boxes, boxes) > 0.5).sum() == len(boxes)  # each with itself


@pytest.fixture(params=["reference", "models"])
def either(request):
    """One image, in lists: boxes and scores."""

    def propose(objectness, deltas, anchors, size, **settings):
        module, make = (
            (models, torch.tensor) if request.param == "models" else (reference, np.array)
        )
        parts = ([make([x]) for x in objectness], [make([x]) for x in deltas])
        boxes, scores = module.generate_proposals(
            *parts, [make(x) for x in anchors], [size], **settings
        )
        return boxes[0].tolist(), scores[0].tolist()

    return propose


STILL = [0.0, 0.0, 0.0, 0.0]
HERE = [2.0, 2.0, 12.0, 12.0]
THERE = [20.0, 2.0, 30.0, 12.0]


def test_boxes_of_two_levels_do_not_suppress_each_other(either):
    boxes, _ = either([[1.0], [2.0]], [[STILL], [STILL]], [[HERE], [HERE]], (40, 40))
    assert boxes == [HERE, HERE]
    boxes, _ = either([[1.0, 2.0]], [[STILL, STILL]], [[HERE, HERE]], (40, 40))
    assert boxes == [HERE]


def test_the_best_of_each_level_are_picked_before_the_best_of_all(either):
    answers = ([[5.0, 4.0], [-5.0]], [[STILL] * 2, [STILL]], [[HERE, THERE], [HERE]])
    boxes, scores = either(*answers, (40, 40), pre_nms_top_n=1)
    assert boxes == [HERE, HERE]
    assert scores == pytest.approx([0.99330715, 0.00669285])
    boxes, _ = either(*answers, (40, 40), post_nms_top_n=2)
    assert boxes == [HERE, THERE]


def test_a_box_is_cut_before_it_is_measured(either):
    outside = [45.0, 2.0, 55.0, 12.0]
    boxes, _ = either([[3.0, 1.0]], [[STILL] * 2], [[outside, HERE]], (40, 40))
    assert boxes == [HERE]
    reaching = [35.0, 2.0, 55.0, 12.0]
    boxes, _ = either([[3.0]], [[STILL]], [[reaching]], (40, 40), min_size=5.0)
    assert boxes == [[35.0, 2.0, 40.0, 12.0]]
    boxes, _ = either([[3.0]], [[STILL]], [[reaching]], (40, 40), min_size=5.5)
    assert boxes == []


def test_tiny_boxes_take_no_place_among_the_kept(either):
    speck = [5.0, 5.0, 5.0005, 9.0]
    boxes, _ = either([[3.0, 1.0]], [[STILL] * 2], [[speck, HERE]], (40, 40), post_nms_top_n=1)
    assert boxes == [HERE]


def test_a_score_of_just_the_threshold_stays(either):
    answers = ([[0.0, -1.0]], [[STILL] * 2], [[HERE, THERE]])
    assert either(*answers, (40, 40), score_threshold=0.5) == ([HERE], [0.5])


def test_deltas_move_and_stretch(either):
    boxes, _ = either([[0.0]], [[[0.5, 0.0, 0.0, np.log(2)]]], [[HERE]], (40, 40))
    np.testing.assert_allclose(boxes, [[7.0, 0.0, 17.0, 17.0]], rtol=1e-6)


def test_nothing_may_be_left(either):
    assert either([[0.0]], [[STILL]], [[[-9.0, -9.0, -1.0, -1.0]]], (40, 40)) == ([], [])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_numbers_are_named(either, bad):
    with pytest.raises(ValueError, match="deltas must be finite"):
        either([[0.0]], [[[0.0, bad, 0.0, 0.0]]], [[HERE]], (40, 40))


@pytest.mark.parametrize(
    ("objectness", "deltas", "anchors", "size", "settings", "message"),
    [
        ([[0.0]], [], [[HERE]], (9, 9), {}, "must have one entry for each level"),
        (
            [[0.0] * 2],
            [[STILL]],
            [[HERE]],
            (9, 9),
            {},
            r"objectness\[0\] and deltas\[0\] must have",
        ),
        ([[0.0]], [[STILL]], [[HERE]], (0, 9), {}, "size must be at least 1"),
        (
            [[0.0]],
            [[STILL]],
            [[HERE]],
            (9, 9),
            {"pre_nms_top_n": 0},
            "pre_nms_top_n must be at least 1",
        ),
        (
            [[0.0]],
            [[STILL]],
            [[HERE]],
            (9, 9),
            {"post_nms_top_n": 0},
            "post_nms_top_n must be at least 1",
        ),
        ([[0.0]], [[STILL]], [[HERE]], (9, 9), {"nms_threshold": 2}, "nms_threshold must lie"),
    ],
)
def test_what_is_refused(either, objectness, deltas, anchors, size, settings, message):
    with pytest.raises(ValueError, match=message):
        either(objectness, deltas, anchors, size, **settings)


def test_proposals_are_given_and_not_learned_from():
    objectness, deltas, anchors = drawn()
    deltas = [level.requires_grad_() for level in deltas]
    boxes, scores = models.generate_proposals(objectness, deltas, anchors, SIZES)
    assert not boxes[0].requires_grad
    assert not scores[0].requires_grad


def test_half_precision_scores_keep_their_order():
    logits = torch.tensor([[9.0, 8.0, 8.5]], dtype=torch.bfloat16)  # all 1.0 in bfloat16's sigmoid
    anchors = [torch.tensor([HERE, THERE, [2.0, 20.0, 12.0, 30.0]])]
    deltas = [torch.zeros(1, 3, 4, dtype=torch.bfloat16)]
    (boxes,), (scores,) = models.generate_proposals([logits], deltas, anchors, [(40, 40)])
    assert boxes.dtype == scores.dtype == torch.float32
    assert torch.equal(boxes, anchors[0][[0, 2, 1]])

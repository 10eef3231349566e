"""The answers of chapter 10 are right by another road: the package's IoU, NMS and proposals."""

import numpy as np
import pytest
import torch

from roilearn import exercises, models, ops, reference
from roilearn.exercises import chapter10


def as_boxes(boxes):
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)


def test_the_iou_by_hand_is_the_package_s():
    iou = reference.box_iou([[2, 1, 8, 5]], [[5, 3, 11, 7]])
    assert iou[0, 0] == pytest.approx(chapter10.IOU.answer)


def test_the_boxes_kept_by_hand_are_the_package_s():
    boxes = [[x, 0, x + 10, 10] for x in (7, 2, 4, 0)]
    kept = ops.nms(as_boxes(boxes), torch.tensor([0.7, 0.9, 0.8, 0.6]), 0.5)
    assert kept.tolist() == chapter10.KEPT.answer.tolist()


@pytest.mark.parametrize("call", chapter10.BOX_IOU.calls)
def test_an_iou_is_the_package_s(call):
    expected = ops.box_iou(*map(as_boxes, call))
    np.testing.assert_allclose(chapter10.box_iou(*call), expected)


@pytest.mark.parametrize("call", chapter10.NMS.calls)
def test_the_kept_boxes_are_the_package_s(call):
    boxes, scores, threshold = call
    kept = ops.nms(as_boxes(boxes), torch.tensor(scores, dtype=torch.float64), threshold)
    assert chapter10.nms(*call) == kept.tolist()


@pytest.mark.parametrize("call", chapter10.PROPOSE.calls)
def test_proposals_are_the_package_s(call):
    boxes, scores, levels, n_per_level, threshold, n_of_all = call
    rows = [[i for i, one in enumerate(levels) if one == level] for level in sorted(set(levels))]
    logits = [torch.logit(torch.tensor([[scores[i] for i in own]])) for own in rows]
    anchors = [torch.tensor([boxes[i] for i in own]) for own in rows]
    still = [torch.zeros(1, len(own), 4) for own in rows]
    limits = (n_per_level, n_of_all, threshold)
    (proposals,), _ = models.generate_proposals(logits, still, anchors, [(99, 99)], *limits)
    expected = [boxes[i] for i in chapter10.propose(*call)]
    np.testing.assert_allclose(proposals, np.reshape(expected, (-1, 4)), atol=1e-4)


def test_answers_that_call_the_package_pass():
    def with_package(boxes, scores, iou_threshold):
        boxes = np.reshape(np.array(boxes, float), (-1, 4))
        return reference.nms(boxes, np.array(scores, float), iou_threshold)

    assert exercises.check("10.3", reference.box_iou)
    assert exercises.check("10.4", with_package)


def test_nms_in_32_bits_passes():
    def in_32_bits(boxes, scores, iou_threshold):
        return ops.nms(as_boxes(boxes).float(), torch.tensor(scores).float(), iou_threshold)

    assert exercises.check("10.4", in_32_bits)


def test_a_list_that_is_too_long_is_told_by_group():
    def compares_neighbours(boxes, scores, iou_threshold):
        order = sorted(range(len(boxes)), key=lambda i: -scores[i])
        ious = chapter10.box_iou(boxes, boxes)
        before = [None, *order]
        return [
            i
            for i, j in zip(order, before, strict=False)
            if j is None or ious[i, j] <= iou_threshold
        ]

    verdict = exercises.check("10.4", compares_neighbours)
    assert not verdict
    assert verdict.form is None
    assert "a chain" in verdict.failed


def test_the_first_try_of_the_page_has_one_mistake():
    def my_iou(boxes1, boxes2):
        a, b = np.array(boxes1)[:, None], np.array(boxes2)[None]
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        shared = sides[..., 0] * sides[..., 1]
        areas = np.prod(a[..., 2:] - a[..., :2], -1) + np.prod(b[..., 2:] - b[..., :2], -1)
        return np.where(shared > 0, shared / (areas - shared), 0)

    assert exercises.check("10.3", my_iou).mistake == "two negative sides"

"""Post-processing: each rule by which a candidate is removed, one at a time."""

import pytest
import torch

from roilearn import models

SIZE = (60, 80)
BOX = [10.0, 10, 30, 30]


def find(logits, boxes, deltas=None, **options):
    logits, boxes = torch.tensor(logits), torch.tensor(boxes)
    if deltas is None:
        deltas = torch.zeros(*logits.shape, 4)
    return models.postprocess_detections(logits, deltas, [boxes], [SIZE], **options)[0]


def test_a_proposal_may_be_two_classes_but_never_background():
    found = find([[9.0, 8, 8.5]], [BOX])
    assert found["labels"].tolist() == [2, 1]
    assert found["scores"][0] > found["scores"][1]


def test_a_score_has_to_be_above_the_threshold():
    half = [[0.0, 0]]  # two classes: score 0.5
    assert len(find(half, [BOX], score_threshold=0.5)["labels"]) == 0
    assert len(find(half, [BOX], score_threshold=0.49)["labels"]) == 1


def test_each_class_moves_the_box_by_its_own_deltas():
    deltas = torch.zeros(1, 3, 4)
    deltas[0, 0], deltas[0, 1, 0], deltas[0, 2, 1] = 99, 1, -2  # in tenths of a side
    found = find([[0.0, 3, 2]], [BOX], deltas)
    assert found["boxes"].tolist() == [[12, 10, 32, 30], [10, 6, 30, 26]]
    once = find([[0.0, 3, 2]], [BOX], deltas[:, 1:2])
    assert once["boxes"].tolist() == [[12, 10, 32, 30], [12, 10, 32, 30]]


def test_boxes_are_clipped_and_what_has_no_side_left_goes():
    found = find([[0.0, 3]] * 3, [[70.0, 50, 99, 99], [90, 0, 99, 9], [79.995, 0, 99, 9]])
    assert found["boxes"].tolist() == [[70, 50, 80, 60]]


def test_better_boxes_of_the_same_class_suppress():
    near = [11.0, 10, 31, 30]  # IoU 0.905
    logits = [[0.0, 3, -9], [0, 4, -9], [0, -9, 2]]
    found = find(logits, [BOX, near, BOX])
    assert found["labels"].tolist() == [1, 2]
    assert found["boxes"].tolist() == [near, BOX]
    assert len(find(logits, [BOX, near, BOX], nms_threshold=0.95)["labels"]) == 3


def test_the_best_are_kept_whatever_their_class():
    boxes = [[9.0 * k, 0, 9 * k + 8, 8] for k in range(6)]
    logits = torch.full((6, 3), -9.0)
    logits[:, 0] = 0
    logits[range(6), torch.tensor([1, 2] * 3)] = torch.tensor([1.0, 6, 2, 5, 3, 4])
    found = find(logits.tolist(), boxes, detections_per_image=4)
    assert [box[0] / 9 for box in found["boxes"].tolist()] == [1, 3, 5, 4]
    assert found["labels"].tolist() == [2, 2, 2, 1]


def test_images_do_not_mix():
    logits = torch.tensor([[0.0, 3], [0, 4], [0, 5]])
    proposals = [torch.zeros(0, 4), torch.tensor([BOX]), torch.tensor([BOX, [40.0, 0, 60, 9]])]
    sizes = [SIZE, (20, 20), SIZE]
    found = models.postprocess_detections(logits, torch.zeros(3, 2, 4), proposals, sizes)
    assert [image["boxes"].tolist() for image in found] == [
        [],
        [[10, 10, 20, 20]],
        [[40, 0, 60, 9], BOX],
    ]


def test_nothing_to_choose_from():
    nothing = torch.zeros(0, 4)
    empty = models.postprocess_detections(
        torch.zeros(0, 3), torch.zeros(0, 3, 4), [nothing], [SIZE]
    )[0]
    only_background = find([[3.0]], [BOX])
    for found in (empty, only_background):
        assert found["boxes"].shape == (0, 4)
        assert found["labels"].dtype == torch.int64
        assert found["scores"].shape == (0,)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_model_is_named_not_silent(bad):
    with pytest.raises(ValueError, match=r"class_logits must have a score .* NaN in row 1"):
        find([[0.0, 1], [bad, 1]], [BOX, BOX])
    deltas = torch.zeros(2, 2, 4)
    deltas[1, 1, 2] = bad
    with pytest.raises(ValueError, match="deltas must be finite"):
        find([[0.0, 1], [0, 1]], [BOX, BOX], deltas)
    assert len(find([[0.0, 1], [9, 0]], [BOX, BOX], deltas)["labels"]) == 1  # no candidate


def test_a_class_that_is_ruled_out_is_no_error():
    found = find([[0.0, 1, float("-inf")]], [BOX])
    assert found["labels"].tolist() == [1]


def test_scores_of_half_precision_are_compared_in_single():
    logits = torch.tensor([[0.0, 1, 2]], dtype=torch.bfloat16)
    found = models.postprocess_detections(
        logits, torch.zeros(1, 3, 4), [torch.tensor([BOX])], [SIZE]
    )[0]
    torch.testing.assert_close(found["scores"], logits.float().softmax(1)[0, [2, 1]])


def test_rows_have_to_fit():
    with pytest.raises(ValueError, match="class_logits must have a row for each of proposals"):
        models.postprocess_detections(
            torch.zeros(3, 2), torch.zeros(3, 2, 4), [torch.zeros(2, 4)], [SIZE]
        )

"""Detection targets of the NumPy implementation: matching, sampling, labels, deltas and masks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import reference

CAT, DOG = 1, 2
TARGET = {"boxes": np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]]), "labels": np.array([CAT, DOG])}
PROPOSALS = np.array(
    [
        [0, 0, 10, 20],  # IoU 0.5 with the cat: enough
        [0, 0, 10, 20.01],  # and just not enough
        [18, 0, 30, 10],  # the dog, two pixels too wide
        [40, 40, 50, 50],
    ]
)


class InOrder:
    """Draws the first ones."""

    def permutation(self, x):
        return np.arange(x)


def targets(proposals=PROPOSALS, target=TARGET, **options):
    return reference.detection_targets(proposals, target, random=InOrder(), **options)


def test_half_is_enough_and_the_ground_truth_joins():
    found = targets()
    assert_array_equal(found.labels, [CAT, 0, DOG, 0, CAT, DOG])
    assert_array_equal(found.matched_idxs, [0, -1, 1, -1, 0, 1])
    assert_array_equal(found.boxes, [*PROPOSALS, *TARGET["boxes"]])


def test_deltas_lead_to_the_object_and_are_zero_elsewhere():
    found = targets()
    positive = found.labels > 0
    ends = reference.decode_boxes(found.deltas, found.boxes, reference.DELTA_WEIGHTS)
    assert_allclose(ends[positive], TARGET["boxes"][found.matched_idxs[positive]], atol=1e-9)
    assert_array_equal(found.deltas[~positive], 0)
    assert_allclose(found.deltas[2], [10 / 12, 0, 5 * np.log(10 / 12), 0], atol=1e-12)


def test_the_best_object_counts_not_the_first():
    between = np.array([[9.0, 0, 23, 10]])
    close = {"boxes": np.array([[0.0, 0, 20, 10], [10, 0, 23, 10]]), "labels": np.array([CAT, DOG])}
    assert_array_equal(targets(between, close).labels[0], DOG)


def test_padding_is_no_proposal_and_no_object():
    padded = {
        "boxes": np.concatenate([np.zeros((2, 4)), TARGET["boxes"], np.zeros((1, 4))]),
        "labels": np.array([0, 0, CAT, DOG, 0]),
    }
    found = targets(np.concatenate([PROPOSALS, np.zeros((3, 4))]), padded)
    plain = targets()
    for name in ("boxes", "labels", "deltas"):
        assert_array_equal(getattr(found, name), getattr(plain, name))
    assert_array_equal(
        found.matched_idxs, np.where(plain.matched_idxs < 0, -1, plain.matched_idxs + 2)
    )


def test_a_crowd_is_no_object_and_what_lies_in_it_no_background():
    crowd = {**TARGET, "iscrowd": np.array([0, 1])}
    half_in = np.array([[25, 0, 35, 10], [25.1, 0, 35.1, 10], [0, 0, 10, 10]])
    found = targets(np.concatenate([PROPOSALS, half_in]), crowd)
    assert_array_equal(found.labels, [CAT, 0, 0, 0, CAT, CAT])
    assert_array_equal(found.boxes[3], half_in[1])  # less than half of it in the crowd
    assert (found.matched_idxs < 1).all()


def test_an_object_inside_a_crowd_is_still_one():
    target = {
        "boxes": np.array([[0.0, 0, 50, 50], [5, 5, 15, 15]]),
        "labels": np.array([CAT, CAT]),
        "iscrowd": np.array([1, 0]),
    }
    found = targets(np.array([[5.0, 5, 15, 14], [30, 30, 40, 40]]), target)
    assert_array_equal(found.labels, [CAT, CAT])
    assert_array_equal(found.matched_idxs, [1, 1])


@pytest.mark.parametrize(
    ("size", "positives", "negatives"), [(512, 30, 90), (40, 10, 30), (9, 2, 7), (1, 0, 1)]
)
def test_one_object_to_three_of_background(size, positives, negatives):
    proposals = np.concatenate([np.repeat(PROPOSALS[[0]], 28, 0), np.repeat(PROPOSALS[[3]], 90, 0)])
    found = reference.detection_targets(proposals, TARGET, batch_size_per_image=size)
    assert [(found.labels > 0).sum(), (found.labels == 0).sum()] == [positives, negatives]


def test_background_fills_the_places_of_missing_objects_but_not_the_reverse():
    many = targets(np.repeat(PROPOSALS[[3]], 90, 0), batch_size_per_image=40)
    assert (many.labels > 0).sum() == 2
    assert len(many.labels) == 40
    none = targets(np.repeat(PROPOSALS[[0]], 90, 0), batch_size_per_image=40)
    assert len(none.labels) == 10


def test_every_proposal_is_drawn_as_often_as_another():
    proposals = np.concatenate([PROPOSALS[[3]] + k for k in range(8)])
    random, count = np.random.RandomState(0), np.zeros(8)
    for _ in range(400):
        found = reference.detection_targets(
            proposals, TARGET, batch_size_per_image=4, random=random
        )
        for box in found.boxes[found.labels == 0]:
            count[int(box[0]) - 40] += 1
    assert_allclose(count, count.sum() / 8, rtol=0.2)


def test_nothing_at_all():
    empty = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, np.int64)}
    assert len(targets(np.zeros((0, 4)), empty).boxes) == 0
    assert_array_equal(targets(PROPOSALS, empty).labels, [0, 0, 0, 0])
    assert_array_equal(targets(np.zeros((0, 4)), TARGET).labels, [CAT, DOG])


def disc(centre, radius, size=(40, 60)):
    row, column = np.indices(size)
    x, y = column + 0.5 - centre[0], row + 0.5 - centre[1]
    return ((x**2 + y**2) < radius**2).astype(np.uint8)


def test_a_mask_target_is_the_mask_where_cells_are_pixels():
    masks = np.random.RandomState(0).rand(3, 9, 12) > 0.5
    boxes = [[2, 1, 9, 8], [5, 2, 12, 9]]
    found = reference.mask_targets(masks, boxes, [2, 0], 7, aligned=True)
    assert_array_equal(found, [masks[2, 1:8, 2:9], masks[0, 2:9, 5:12]])


def test_a_mask_target_holds_the_share_of_the_box_that_the_mask_covers():
    box = [[13.0, 5, 43, 35]]
    mask = disc((28, 20), 12)
    for size in (5, 6, 10):
        found = reference.mask_targets([mask], box, [0], size, aligned=True)
        assert_allclose(found.mean(), mask.sum() / 900, rtol=1e-9)


def test_half_a_pixel_moves_a_symmetric_target():
    mask, box = disc((28, 20), 12), [[13.0, 5, 43, 35]]
    straight = reference.mask_targets([mask], box, [0], 6, aligned=True)[0]
    moved = reference.mask_targets([mask], box, [0], 6, aligned=False)[0]
    assert_allclose(straight, straight[::-1, ::-1], atol=1e-12)
    assert moved[0].sum() > straight[0].sum() + 0.05  # read too far down: the disc lies too high
    assert moved[:, 0].sum() > straight[:, 0].sum() + 0.05
    assert moved[-1].sum() < straight[-1].sum() - 0.05


def test_background_has_a_mask_target_of_zeros():
    found = reference.mask_targets(np.ones((1, 9, 9)), np.tile([1, 1, 8, 8], (2, 1)), [-1, 0], 4)
    assert_array_equal(found[0], 0)
    assert_array_equal(found[1], 1)
    assert reference.mask_targets(np.ones((1, 9, 9)), np.zeros((0, 4)), [], 4).shape == (0, 4, 4)


def test_errors_name_what_is_missing():
    with pytest.raises(ValueError, match="target must have boxes, labels; labels is missing among"):
        targets(target={"boxes": TARGET["boxes"]})
    with pytest.raises(ValueError, match=r"labels must have shape \(2,\)"):
        targets(target={**TARGET, "labels": np.array([1])})
    with pytest.raises(ValueError, match=r"proposals must have shape \(K, 4\)"):
        targets(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="proposals must be finite"):
        targets(np.full((3, 4), np.nan))
    with pytest.raises(ValueError, match=r"masks must have shape \(N, H, W\)"):
        reference.mask_targets(np.zeros((1, 1, 4, 4)), [[0, 0, 4, 4]], [0], 4)

"""Detection targets in PyTorch agree with the NumPy loop; ground truth that does not fit raises."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import models, reference
from roilearn.models.targets.detection_targets import unsampled_targets


class TorchShuffler:
    """Draws with PyTorch's numbers, so that the loop draws what the tensors do."""

    def permutation(self, x):
        return torch.randperm(x).numpy()


def scene(seed, objects=5, proposals=60):
    """Objects, some of them crowds and some padding, and proposals around them and elsewhere."""
    state = np.random.RandomState(seed)
    first = state.uniform(0, 60, (objects, 2))
    boxes = np.hstack([first, first + state.uniform(4, 40, (objects, 2))])
    boxes[state.rand(objects) < 0.2] = 0
    near = boxes[state.randint(0, objects, proposals)] + 4 * state.randn(proposals, 4)
    near[state.rand(proposals) < 0.1] = 0
    target = {
        "boxes": torch.tensor(boxes),
        "labels": torch.tensor(state.randint(1, 4, objects)),
        "iscrowd": torch.tensor(state.rand(objects) < 0.3).long(),
    }
    return torch.tensor(near), target


@given(
    st.integers(0, 999),
    st.sampled_from([512, 40, 8]),
    st.sampled_from([0.5, 0.7]),
    st.sampled_from([None, 0.3, 0.0]),
)
def test_the_loop_says_who_is_drawn_and_what_each_should_have_answered(seed, size, iou, low):
    proposals, target = scene(seed)
    torch.manual_seed(seed)
    found = models.detection_targets(proposals, target, iou, size, 0.25, negative_iou=low)
    torch.manual_seed(seed)
    arrays = {name: numbers.numpy() for name, numbers in target.items()}
    loop = reference.detection_targets(
        proposals.numpy(), arrays, iou, size, 0.25, random=TorchShuffler(), negative_iou=low
    )
    assert_array_equal(found.labels, loop.labels)
    assert_array_equal(found.matched_idxs, loop.matched_idxs)
    assert_array_equal(found.boxes, loop.boxes)
    assert_allclose(found.deltas, loop.deltas, atol=1e-9)


@given(st.integers(0, 999), st.booleans(), st.integers(1, 9))
def test_the_loop_says_what_a_box_sees_of_its_mask(seed, aligned, size):
    state = np.random.RandomState(seed)
    masks = state.rand(3, 20, 30) > 0.5
    first = state.uniform(-2, 15, (6, 2))
    boxes = np.hstack([first, first + state.uniform(0.5, 15, (6, 2))])
    index = state.randint(-1, 3, 6)
    given_boxes, rows = torch.tensor(boxes), torch.tensor(index)
    found = models.mask_targets(torch.tensor(masks), given_boxes, rows, size, aligned)
    loop = reference.mask_targets(masks, boxes, index, size, aligned)
    assert_allclose(found, loop, atol=1e-9)


def test_of_all_boxes_none_is_added_and_none_drawn():
    proposals, target = scene(1)
    found = unsampled_targets(proposals, target, 0.5)
    arrays = {name: numbers.numpy() for name, numbers in target.items()}
    loop = reference.detection_targets(
        proposals.numpy(), arrays, batch_size_per_image=9999, positive_fraction=1
    )
    real = (arrays["boxes"].any(1) & (arrays["iscrowd"] == 0)).sum()
    assert real > 0
    assert_array_equal(found.labels, loop.labels[:-real])
    assert_allclose(found.deltas, loop.deltas[:-real], atol=1e-9)


def test_objects_are_a_part_of_what_was_drawn():
    proposals, target = scene(3)
    found = models.detection_targets(proposals, target)
    only = found.objects()
    assert 0 < len(only.labels) < len(found.labels)
    assert (only.labels > 0).all()
    assert (only.matched_idxs >= 0).all()
    assert_array_equal(only.boxes, found.boxes[found.labels > 0])
    assert_array_equal(target["labels"][only.matched_idxs], only.labels)


def test_without_crowds_a_flag_changes_nothing():
    proposals, target = scene(5)
    plain = {name: target[name] for name in ("boxes", "labels")}
    torch.manual_seed(0)
    found = models.detection_targets(proposals, plain, batch_size_per_image=20)
    torch.manual_seed(0)
    none = {**plain, "iscrowd": torch.zeros(5, dtype=torch.int64)}
    again = models.detection_targets(proposals, none, batch_size_per_image=20)
    assert torch.equal(found.boxes, again.boxes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_keep_the_dtype_of_the_proposals(dtype):
    proposals, target = scene(0)
    found = models.detection_targets(proposals.to(dtype), target)
    assert found.boxes.dtype == found.deltas.dtype == dtype
    assert found.labels.dtype == found.matched_idxs.dtype == torch.int64


def test_nothing_at_all():
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    found = models.detection_targets(torch.zeros(0, 4), empty)
    assert [len(rows) for rows in (found.boxes, found.labels, found.deltas)] == [0, 0, 0]
    found = models.detection_targets(torch.tensor([[0.0, 0, 4, 4]]), empty)
    assert found.labels.tolist() == [0]
    assert found.matched_idxs.tolist() == [-1]
    none = models.mask_targets(torch.zeros(0, 8, 8), torch.zeros(0, 4), found.matched_idxs[:0], 4)
    assert none.shape == (0, 4, 4)
    background = models.mask_targets(torch.zeros(0, 8, 8), found.boxes, found.matched_idxs, 4)
    assert torch.equal(background, torch.zeros(1, 4, 4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": torch.zeros(5, 5)}, r"boxes must have shape \(K, 4\)"),
        ({"boxes": torch.zeros(5, 4, dtype=torch.int64)}, "boxes must be floating point"),
        ({"labels": torch.zeros(4, dtype=torch.int64)}, r"labels must have shape \(5,\)"),
        ({"labels": torch.zeros(5)}, "labels must hold whole numbers"),
        ({"iscrowd": torch.zeros(3)}, r"iscrowd must have shape \(5,\)"),
        ({"boxes": torch.full((5, 4), torch.nan)}, "must be finite"),
    ],
)
def test_ground_truth_that_does_not_fit_is_named(changes, message):
    proposals, target = scene(0)
    with pytest.raises((ValueError, TypeError), match=message):
        models.detection_targets(proposals, {**target, **changes})


def test_a_proposal_that_is_no_number_is_not_taken_for_padding():
    proposals, target = scene(0)
    proposals[7, 2] = torch.nan
    with pytest.raises(ValueError, match=r"proposals must be finite; got \[.* in row 7"):
        models.detection_targets(proposals, target)

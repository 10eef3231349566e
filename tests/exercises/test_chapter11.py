"""The answers of chapter 11 are right by another road: the package's matching, sampling, masks."""

import numpy as np
import pytest
import torch

from roilearn import exercises, models, reference
from roilearn.exercises import chapter11
from roilearn.reference.detection.targets import sample_proposals


class InGivenOrder:
    """Shuffles a list of indices as the positives, or the negatives, follow each other in it."""

    def __init__(self, labels, order):
        kinds = [np.flatnonzero(labels > 0), np.flatnonzero(labels == 0)]
        self.orders = [np.argsort([order.index(k) for k in kind]).astype(int) for kind in kinds]

    def permutation(self, x):
        order = self.orders.pop(0)
        assert len(order) == x
        return order


def test_the_labels_by_hand_are_the_package_s():
    iou = torch.tensor([[0.8, 0.7, 0.65, 0.3, 0.25, 0.1, 0.1], [0, 0.1, 0, 0.2, 0, 0.4, 0.4]])
    matches = models.match(iou, 0.7, 0.3)
    labels = torch.where(matches >= 0, 1, torch.where(matches == -1, 0, -1))
    assert labels.tolist() == chapter11.LABELS.answer.tolist()


def test_the_counts_by_hand_are_the_package_s():
    found = []
    for counts in ((40, 300, 100), (10, 50, 0)):
        labels = torch.tensor([1, 0, -1]).repeat_interleave(torch.tensor(counts))
        found += map(len, models.sample(labels, 128, 0.25))
    assert found == chapter11.COUNTS.answer.tolist()


@pytest.mark.parametrize("call", chapter11.MATCH.calls)
def test_the_matches_are_the_package_s(call):
    iou, high, low = call
    expected = models.match(torch.tensor(iou, dtype=torch.float64), high, low)
    assert chapter11.match(*call) == expected.tolist()


@pytest.mark.parametrize("call", chapter11.SAMPLE.calls)
def test_the_sample_is_the_package_s(call):
    labels, order, num_samples, fraction = call
    labels = np.array(labels, int)
    expected = sample_proposals(labels, num_samples, fraction, InGivenOrder(labels, order))
    assert chapter11.sample(*call) == expected.tolist()


@pytest.mark.parametrize("call", chapter11.MASK_TARGET.calls)
def test_a_mask_target_reads_the_pixels_in_which_the_centres_lie(call):
    mask, (x1, y1, x2, y2), size = np.array(call[0]), *call[1:]
    centres = (np.arange(size) + 0.5) / size
    rows = np.floor(y1 + centres * (y2 - y1)).astype(int)
    columns = np.floor(x1 + centres * (x2 - x1)).astype(int)
    padded = np.pad(mask, 9)
    np.testing.assert_array_equal(
        chapter11.mask_target(*call), padded[np.ix_(rows + 9, columns + 9)]
    )


def test_answers_that_call_the_package_or_torchvision_pass():
    theirs = pytest.importorskip("torchvision.models.detection._utils")

    def with_loops(iou, high, low):
        return reference.match(np.array(iou), high, low)

    def with_tensors(iou, high, low):
        return models.match(torch.tensor(iou), high, low)

    def with_torchvision(iou, high, low):
        return theirs.Matcher(high, low, True)(torch.tensor(iou)).tolist()

    for answer in (with_loops, with_tensors, with_torchvision):
        assert exercises.check("11.3", answer)


def test_a_rescue_of_objects_that_lack_a_good_anchor_is_right():
    def below_the_threshold_alone(iou, high, low):
        rows = [row for row in iou if max(row) < high]
        matches = []
        for k, column in enumerate(zip(*iou, strict=True)):
            best = max(column)
            rescued = any(row[k] == max(row) for row in rows)
            missed = -2 if best >= low else -1
            matches.append(column.index(best) if best >= high or rescued else missed)
        return tuple(matches)

    assert exercises.check("11.3", below_the_threshold_alone)

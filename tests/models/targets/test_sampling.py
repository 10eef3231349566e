"""Sampling: how many positives and negatives, and that each of them can be sampled."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from roilearn.models import sample

KINDS = st.lists(st.integers(-1, 3), max_size=60)


@given(KINDS, st.integers(1, 40), st.floats(0, 1))
def test_how_many_of_each_kind(kinds, size, fraction):
    labels = torch.tensor(kinds, dtype=torch.int64)
    positive, negative = sample(labels, size, fraction)
    objects, background = sum(kind > 0 for kind in kinds), kinds.count(0)
    assert len(positive) == min(objects, int(size * fraction))
    assert len(negative) == min(background, size - len(positive))
    assert (labels[positive] > 0).all()
    assert (labels[negative] == 0).all()
    for indices in (positive, negative):
        assert indices.tolist() == sorted(set(indices.tolist()))


def test_every_box_is_drawn_as_often_as_the_others():
    torch.manual_seed(0)
    labels = torch.tensor([1, 0] * 10)
    counts = torch.zeros(20)
    for _ in range(400):
        positive, negative = sample(labels, 10, 0.5)
        counts[positive] += 1
        counts[negative] += 1
    assert counts.min() > 150  # 200 each are expected, with a deviation of 10
    assert counts.max() < 250


def test_the_same_seed_draws_the_same_boxes():
    labels = torch.randint(-1, 2, (200,), generator=torch.Generator().manual_seed(0))
    draws = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        draws.append(torch.cat(sample(labels, 20, 0.5)).tolist())
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    ("labels", "size", "fraction", "message"),
    [
        (torch.zeros(2, 3), 4, 0.5, "labels must have shape"),
        (torch.zeros(3), 0, 0.5, "num_samples must be at least 1; got 0"),
        (torch.zeros(3), 4, 1.5, "positive_fraction must lie from 0 to 1; got 1.5"),
    ],
)
def test_what_is_refused(labels, size, fraction, message):
    with pytest.raises(ValueError, match=message):
        sample(labels, size, fraction)
    with pytest.raises(TypeError, match="labels must be a torch tensor"):
        sample([0, 1], 4, 0.5)
    with pytest.raises(TypeError, match="num_samples must be a whole number"):
        sample(torch.zeros(3), 4.5, 0.5)

"""The feature pyramid as loops: PyTorch's enlargement, the package's pyramid, sums, errors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from roilearn import models, reference

sides = st.integers(1, 9)
seeds = st.integers(0, 2**32 - 1)


@given(sides, sides, st.booleans(), st.booleans(), seeds)
def test_enlarging_is_pytorch_s(rows, columns, odd_rows, odd_columns, seed):
    features = np.random.RandomState(seed).randn(2, rows, columns)
    size = (2 * rows - odd_rows, 2 * columns - odd_columns)
    expected = interpolate(torch.tensor(features)[None], size, mode="nearest")[0]
    np.testing.assert_array_equal(reference.enlarge_nearest(features, size), expected)


def test_repeated_cells_lie_where_their_cell_did():
    ruler = (np.arange(5.0) + 0.5)[None, None] * 2  # x of each centre, in cells of the finer map
    enlarged = reference.enlarge_nearest(ruler, (1, 10))[0, 0]
    np.testing.assert_allclose(enlarged.reshape(5, 2).mean(axis=1), ruler[0, 0])
    error = enlarged - (np.arange(10) + 0.5)
    assert set(error) == {-0.5, 0.5}


def test_the_finest_map_receives_every_coarser_one():
    laterals = [np.full((1, 8, 12), 1), np.full((1, 4, 6), 10), np.full((1, 2, 3), 100)]
    assert [set(level.ravel()) for level in reference.top_down(laterals)] == [{111}, {110}, {100}]


@given(st.integers(1, 4), sides, sides, st.integers(1, 3), seeds)
def test_the_pyramid_is_the_package_s(levels, height, width, channels, seed):
    random = np.random.RandomState(seed)
    sizes = [(height, width)]
    for _ in range(levels - 1):
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    maps = [random.randn(2 + number, *size) for number, size in enumerate(sizes)]
    torch.manual_seed(seed % 1000)
    pyramid = models.FeaturePyramid([len(level) for level in maps], channels, None).double()
    for name, parameter in pyramid.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
    weights = [
        [block[0].weight.detach().numpy() for block in blocks]
        for blocks in (pyramid.inner_blocks, pyramid.layer_blocks)
    ]
    slow = reference.feature_pyramid(maps, *weights)
    fast = pyramid([torch.tensor(level)[None] for level in maps])
    assert len(slow) == levels
    for one, other in zip(slow, fast.values(), strict=True):
        np.testing.assert_allclose(one, other.detach()[0], atol=1e-9)


def test_maps_of_different_channels_cannot_be_added():
    with pytest.raises(ValueError, match="equally many channels to be added; got 2, 3"):
        reference.top_down([np.ones((2, 4, 4)), np.ones((3, 2, 2))])
    with pytest.raises(ValueError, match="one entry for each level"):
        reference.feature_pyramid([np.ones((2, 4, 4))], [], [])

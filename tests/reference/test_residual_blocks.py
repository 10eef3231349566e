"""Residual blocks as loops: PyTorch's convolution, the package's blocks, and what a block keeps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d

from roilearn import models, reference
from roilearn.reference.residual_blocks import relu, residual_branch

sizes = st.integers(1, 7)
channels = st.integers(1, 3)
seeds = st.integers(0, 2**32 - 1)


def random_map(random, count, height, width):
    return random.randn(count, height, width)


@given(channels, channels, sizes, sizes, st.sampled_from([1, 3, 5]), st.integers(1, 3), seeds)
def test_a_convolution_is_pytorch_s(inputs, outputs, height, width, size, stride, seed):
    random = np.random.RandomState(seed)
    features = random_map(random, inputs, height, width)
    weights = random.randn(outputs, inputs, size, size)
    expected = conv2d(
        torch.tensor(features)[None], torch.tensor(weights), stride=stride, padding=size // 2
    )
    np.testing.assert_allclose(
        reference.convolve(features, weights, stride), expected[0], atol=1e-9
    )


def copy_weights(block):
    convolutions = [block.get_submodule(f"conv{n}") for n in range(1, block.depth + 1)]
    return [convolution.weight.detach().numpy() for convolution in convolutions]


@given(
    st.sampled_from([models.basic_branch, models.bottleneck_branch]), channels, sizes, sizes, seeds
)
def test_an_identity_block_is_the_package_s_without_its_normalisations(
    branch, width, height, columns, seed
):
    count = width if branch is models.basic_branch else 4 * width
    torch.manual_seed(seed)
    block = models.IdentityBlock(branch(count, width), nn.Identity).double()
    features = random_map(np.random.RandomState(seed), count, height, columns)
    with torch.no_grad():
        expected = block(torch.tensor(features)[None])[0].numpy()
    found = reference.identity_block(features, *copy_weights(block))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(channels, channels, sizes, sizes, st.integers(1, 3), seeds)
def test_a_convolution_block_is_the_package_s(inputs, width, height, columns, stride, seed):
    torch.manual_seed(seed)
    branch = models.bottleneck_branch(inputs, width, stride)
    block = models.ConvolutionBlock(branch, nn.Identity).double()
    features = random_map(np.random.RandomState(seed), inputs, height, columns)
    with torch.no_grad():
        expected = block(torch.tensor(features)[None])[0].numpy()
    first, second, third = copy_weights(block)
    # The package's bottleneck has its stride in the second convolution.
    middle = relu(reference.convolve(relu(reference.convolve(features, first)), second, stride))
    project = block.downsample[0].weight.detach().numpy()
    found = relu(reference.convolve(features, project, stride) + reference.convolve(middle, third))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(channels, channels, sizes, sizes, st.integers(1, 3), seeds)
def test_a_basic_convolution_block_has_its_stride_in_the_first_convolution(
    inputs, width, height, columns, stride, seed
):
    torch.manual_seed(seed)
    block = models.ConvolutionBlock(
        models.basic_branch(inputs, width, stride), nn.Identity
    ).double()
    features = random_map(np.random.RandomState(seed), inputs, height, columns)
    with torch.no_grad():
        expected = block(torch.tensor(features)[None])[0].numpy()
    project = block.downsample[0].weight.detach().numpy()
    found = reference.convolution_block(
        features, *copy_weights(block), project=project, stride=stride
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)


def window(*row):
    """Weights of a 3 x 3 window that reads one row."""
    return np.array([[[[0.0, 0, 0], row, [0, 0, 0]]]])


def test_the_block_of_chapter_7():
    features, weights = np.array([[[2.0, 1]]]), (window(-1, 1, 0), window(1, -0.5, 0))
    assert residual_branch(features, *weights).tolist() == [[[-1, 2]]]
    assert reference.identity_block(features, *weights).tolist() == [[[1, 3]]]


@pytest.mark.parametrize(
    ("shape", "weights", "stride", "said"),
    [
        ((2, 3), (1, 1, 3, 3), 1, "3 dimensions"),
        ((2, 3, 3), (1, 1, 3, 3), 1, "map of 2 channels"),
        ((1, 3, 3), (1, 1, 2, 2), 1, "odd q"),
        ((1, 3, 3), (1, 1, 1, 3), 1, "odd q"),
        ((1, 3, 3), (1, 3, 3), 1, "weights must have the shape"),
        ((1, 3, 3), (1, 1, 3, 3), 0, "stride must be at least 1"),
    ],
)
def test_what_does_not_fit_is_named(shape, weights, stride, said):
    with pytest.raises(ValueError, match=said):
        reference.convolve(np.zeros(shape), np.zeros(weights), stride)


def test_an_identity_block_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match="convolution_block"):
        reference.identity_block(np.zeros((1, 3, 3)), np.zeros((2, 1, 3, 3)))

"""Receptive fields against what PyTorch's gradients reach: chains of layers and whole ResNets."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from roilearn import reference
from roilearn.models import resnet18, resnet50, resnet_tiny
from roilearn.models.backbone.residual_blocks import ConvolutionBlock, IdentityBlock

layers = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=5
)
RESNETS = [
    (resnet_tiny, (3, (2, 2, 2), (3, 3))),
    (resnet18, (7, (2, 2, 2, 2), (3, 3))),
    (resnet50, ()),
]


def reached(layers, cell, size):
    """First pixel with a gradient from a cell, and the first after the last one."""
    network = nn.Sequential(
        *(nn.Conv1d(1, 1, k, s, p, bias=False, dtype=torch.float64) for k, s, p in layers)
    )
    for weight in network.parameters():
        nn.init.ones_(weight)
    image = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    network(image)[0, 0, cell].backward()
    where = np.flatnonzero(image.grad[0, 0].numpy())
    return where[0], where[-1] + 1


@given(layers, st.integers(0, 3))
def test_the_gradient_of_a_cell_reaches_its_field_and_nothing_else(layers, beyond):
    """The cell is far enough from the border that no part of its field lies in the padding. A
    stride larger than its kernel leaves gaps in a field, but not at its ends."""
    field = reference.receptive_field(layers)
    cell = -(field.start // field.stride) + beyond if field.start < 0 else beyond
    first, end = field.pixels(cell)
    assert first >= 0
    assert reached(layers, cell, end + 30) == (first, end)


def test_a_field_that_begins_in_the_padding_is_clipped_by_the_image():
    layers = [(3, 2, 1), (3, 2, 1)]
    assert reference.receptive_field(layers).pixels(0) == (-3, 4)
    assert reached(layers, 0, 40) == (0, 4)


@pytest.mark.parametrize(("build", "arguments"), RESNETS)
def test_layers_are_those_of_the_network(build, arguments):
    """The kernels, strides and paddings on the branches' way, read from the modules themselves."""
    body = build()
    found = [(body.conv1.kernel_size[0], body.conv1.stride[0], body.conv1.padding[0]), (3, 2, 1)]
    maps = reference.resnet_layers(*arguments)
    for stage, layers in zip(body.stages, maps, strict=True):
        for block in body.get_submodule(stage):
            assert isinstance(block, IdentityBlock | ConvolutionBlock)
            for number in range(1, block.depth + 1):
                conv = block.get_submodule(f"conv{number}")
                found.append((conv.kernel_size[0], conv.stride[0], conv.padding[0]))
        assert layers == found


@pytest.mark.parametrize(("build", "arguments"), RESNETS[:2])
def test_a_whole_network_sees_its_field(build, arguments):
    """Max pooling sends its gradient to one cell of nine, so an average stands in for it here."""
    body = build(norm=lambda _: nn.Identity(), zero_init_residual=False).double()
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    for level, layers in enumerate(reference.resnet_layers(*arguments)[:3]):
        field = reference.receptive_field(layers)
        cell = -(field.start // field.stride)
        first, end = field.pixels(cell)
        image = torch.ones(1, 3, end + 40, 8, dtype=torch.float64, requires_grad=True)
        pooled = nn.functional.avg_pool2d(body.conv1(image), 3, stride=2, padding=1)
        for stage in body.stages[: level + 1]:
            pooled = body.get_submodule(stage)(pooled)
        pooled[0, :, cell].sum().backward()
        rows = np.flatnonzero(image.grad[0].abs().sum((0, 2)).numpy())
        assert (rows[0], rows[-1] + 1) == (first, end)


def test_the_numbers_that_are_quoted_for_resnet_50():
    """The paper has the stride of a stage in its first 1 x 1 convolution: 483 pixels, not 427."""
    paper = [(7, 2, 3), (3, 2, 1)]
    for stage, depth in enumerate((3, 4, 6, 3)):
        for block in range(depth):
            step = 2 if stage > 0 and block == 0 else 1
            paper += [(1, step, 0), (3, 1, 1), (1, 1, 0)]
    assert reference.receptive_field(paper).size == 483
    assert reference.receptive_field(reference.resnet_layers()[3]).size == 427


def test_the_centre_of_a_field_is_not_that_of_its_cell():
    """Odd kernels with half their size as padding keep the centre of cell 0 on that of pixel 0."""
    for layers in reference.resnet_layers():
        field = reference.receptive_field(layers)
        assert field.centre(0) == 0.5
        assert field.centre(3) == 0.5 + 3 * field.stride


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers must have at least one item"),
        ([(0, 1, 0)], "kernel must be at least 1; got 0"),
        ([(3, 0, 1)], "stride must be at least 1; got 0"),
        ([(3, 1, -1)], "padding must be at least 0; got -1"),
    ],
)
def test_bad_layers_are_named(layers, message):
    with pytest.raises(ValueError, match=message):
        reference.receptive_field(layers)


def test_a_branch_without_a_place_for_its_stride_is_refused():
    with pytest.raises(
        ValueError, match="3 x 3 convolutions of a branch must lie from 1 to 2; got 0"
    ):
        reference.resnet_layers(7, (1, 1), (5, 1))

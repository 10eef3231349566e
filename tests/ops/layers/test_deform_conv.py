"""Laws of deformable convolution, gradients to any order, and dtypes."""

import pytest
import torch
from torch.nn.functional import conv2d

from roilearn import ops


def draw(*shape, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=random, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("groups", [1, 2])
def test_without_offsets_it_is_a_convolution(convolve, groups):
    features, weight, bias = draw(1, 4, 7, 8), draw(6, 4 // groups, 3, 2), draw(6)
    steps = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}
    expected = conv2d(features, weight, bias, groups=groups, **steps)
    offset = torch.zeros(1, 2 * 6, *expected.shape[2:], dtype=torch.float64)
    torch.testing.assert_close(convolve(features, offset, weight, bias, **steps), expected)


def test_whole_offsets_move_the_map(convolve):
    """All offsets one down and two to the left: the output of the map moved up and to the right."""
    features, weight = draw(1, 2, 8, 9), draw(3, 2, 3, 3)
    offset = torch.zeros(1, 9, 2, 6, 7, dtype=torch.float64)
    offset[:, :, 0], offset[:, :, 1] = 1, -2
    found = convolve(features, offset.flatten(1, 2), weight)
    expected = conv2d(features, weight)
    torch.testing.assert_close(found[..., :-1, 2:], expected[..., 1:, :-2])


def test_on_a_ramp_an_offset_adds_its_slope(convolve):
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(8.0), indexing="ij")
    ramp = (2 * rows - 5 * columns)[None, None].double()
    offset = draw(1, 2, 9, 8).clamp(-0.9, 0.9)
    found = convolve(ramp, offset, torch.ones(1, 1, 1, 1, dtype=torch.float64))
    expected = ramp + 2 * offset[:, :1] - 5 * offset[:, 1:]
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])


def test_the_mask_is_a_factor_of_each_cell_of_the_window(convolve):
    features, offset, weight = draw(1, 2, 6, 7), draw(1, 8, 5, 6), draw(3, 2, 2, 2)
    whole = convolve(features, offset, weight, mask=torch.full((1, 4, 5, 6), 0.25).double())
    torch.testing.assert_close(whole, convolve(features, offset, weight) / 4)
    parts = 0
    for k in range(4):
        mask = torch.zeros(1, 4, 5, 6, dtype=torch.float64)
        mask[:, k] = 1
        alone = torch.zeros_like(weight)
        alone[:, :, k // 2, k % 2] = weight[:, :, k // 2, k % 2]
        found = convolve(features, offset, weight, mask=mask)
        torch.testing.assert_close(found, convolve(features, offset, alone))
        parts = parts + found
    torch.testing.assert_close(parts, convolve(features, offset, weight))


def test_each_offset_group_moves_its_own_channels(convolve):
    features, weight = draw(1, 4, 6, 7), draw(3, 4, 2, 2)
    offset = draw(1, 16, 5, 6)
    first, second = weight.clone(), weight.clone()
    first[:, 2:], second[:, :2] = 0, 0
    parts = convolve(features, offset[:, :8], first) + convolve(features, offset[:, 8:], second)
    torch.testing.assert_close(convolve(features, offset, weight), parts)


def test_gradients_to_second_order():
    tensors = [
        draw(1, 2, 4, 5),
        draw(1, 8, 3, 4) * 0.8,
        draw(2, 1, 2, 2),
        draw(2),
        draw(1, 4, 3, 4),
    ]
    leaves = [tensor.requires_grad_() for tensor in tensors]

    def convolve(features, offset, weight, bias, mask):
        return ops.deform_conv2d(features, offset, weight, bias, mask=mask)

    torch.autograd.gradcheck(convolve, leaves)
    torch.autograd.gradgradcheck(convolve, leaves)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_are_added_up_in_float32(dtype):
    tensors = draw(1, 8, 40, 6), 4 * draw(1, 18, 38, 4), draw(2, 8, 3, 3)
    tensors = [tensor.to(dtype) for tensor in tensors]
    exact = ops.deform_conv2d(*(tensor.float() for tensor in tensors))
    found = ops.deform_conv2d(*tensors)
    assert found.dtype == dtype
    assert torch.equal(found, exact.to(dtype))


def test_autocast_computes_in_float32():
    features, offset, weight = (
        draw(*shape, dtype=torch.float32) for shape in ((1, 8, 10, 6), (1, 18, 8, 4), (2, 8, 3, 3))
    )
    exact = ops.deform_conv2d(features.double(), offset.double(), weight.double()).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(ops.deform_conv2d(features, offset, weight), exact)
        halves = ops.deform_conv2d(features.bfloat16(), offset, weight)
    assert halves.dtype == torch.bfloat16

"""Wrong arguments of deformable convolution: both implementations raise the same error."""

import numpy as np
import pytest
import torch

from roilearn import ops

FEATURES, OFFSET, WEIGHT = np.ones((2, 4, 6, 7)), np.ones((2, 12, 4, 6)), np.ones((6, 2, 3, 2))
NAN = np.where(np.arange(6) == 2, np.nan, OFFSET)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((FEATURES[0], OFFSET, WEIGHT), {}, r"input must have 4 dimensions \(N, C, H, W\)"),
        (
            (FEATURES, OFFSET[:, :11], WEIGHT),
            {},
            r"offset must have 12 channels, .* \(2, 11, 4, 6\)",
        ),
        ((FEATURES, OFFSET.repeat(3, 1), WEIGHT), {}, r"offset must .* divides 4 channels; got"),
        ((FEATURES, OFFSET[..., :5], WEIGHT), {}, r"offset must have shape \(2, 12, 4, 6\)"),
        ((FEATURES, OFFSET[:1], WEIGHT), {}, r"offset must have shape \(2, 12, 4, 6\).* \(1, 12"),
        (
            (FEATURES, OFFSET, WEIGHT[0]),
            {},
            r"weight must have shape \(out_channels, .* \(2, 3, 2\)",
        ),
        ((FEATURES, OFFSET, np.ones((6, 3, 3, 2))), {}, r"weight must have in_channels / groups"),
        (
            (FEATURES[:, :0], OFFSET, WEIGHT),
            {},
            r"weight must have .* an input of 0",
        ),
        ((FEATURES, OFFSET, WEIGHT[:5]), {}, r"weight must have in_channels / groups .* \(5, 2"),
        ((FEATURES, OFFSET, WEIGHT, np.ones(5)), {}, r"bias must have shape \(6,\).* got \(5,\)"),
        ((FEATURES, OFFSET, WEIGHT), {"stride": 0}, r"stride must be at least 1 along both axes"),
        ((FEATURES, OFFSET, WEIGHT), {"padding": (0, -1)}, r"padding must be at least 0 along"),
        (
            (FEATURES, OFFSET, WEIGHT),
            {"dilation": (1, 2, 3)},
            r"dilation must be a whole number or",
        ),
        ((FEATURES, OFFSET, WEIGHT), {"dilation": 4}, r"weight must have a window that fits"),
        ((FEATURES, OFFSET, WEIGHT), {"mask": OFFSET}, r"mask must have shape \(2, 6, 4, 6\)"),
        ((FEATURES, NAN, WEIGHT), {}, r"offset must hold numbers; got NaN"),
        ((FEATURES, OFFSET, WEIGHT), {"mask": NAN[:, :6]}, r"mask must hold numbers; got NaN"),
    ],
)
def test_wrong_values(convolve, arguments, options, message):
    arguments = [torch.tensor(each) for each in arguments]
    options = {
        name: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in options.items()
    }
    with pytest.raises(ValueError, match=message):
        convolve(*arguments, **options)


def test_wrong_kinds(convolve):
    tensors = [torch.tensor(each) for each in (FEATURES, OFFSET, WEIGHT)]
    with pytest.raises(TypeError, match=r"offset must be floating point; got .*int64"):
        convolve(tensors[0], tensors[1].long(), tensors[2])
    with pytest.raises(TypeError, match=r"stride must be a whole number; got 1\.5"):
        convolve(*tensors, stride=1.5)
    with pytest.raises(TypeError, match=r"offset must be a torch tensor; got ndarray"):
        ops.deform_conv2d(tensors[0], OFFSET, tensors[2])
    for options, message in (
        ({"groups": 2}, r"in_channels must be a multiple of the 2 groups; got 3"),
        ({"groups": 3}, r"out_channels must be a multiple of the 3 groups; got 4"),
    ):
        with pytest.raises(ValueError, match=message):
            ops.DeformConv2d(3, 4, 3, **options)

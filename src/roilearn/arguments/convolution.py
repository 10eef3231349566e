"""Argument checks of deformable convolution: shapes of its tensors, stride, padding, dilation."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from roilearn.arguments.arrays import check_array, check_floating
from roilearn.arguments.pooling import check_features
from roilearn.arguments.scalars import check_whole


class ConvolutionSizes(NamedTuple):
    """What the shapes and options of a deformable convolution say, pairs as (down, across)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    output: tuple[int, int]
    groups: int
    offset_groups: int


def check_deform_conv(
    input: Any,
    offset: Any,
    weight: Any,
    bias: Any,
    mask: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
) -> ConvolutionSizes:
    """Return the sizes of a deformable convolution; raise unless its arguments fit together."""
    check_features(input)
    given = {"offset": offset, "weight": weight, "mask": mask, "bias": bias}
    for name, value in given.items():
        if value is not None:
            check_array(name, value)
            check_floating(name, value)
    steps = check_steps("stride", stride, 1)
    border = check_steps("padding", padding, 0)
    spacing = check_steps("dilation", dilation, 1)
    kernel, groups = _check_weight(weight, bias, input.shape[1])
    output = tuple(
        (size + 2 * around - apart * (cells - 1) - 1) // step + 1
        for size, around, apart, cells, step in zip(
            input.shape[2:], border, spacing, kernel, steps, strict=True
        )
    )
    if min(output) < 1:
        raise ValueError(
            f"weight must have a window that fits the padded input; got one of {kernel[0]} x "
            f"{kernel[1]} cells with dilation {spacing} for an input of {input.shape[2]} x "
            f"{input.shape[3]} cells with padding {border}."
        )
    offset_groups = _check_offset(offset, mask, input.shape, kernel, (output[0], output[1]))
    return ConvolutionSizes(
        kernel, steps, border, spacing, (output[0], output[1]), groups, offset_groups
    )


def check_steps(name: str, value: Any, least: int) -> tuple[int, int]:
    """Return ``value``, a whole number or a pair of them, as a pair (down, across)."""
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    if isinstance(value, str) or len(pair) != 2:
        raise ValueError(f"{name} must be a whole number or a pair (down, across); got {value!r}.")
    down, across = (check_whole(name, step) for step in pair)
    if min(down, across) < least:
        raise ValueError(f"{name} must be at least {least} along both axes; got {value!r}.")
    return down, across


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Raise unless the groups divide the channels of the input and of the output."""
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"{name} must be a multiple of the {groups} groups; got {channels}.")


def _check_weight(weight: Any, bias: Any, channels: int) -> tuple[tuple[int, int], int]:
    """Return the size of the window and the number of groups."""
    shape = tuple(weight.shape)
    if len(shape) != 4 or 0 in shape:
        raise ValueError(
            "weight must have shape (out_channels, in_channels / groups, height, width), no size "
            f"0; got {shape}."
        )
    if not channels or channels % shape[1] or shape[0] % (channels // shape[1]):
        raise ValueError(
            f"weight must have in_channels / groups channels of an input of {channels}, and as "
            f"many output channels for each group; got shape {shape}."
        )
    if bias is not None and tuple(bias.shape) != shape[:1]:
        raise ValueError(
            f"bias must have shape ({shape[0]},), a number for each output channel; got "
            f"{tuple(bias.shape)}."
        )
    return (shape[2], shape[3]), channels // shape[1]


def _check_offset(
    offset: Any, mask: Any, shape: Sequence[int], kernel: tuple[int, int], output: tuple[int, int]
) -> int:
    """Return the number of offset groups."""
    cells = kernel[0] * kernel[1]
    groups = offset.shape[1] // (2 * cells) if offset.ndim == 4 else 0
    if groups < 1 or shape[1] % groups:
        raise ValueError(
            f"offset must have {2 * cells} channels, y and x of each cell of the window, times a "
            f"number of groups that divides {shape[1]} channels; got shape {tuple(offset.shape)}."
        )
    for name, value, channels in (
        ("offset", offset, 2 * cells * groups),
        ("mask", mask, cells * groups),
    ):
        wanted = (shape[0], channels, *output)
        if value is not None and tuple(value.shape) != wanted:
            raise ValueError(
                f"{name} must have shape {wanted}, channels for {groups} offset groups at each "
                f"cell of the output; got {tuple(value.shape)}."
            )
    return groups


def check_offset_values(offset: Any, mask: Any) -> None:
    """Raise if an offset or a factor of the mask is NaN; an infinite offset reads nothing."""
    for name, values in (("offset", offset), ("mask", mask)):
        if values is not None and bool((values != values).any()):  # noqa: PLR0124 - only NaN is
            raise ValueError(
                f"{name} must hold numbers; got NaN. It comes from a diverged prediction: look at "
                "the layer that predicts it."
            )

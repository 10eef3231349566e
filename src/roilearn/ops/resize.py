"""Resizing by linear interpolation, under four grid rules.

A grid rule gives the position, among ``in_size`` values, that each of ``out_size`` outputs reads.
The four rules give different results of the same size; three of them are called "bilinear" in some
library.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import (
    check_choice,
    check_floating,
    check_not_empty,
    check_output_size,
    check_tensor,
)
from roilearn.ops.interpolation import linear, neighbours

GRID_RULES = ("corner", "corner_truncated", "half_pixel", "align_corners")


def source_positions(
    out_size: int,
    in_size: int,
    rule: str = "half_pixel",
    *,
    device: torch.device | str | None = None,
) -> Float[Tensor, " out_size"]:
    """Index position in the input that each output reads, before clamping.

    Parameters
    ----------
    out_size, in_size : number of values along the axis.
    rule : one of ``GRID_RULES``, with scale = in_size / out_size:

        ``corner``            i * scale (most tutorials; ONNX calls it asymmetric)
        ``corner_truncated``  floor(i * scale), which is nearest-neighbour resizing
        ``half_pixel``        (i + 0.5) * scale - 0.5 (PyTorch, OpenCV, TensorFlow 2, Pillow)
        ``align_corners``     i * (in_size - 1) / (out_size - 1)

    device : of the result.

    Returns
    -------
    (out_size,) positions in float64: in float32 the truncated rule would lose whole cells.

    Raises
    ------
    ValueError: a size below 1; an unknown rule.

    Examples
    --------
    >>> source_positions(4, 3, "corner")
    tensor([0.0000, 0.7500, 1.5000, 2.2500], dtype=torch.float64)
    """
    check_choice("rule", rule, GRID_RULES)
    check_output_size((out_size, in_size), name="out_size and in_size")
    scale = in_size / out_size
    i = torch.arange(out_size, dtype=torch.float64, device=device)
    if rule == "corner":
        return i * scale
    if rule == "corner_truncated":
        return (i * scale).floor()
    if rule == "half_pixel":
        return (i + 0.5) * scale - 0.5
    return i * (in_size - 1) / max(out_size - 1, 1)


def resize_linear(
    values: Float[Tensor, " L"], size: int, rule: str = "half_pixel"
) -> Float[Tensor, " size"]:
    """Resize a signal to ``size`` values: read it at ``source_positions``, clamped at the ends.

    Examples
    --------
    >>> resize_linear(torch.tensor([0.0, 1.0, 2.0]), 4, "corner")
    tensor([0.0000, 0.7500, 1.5000, 2.0000])
    """
    check_tensor("values", values)
    check_not_empty("values", values, dimensions=1)
    positions = source_positions(size, len(values), rule, device=values.device)
    return linear(values, positions).to(values.dtype)


def resize(
    image: Float[Tensor, "*batch H W"], size: int | Sequence[int], rule: str = "half_pixel"
) -> Float[Tensor, "*batch h w"]:
    """Resize images by bilinear interpolation: along the rows, then along the columns.

    The position of every output pixel is a row and a column that do not depend on each other. So
    the four bilinear weights are the product of two pairs, and the image can be resized one axis at
    a time.

    Parameters
    ----------
    image : (..., H, W) tensor.
    size : (height, width) of the output, or one number for both.
    rule : one of ``GRID_RULES``.

    Returns
    -------
    (..., height, width) tensor.

    Examples
    --------
    >>> image = torch.arange(9.0).reshape(3, 3)
    >>> resize(image, (2, 2), "align_corners")
    tensor([[0., 2.],
            [6., 8.]])
    """
    check_tensor("image", image)
    check_not_empty("image", image, dimensions=2)
    check_floating("image", image)
    height, width = check_output_size(size, name="size")
    rows = source_positions(height, image.shape[-2], rule, device=image.device)
    columns = source_positions(width, image.shape[-1], rule, device=image.device)
    top, bottom, down = neighbours(rows, image.shape[-2])
    left, right, across = neighbours(columns, image.shape[-1])
    down, across = down.to(image.dtype), across.to(image.dtype)
    image = torch.lerp(image[..., top, :], image[..., bottom, :], down[:, None])  # [..., h, W]
    return torch.lerp(image[..., left], image[..., right], across)  # [..., h, w]

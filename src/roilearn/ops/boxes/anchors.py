"""Anchors: boxes of a few sizes and aspect ratios at every cell, which proposals start from."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import (
    check_finite_number,
    check_flag,
    check_levels,
    check_output_size,
    check_pair,
    check_positive,
)
from roilearn.ops.tracing import is_tracing

ASPECT_RATIOS = (0.5, 1.0, 2.0)
"""Height / width of the anchors of Faster R-CNN."""


def base_anchors(
    sizes: float | Sequence[float],
    aspect_ratios: float | Sequence[float] = ASPECT_RATIOS,
    rounded: bool = False,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, "A 4"]:
    """List the anchors of one cell, centred on the origin.

    Parameters
    ----------
    sizes : square roots of areas, in image pixels.
    aspect_ratios : height / width. Anchors of one size and any ratio have the same area.
    rounded : round every edge to the nearest whole pixel, halves to even.
    dtype, device : of the result; a floating dtype.

    Returns
    -------
    (A, 4) boxes x1, y1, x2, y2: all sizes of the first ratio, then those of the next.

    Raises
    ------
    ValueError, TypeError: a size or ratio that is not a finite number above 0.

    Examples
    --------
    >>> base_anchors(8, (1.0, 4.0))
    tensor([[-4., -4.,  4.,  4.],
            [-2., -8.,  2.,  8.]])
    """
    check_flag("rounded", rounded)
    if not dtype.is_floating_point:
        raise TypeError(f"dtype must be floating point; got {dtype}. Convert the anchors instead.")
    ratio = torch.tensor(check_positive("aspect_ratios", aspect_ratios), dtype=dtype, device=device)
    size = torch.tensor(check_positive("sizes", sizes), dtype=dtype, device=device)
    tall = ratio.sqrt()[:, None]  # [R, 1]
    width, height = (1 / tall * size).flatten(), (tall * size).flatten()  # [R * S] each
    anchors = torch.stack([-width, -height, width, height], 1) / 2
    return anchors.round() if rounded else anchors


def generate_anchors(
    feature_size: Sequence[int],
    stride: float | Sequence[float],
    sizes: float | Sequence[float],
    aspect_ratios: float | Sequence[float] = ASPECT_RATIOS,
    offset: float = 0.5,
    rounded: bool = False,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, "anchors 4"]:
    """Place the same anchors at every cell of a map.

    Parameters
    ----------
    feature_size : (height, width) of the map, in cells.
    stride : image pixels per cell: one number, or a pair (vertical, horizontal).
    sizes, aspect_ratios, rounded, dtype, device : as in ``base_anchors``.
    offset : position of an anchor's centre in its cell: 0.5 in the middle, 0 at its first corner.

    Returns
    -------
    (height * width * A, 4) boxes x1, y1, x2, y2 in image pixels: the A anchors of the first cell,
    then those of the next cell of its row. Many reach outside the image.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.

    Differs from
    ------------
    torchvision 0.29: its anchors are those of ``offset=0, rounded=True``. They lie half a cell
    above and to the left of the centres of their cells.

    Examples
    --------
    >>> generate_anchors((1, 2), 16, 8, 1.0)
    tensor([[ 4.,  4., 12., 12.],
            [20.,  4., 28., 12.]])
    """
    height, width = check_output_size(feature_size, name="feature_size")
    down, across = check_pair("stride", stride)
    offset = check_finite_number("offset", offset)
    shapes = base_anchors(sizes, aspect_ratios, rounded, dtype=dtype, device=device)  # [A, 4]
    # A size in a recorded graph is not known yet.
    farthest = 0 if is_tracing() else max(height * down, width * across)
    if farthest > torch.finfo(dtype).max:
        raise ValueError(
            f"dtype must hold the coordinates of all cells, up to {farthest:g}; got {dtype}, which "
            f"ends at {torch.finfo(dtype).max:g}. Pass dtype=torch.float32."
        )
    y = (torch.arange(height, dtype=dtype, device=device) + offset) * down
    x = (torch.arange(width, dtype=dtype, device=device) + offset) * across
    y, x = torch.meshgrid(y, x, indexing="ij")  # [height, width] each
    centres = torch.stack([x, y, x, y], -1)  # [height, width, 4]
    return (centres[:, :, None] + shapes).flatten(0, 2)


def pyramid_anchors(
    feature_sizes: Sequence[Sequence[int]],
    strides: Sequence[float | Sequence[float]],
    sizes: Sequence[float | Sequence[float]],
    aspect_ratios: float | Sequence[float] = ASPECT_RATIOS,
    offset: float = 0.5,
    rounded: bool = False,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> list[Float[Tensor, "_ 4"]]:
    """Generate the anchors of every level of a pyramid.

    Parameters
    ----------
    feature_sizes, strides, sizes : those of ``generate_anchors``, one entry for each level.
    aspect_ratios, offset, rounded, dtype, device : as in ``generate_anchors``, for all levels.

    Returns
    -------
    A list with a tensor for each level, because proposals are selected level by level.
    ``torch.cat`` of it is what torchvision's ``AnchorGenerator`` returns for one image.

    Raises
    ------
    ValueError: lists of different lengths.
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.1: one size per level.

    Examples
    --------
    >>> [len(level) for level in pyramid_anchors([(4, 6), (2, 3)], (4, 8), (32, 64))]
    [72, 18]
    """
    check_levels(feature_sizes=feature_sizes, strides=strides, sizes=sizes)
    return [
        generate_anchors(
            feature_size, stride, size, aspect_ratios, offset, rounded, dtype=dtype, device=device
        )
        for feature_size, stride, size in zip(feature_sizes, strides, sizes, strict=True)
    ]

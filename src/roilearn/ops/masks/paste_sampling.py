"""Bilinear sampling of small masks at the centres of pixels: in windows, or in the whole image."""

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.ops.interpolation import neighbours

Window = tuple[slice, slice]
"""Rows and columns of an image."""


def axis_neighbours(
    first: Float[Tensor, " N"], last: Float[Tensor, " N"], size: int, cells: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Both mask cells that each pixel reads along one axis, and its position between them.

    Returns
    -------
    Four (N, size) tensors: low and high cell, fraction, and whether the pixel lies in the region.
    """
    centre = torch.arange(size, dtype=first.dtype, device=first.device) + 0.5
    inside = (first[:, None] <= centre) & (centre < last[:, None])  # [N, size]
    length = torch.where(last > first, last - first, 1)[:, None]
    position = (centre - first[:, None]) * cells / length - 0.5
    return *neighbours(torch.where(inside, position, 0), cells), inside


def sample_patches(
    cells: Float[Tensor, "N P P"],
    regions: Float[Tensor, "N 4"],
    windows: list[Window],
    size: tuple[int, int],
) -> list[Tensor]:
    """Sample each mask at the centres of the pixels of its window: along rows, then columns."""
    x1, y1, x2, y2 = regions.unbind(1)
    top, bottom, down, _ = axis_neighbours(y1, y2, size[0], cells.shape[1])
    left, right, across, _ = axis_neighbours(x1, x2, size[1], cells.shape[2])
    down, across = down.to(cells.dtype), across.to(cells.dtype)
    patches = []
    for n, (rows, columns) in enumerate(windows):
        mask = torch.lerp(cells[n, top[n, rows]], cells[n, bottom[n, rows]], down[n, rows, None])
        low, high = mask[:, left[n, columns]], mask[:, right[n, columns]]
        patches.append(torch.lerp(low, high, across[n, columns]))
    return patches


def sample_everywhere(
    cells: Float[Tensor, "N P P"], regions: Float[Tensor, "N 4"], size: tuple[int, int]
) -> Float[Tensor, "N 1 H W"]:
    """Sample each mask at every pixel of the image: row weights @ mask @ column weights."""
    x1, y1, x2, y2 = regions.unbind(1)
    down = _weights(*axis_neighbours(y1, y2, size[0], cells.shape[1]), cells)  # [N, H, P]
    across = _weights(*axis_neighbours(x1, x2, size[1], cells.shape[2]), cells)  # [N, W, P]
    return (down @ cells @ across.transpose(1, 2))[:, None]


def _weights(low: Tensor, high: Tensor, fraction: Tensor, inside: Tensor, cells: Tensor) -> Tensor:
    weight = torch.zeros(*low.shape, cells.shape[-1], dtype=fraction.dtype, device=low.device)
    weight = weight.scatter_add(2, low[..., None], ((1 - fraction) * inside)[..., None])
    return weight.scatter_add(2, high[..., None], (fraction * inside)[..., None]).to(cells.dtype)

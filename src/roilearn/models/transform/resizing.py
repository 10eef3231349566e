"""Resizing: the new size of an image, and of its boxes, keypoints and masks."""

import math
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

Size = tuple[int, int]
"""Height and width in pixels."""


def size_of(image: Float[Tensor, "*_ H W"]) -> Size:
    """Height and width."""
    return (image.shape[-2], image.shape[-1])


def resized_size(size: Size, min_size: int, max_size: int) -> Size:
    """Compute the size at which the shorter side is ``min_size`` and no side exceeds ``max_size``.

    The aspect ratio is kept. Sides are rounded down, to at least one pixel.

    Examples
    --------
    >>> resized_size((480, 640), 800, 1333), resized_size((427, 1000), 800, 1333)
    ((800, 1066), (569, 1333))
    """
    if any(isinstance(side, Tensor) for side in size):
        return _traced_resized_size(size, min_size, max_size)
    scale = min(min_size / min(size), max_size / max(size))
    return (max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale)))


def _traced_resized_size(size: Any, min_size: int, max_size: int) -> Any:
    """``resized_size`` in a graph that is being recorded, for images of sizes that come later."""
    sides = torch.stack([torch.as_tensor(side) for side in size]).double()
    # The older ONNX exporter would compute number / tensor in float32, which floor would show.
    limits = sides.new_tensor([min_size, max_size])
    scale = (limits / torch.stack([sides.amin(), sides.amax()])).amin()
    height, width = (sides * scale).floor().clamp(min=1).long().unbind()
    return height, width


def resize_boxes(boxes: Float[Tensor, "n 4"], old: Size, new: Size) -> Float[Tensor, "n 4"]:
    """Scale corners from an image of size ``old`` to one of size ``new``."""
    down, across = new[0] / old[0], new[1] / old[1]
    return boxes * row_like(boxes, across, down, across, down)


def resize_keypoints(
    points: Float[Tensor, "n k 3"], old: Size, new: Size
) -> Float[Tensor, "n k 3"]:
    """Scale x and y; the third number, the visibility, stays."""
    return points * row_like(points, new[1] / old[1], new[0] / old[0], 1)


def row_like(like: Tensor, *numbers: Any) -> Tensor:
    """Return numbers, which may be those of a recorded graph, as a tensor of the dtype of ``like``.

    Examples
    --------
    >>> row_like(torch.zeros(2, 3), 1, 0.5)
    tensor([1.0000, 0.5000])
    """
    if not any(isinstance(each, Tensor) for each in numbers):
        return like.new_tensor(numbers)
    return torch.stack([torch.as_tensor(each).to(like) for each in numbers])


def resize_masks(masks: Tensor, new: Size, mode: str) -> UInt8[Tensor, "n _ _"]:
    """Resize by nearest neighbour, so that a mask stays 0 or 1."""
    if size_of(masks) == new:
        return masks.byte()
    return interpolate(masks[:, None].byte(), new, mode=mode)[:, 0]

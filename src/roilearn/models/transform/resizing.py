"""Resizing: the new size of an image, and of its boxes, keypoints and masks."""

import math

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
    scale = min(min_size / min(size), max_size / max(size))
    return (max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale)))


def resize_boxes(boxes: Float[Tensor, "n 4"], old: Size, new: Size) -> Float[Tensor, "n 4"]:
    """Scale corners from an image of size ``old`` to one of size ``new``."""
    down, across = new[0] / old[0], new[1] / old[1]
    return boxes * boxes.new_tensor([across, down, across, down])


def resize_keypoints(
    points: Float[Tensor, "n k 3"], old: Size, new: Size
) -> Float[Tensor, "n k 3"]:
    """Scale x and y; the third number, the visibility, stays."""
    return points * points.new_tensor([new[1] / old[1], new[0] / old[0], 1])


def resize_masks(masks: Tensor, new: Size, mode: str) -> UInt8[Tensor, "n _ _"]:
    """Resize by nearest neighbour, so that a mask stays 0 or 1."""
    if size_of(masks) == new:
        return masks.byte()
    return interpolate(masks[:, None].byte(), new, mode=mode)[:, 0]

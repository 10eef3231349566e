"""Shrinking of large images and their masks to about the size that a model sees."""

import numpy as np

from roilearn.data.coco.segmentation import RLE, decode_columns, run_lengths


def shrink_factor(height: int, width: int, min_size: int, max_size: int) -> int:
    """Choose the largest power of two by which an image stays as large as a model sees it.

    Parameters
    ----------
    height, width : of the image, in pixels.
    min_size, max_size : the model resizes the shorter side to ``min_size``, or the longer one to
        ``max_size`` if it would exceed that.

    Examples
    --------
    >>> shrink_factor(3000, 4000, 128, 256), shrink_factor(200, 300, 128, 256)
    (16, 1)
    """
    enlargement = max(min(height, width) / min_size, max(height, width) / max_size)
    return power_of_two(enlargement)


def mask_shrink_factor(objects: int, height: int, width: int, most: int) -> int:
    """Choose the least power of two at which an image's masks have at most so many pixels."""
    factor = 1
    while objects * (height / factor) * (width / factor) > most:
        factor *= 2
    return factor


def power_of_two(limit: float) -> int:
    """Return the largest power of two that does not exceed a limit, at least 1."""
    factor = 1
    while 2 * factor <= limit:
        factor *= 2
    return factor


def shrunk_mask(rle: RLE, factor: int) -> RLE:
    """Shrink a mask without ever having all of it in memory, only the columns around the object.

    A pixel of the small mask belongs to it if at least half of the pixels that it covers do; if
    that leaves none, if any does.

    Examples
    --------
    >>> from roilearn.data.coco.segmentation import decode_segmentation, encode_segmentation
    >>> square = encode_segmentation([[2, 2, 6, 2, 6, 6, 2, 6]], 7, 10)
    >>> decode_segmentation(shrunk_mask(square, 2))
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 0, 0],
           [0, 1, 1, 0, 0],
           [0, 0, 0, 0, 0]], dtype=uint8)
    """
    height, width = rle["size"]
    x, y, w, h = (int(edge) for edge in run_lengths.toBbox(rle))
    left, top = x // factor, y // factor
    right, bottom = -(-(x + w) // factor), -(-(y + h) // factor)
    columns = decode_columns(rle, left * factor, min(right * factor, width))
    part = columns[top * factor : bottom * factor]
    tall, wide = (np.arange(0, side, factor) for side in part.shape)
    sums = np.add.reduceat(np.add.reduceat(part, tall, axis=0, dtype=int), wide, axis=1)
    pixels = np.outer(
        *(np.diff([*starts, side]) for starts, side in zip((tall, wide), part.shape, strict=True))
    )
    inside = 2 * sums >= pixels
    small = np.zeros((-(-height // factor), -(-width // factor)), np.uint8, order="F")
    small[top:bottom, left:right] = inside if inside.any() else sums > 0
    return run_lengths.encode(small)

"""Segmentations in COCO's format, polygons or run lengths (RLE): checking, encoding, decoding."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as pycocotools_mask

from roilearn.data.coco.fault_report import FaultError

run_lengths: Any = pycocotools_mask  # its type stubs refuse a plain dict as a mask

RLE = dict[str, Any]
"""Run lengths as in pycocotools: ``size`` (height, width) and compressed ``counts``."""


def encode_segmentation(segmentation: Any, height: int, width: int) -> RLE:
    """Encode polygons or run lengths as compressed run lengths.

    Parameters
    ----------
    segmentation : a list of polygons [x1, y1, x2, y2, ...] in image pixels, whose union is the
        mask; or a dict of ``size`` (height, width) and ``counts``: a list of the lengths of runs,
        down each column, of alternately outside and inside pixels, or such a list as a string.
    height, width : size of the image.

    Raises
    ------
    FaultError: a polygon of fewer than three points, run lengths that do not fill the image,
        a mask without a pixel, or another kind of value.

    Examples
    --------
    >>> square = encode_segmentation([[1, 1, 3, 1, 3, 3, 1, 3]], 4, 5)
    >>> decode_segmentation(square)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 0, 0],
           [0, 1, 1, 0, 0],
           [0, 0, 0, 0, 0]], dtype=uint8)
    """
    if isinstance(segmentation, Mapping):
        fault, rle = "bad RLE", _from_run_lengths(segmentation, height, width)
    else:
        fault, rle = "bad polygon", _from_polygons(segmentation, height, width)
    if run_lengths.area(rle) == 0:
        raise FaultError(fault, "it covers no pixel of the image")
    return rle


def decode_segmentation(rle: RLE) -> np.ndarray:
    """Decode a mask to a (height, width) uint8 array of zeros and ones."""
    return run_lengths.decode(rle)


def decode_columns(rle: RLE, first: int, last: int) -> np.ndarray:
    """Decode the columns of a mask from ``first`` to below ``last``, as a (height, ...) array.

    Run lengths go down each column, so the others need not be decoded.

    Examples
    --------
    >>> square = encode_segmentation([[1, 1, 3, 1, 3, 3, 1, 3]], 4, 5)
    >>> decode_columns(square, 2, 4).tolist()
    [[0, 0], [1, 0], [1, 0], [0, 0]]
    """
    height = rle["size"][0]
    ends = np.cumsum(_lengths_of(rle["counts"])) - first * height
    edges = np.clip(ends, 0, (last - first) * height)  # outside, inside, outside, ...
    change = np.zeros((last - first) * height + 1, np.int8)
    np.add.at(change, edges[0::2], 1)
    np.add.at(change, edges[1::2], -1)
    return np.cumsum(change[:-1], dtype=np.int8).view(np.uint8).reshape(-1, height).T


def mask_to_rle(mask: np.ndarray) -> RLE:
    """Encode a mask (H, W) as run lengths, with ``counts`` as a string that JSON can hold."""
    rle = run_lengths.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}


def _from_polygons(polygons: Any, height: int, width: int) -> RLE:
    if not isinstance(polygons, Sequence) or isinstance(polygons, str) or not polygons:
        raise FaultError("bad polygon", f"must be a list of polygons; got {polygons!r:.60}")
    for polygon in polygons:
        _check_polygon(polygon)
    return run_lengths.merge(run_lengths.frPyObjects(list(polygons), height, width))


def without_crumbs(segmentation: Any) -> Any:
    """Leave out polygons of fewer than three points, as a slip of the mouse makes them.

    A segmentation without such, without any other polygon, or of run lengths is returned itself.

    Examples
    --------
    >>> without_crumbs([[5, 5, 6, 5], [1, 1, 3, 1, 3, 3]])
    [[1, 1, 3, 1, 3, 3]]
    """
    if not isinstance(segmentation, list):
        return segmentation
    kept = [
        each for each in segmentation if not isinstance(each, list) or len(each) not in (0, 2, 4)
    ]
    return kept if 0 < len(kept) < len(segmentation) else segmentation


def _check_polygon(polygon: Any) -> None:
    try:
        points = np.asarray(polygon, float)
    except (TypeError, ValueError) as error:
        raise FaultError("bad polygon", f"holds {polygon!r:.60}") from error
    if points.ndim == 0:
        raise FaultError(
            "bad polygon",
            f"must be a list of polygons, [[x1, y1, ...]]; got {polygon!r:.40} in place of one: "
            "put a single polygon into a list",
        )
    if points.ndim != 1 or len(points) < 6 or len(points) % 2:
        came = f"{len(points)} numbers" if points.ndim == 1 else f"shape {points.shape}"
        raise FaultError(
            "bad polygon", f"must be x, y of three or more points in one list; got {came}"
        )
    if not (np.abs(points) < 2**24).all():  # larger values overflow in pycocotools
        raise FaultError("bad polygon", "has a coordinate that is not finite, or huge")


def _from_run_lengths(segmentation: Mapping[str, Any], height: int, width: int) -> RLE:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, Sequence) or list(size) != [height, width]:
        raise FaultError("bad RLE", f"size must be [{height}, {width}]; got {size}")
    lengths = _lengths_of(counts) if isinstance(counts, str | bytes) else counts
    try:
        runs = np.asarray(lengths, float)
    except (OverflowError, TypeError, ValueError) as error:
        raise FaultError("bad RLE", f"counts must be whole numbers: {error}") from error
    if runs.ndim != 1 or not ((runs >= 0) & (runs == np.floor(runs))).all():
        raise FaultError("bad RLE", "counts must be whole numbers, none negative")
    if runs.sum() != height * width:
        raise FaultError(
            "bad RLE", f"counts must sum to {height} x {width} pixels; got {runs.sum():g}"
        )
    whole = {"size": [height, width], "counts": runs.astype(int).tolist()}
    return run_lengths.frPyObjects(whole, height, width)


def _lengths_of(counts: str | bytes) -> list[int]:
    """Decode compressed counts, since pycocotools does not check that they fill the image.

    Each character holds 5 bits, lowest first. From the third run on, the difference to the run two
    before is stored.
    """
    text = counts.encode() if isinstance(counts, str) else counts
    lengths: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = character - 48
        if not 0 <= bits < 64:
            raise FaultError("bad RLE", f"counts hold the character {chr(character)!r}")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:  # the last character of this number
            value -= (1 << shift) if bits & 16 else 0
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value, shift = 0, 0
    if shift:
        raise FaultError("bad RLE", "counts end in the middle of a number")
    return lengths

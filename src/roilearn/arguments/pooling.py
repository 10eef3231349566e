"""Argument checks of pooling operators: feature maps, output size, scale, sampling ratio."""

import math
from collections.abc import Sequence
from typing import Any

from roilearn.arguments.arrays import check_array, check_floating
from roilearn.arguments.scalars import check_number, check_whole, is_symbol

MAX_SPATIAL_SCALE = 1e9
"""Largest spatial scale, in cells per pixel: above it, boxes would overflow float32."""


def check_features(input: Any) -> None:
    """Raise unless ``input`` is a floating (N, C, H, W) array that is not empty."""
    check_array("input", input)
    if input.ndim != 4:
        raise ValueError(
            f"input must have 4 dimensions (N, C, H, W); got shape {tuple(input.shape)}. "
            "For a single image pass input[None]."
        )
    check_floating("input", input)
    names = ("channels", "rows", "columns")
    for name, size in zip(names, input.shape[1:], strict=True):
        if size == 0:
            raise ValueError(
                f"input must have at least one of each of {', '.join(names)}; "
                f"got shape {tuple(input.shape)}, which has no {name}."
            )


def check_position_sensitive(input: Any, bins: tuple[int, int]) -> None:
    """Raise unless the channels of ``input`` divide evenly among the bins."""
    number = bins[0] * bins[1]
    if input.shape[1] % number:
        raise ValueError(
            f"input must have a multiple of {number} channels, one map for each of {bins[0]} x "
            f"{bins[1]} bins and output channel; got {input.shape[1]} channels."
        )


def check_output_size(output_size: Any, name: str = "output_size") -> tuple[int, int]:
    """Return ``output_size`` as (height, width); raise unless both are whole and positive."""
    pair = tuple(output_size) if isinstance(output_size, Sequence) else (output_size, output_size)
    if len(pair) != 2:
        raise ValueError(
            f"{name} must be a whole number or a pair (height, width); got {output_size!r}."
        )
    height, width = (check_whole(name, side) for side in pair)
    if any(not is_symbol(side) and side < 1 for side in (height, width)):
        raise ValueError(f"{name} must be at least 1 along both axes; got {output_size!r}.")
    # Sizes of maps and images may be symbols of a traced graph: a comparison would restrict them.
    if name in ("output_size", "crop_size") and max(height, width) >= 2**31:
        raise ValueError(f"{name} must be below 2**31 along both axes; got {output_size!r}.")
    return height, width


def check_spatial_scale(spatial_scale: Any) -> float:
    """Return ``spatial_scale`` as a float; raise unless it is positive and not too large."""
    scale = check_number("spatial_scale", spatial_scale)
    if not 0 < scale <= MAX_SPATIAL_SCALE:
        wanted = f"at most {MAX_SPATIAL_SCALE:g}" if scale > 0 else "positive"
        raise ValueError(
            f"spatial_scale must be finite and {wanted}; got {scale}. It takes image pixels to "
            "cells: 1 / stride, for example 1 / 16."
        )
    return scale


def check_sampling_ratio(sampling_ratio: Any) -> int:
    """Return ``sampling_ratio`` as an int; any value below 1 means adaptive."""
    return check_whole("sampling_ratio", sampling_ratio)


def check_position(name: str, position: Any) -> Any:
    """Return ``position``; raise unless it is a finite number."""
    if not math.isfinite(position):
        raise ValueError(f"{name} must be a finite index coordinate; got {position}.")
    return position


def check_gradient(gradient: Any, boxes: int, channels: int) -> None:
    """Raise unless ``gradient`` has a row for each box and each channel."""
    if gradient.ndim != 4 or tuple(gradient.shape[:2]) != (boxes, channels):
        raise ValueError(
            f"gradient must have shape ({boxes}, {channels}, height, width), one row for each box "
            f"and channel; got shape {tuple(gradient.shape)}."
        )

"""Argument checks of feature pyramids and of level assignment."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from roilearn.arguments.lists import is_list
from roilearn.arguments.pooling import check_features, check_spatial_scale
from roilearn.arguments.scalars import check_number, check_whole


def check_pyramid(maps: Sequence[Any]) -> None:
    """Raise unless ``maps`` are floating (N, C, H, W) arrays of the same N, C and dtype."""
    if not maps:
        raise ValueError("input must hold at least one map; got none.")
    for number, features in enumerate(maps):
        check_features(features)
        kinds = [(tuple(m.shape[:2]), m.dtype) for m in (maps[0], features)]
        if kinds[0] != kinds[1]:
            raise ValueError(
                "input must hold maps of the same images, channels and dtype; got "
                f"{kinds[0][0]}, {kinds[0][1]} in map 0 and {kinds[1][0]}, {kinds[1][1]} in map "
                f"{number}."
            )


def check_spatial_scales(spatial_scales: Any, maps: int) -> list[float]:
    """Return one scale for each map of a pyramid; raise if one is larger than that before."""
    if not is_list(spatial_scales):
        raise TypeError(
            f"spatial_scales must be a list of numbers, one for each map; got {spatial_scales!r}."
        )
    scales = [check_spatial_scale(scale) for scale in spatial_scales]
    if len(scales) != maps:
        raise ValueError(
            f"spatial_scales must hold one number for each of {maps} maps; got {len(scales)}."
        )
    if any(fine < coarse for fine, coarse in itertools.pairwise(scales)):
        raise ValueError(
            "input must hold maps finest first, none of a larger spatial scale than the one "
            f"before; got maps of the scales {', '.join(f'{scale:g}' for scale in scales)}."
        )
    return scales


def raise_unknown_scale(
    number: int,
    size: Sequence[int],
    image: Sequence[int],
    guesses: Sequence[float],
    finer: float,
) -> NoReturn:
    """Raise for a map whose scale cannot be guessed from its size and that of the images."""
    height, width = (f"1/{1 / guess:g}" for guess in guesses)
    before = "" if finer == math.inf else f", where the map before has 1/{1 / finer:g}"
    raise ValueError(
        "x must hold maps, finest first, each of which is the images scaled by one power of two; "
        f"got {size[0]} x {size[1]} cells in map {number} for images of {image[0]} x {image[1]} "
        f"pixels. That is about {height} of the height and {width} of the width{before}. If the "
        "images were padded, or the scales are no powers of two, pass spatial_scales."
    )


def check_level_range(min_level: Any, max_level: Any) -> None:
    """Raise unless both are whole numbers and the first is at most the second."""
    if check_whole("min_level", min_level) > check_whole("max_level", max_level):
        raise ValueError(f"min_level must be at most max_level; got {min_level} and {max_level}.")


def check_canonical(canonical_scale: Any, canonical_level: Any) -> None:
    """Raise unless the canonical scale is positive and the canonical level a whole number."""
    check_whole("canonical_level", canonical_level)
    if not 0 < check_number("canonical_scale", canonical_scale) < math.inf:
        raise ValueError(
            f"canonical_scale must be finite and positive, in image pixels; got {canonical_scale}."
        )

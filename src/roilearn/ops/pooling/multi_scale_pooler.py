"""RoIAlign from a feature pyramid as a module, which infers the scale of each map from its size."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Self

import torch.fx
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import (
    check_canonical,
    check_flag,
    check_image_shapes,
    check_names,
    check_output_size,
    check_sampling_ratio,
    check_spatial_scales,
    raise_unknown_scale,
)
from roilearn.ops.pooling.multi_scale_roi_align import multi_scale_roi_align
from roilearn.ops.tracing import as_constants

MADE_HERE = "_made_for_torchvision"
"""Attribute by which a class is known that has torchvision's as a base."""


class MultiScaleRoIAlign(nn.Module):
    """``multi_scale_roi_align`` as a module, with torchvision's constructor and call.

    The scale of each map is inferred from its size and that of the images, at every call; see
    ``infer_scales``. ``spatial_scales``, one number for each of ``featmap_names``, replaces that.
    Where torchvision is loaded, an instance is also one of torchvision's class, so that its
    detectors take it as ``box_roi_pool``.

    A square box with sides of ``canonical_scale`` image pixels is pooled from the map of level
    ``canonical_level``, which has stride ``2**canonical_level``; one of twice its sides from the
    next coarser map, if there is one.

    Differs from
    ------------
    torchvision 0.29: there the scale is inferred from the height, at the first call only. Here the
    width counts too, and a map whose height and width suggest different scales raises.
    """

    spatial_scales: Sequence[float] | None = None

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Make an instance of torchvision's class as well, if torchvision is loaded.

        Its detectors ask for an instance of their ``MultiScaleRoIAlign``, and take this one.
        """
        del arguments, options
        return super().__new__(accepted_by_torchvision(cls))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the name of this class, not of the one that ``__new__`` makes."""
        kind = next(each for each in type(self).__mro__ if not hasattr(each, MADE_HERE))
        return kind.__new__, (kind,), self.__dict__

    def __init__(
        self,
        featmap_names: Sequence[str],
        output_size: int | Sequence[int],
        sampling_ratio: int,
        *,
        canonical_scale: float = 224,
        canonical_level: int = 4,
        aligned: bool = False,
        spatial_scales: Sequence[float] | None = None,
    ) -> None:
        nn.Module.__init__(self)  # torchvision's class may come next, see __new__
        check_names("featmap_names", featmap_names)
        check_sampling_ratio(sampling_ratio)
        check_canonical(canonical_scale, canonical_level)
        check_flag("aligned", aligned)
        self.featmap_names = featmap_names
        self.output_size = check_output_size(output_size)
        self.sampling_ratio = sampling_ratio
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level
        self.aligned = aligned
        if spatial_scales is not None:
            self.spatial_scales = check_spatial_scales(spatial_scales, len(featmap_names))

    def forward(
        self,
        x: Mapping[str, Float[Tensor, "N C _ _"]],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        image_shapes: Sequence[tuple[int, int]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool boxes from the maps of ``x`` that ``featmap_names`` lists.

        Parameters
        ----------
        x : maps by name, finest first; those that ``featmap_names`` does not list are ignored.
        boxes : one (Ki, 4) tensor for each image, in pixels of the images.
        image_shapes : (height, width) of each image; from them scales are inferred.
        """
        options = (self.output_size, self.sampling_ratio, self.aligned)
        levels = (self.canonical_scale, self.canonical_level)
        names, scales = self.featmap_names, self.spatial_scales
        return pool_named_maps(x, boxes, image_shapes, names, scales, options, levels)

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(featmap_names={self.featmap_names}, "
            f"output_size={self.output_size}, sampling_ratio={self.sampling_ratio})"
        )


def pool_named_maps(
    x: Mapping[str, Float[Tensor, "N C _ _"]],
    boxes: Sequence[Float[Tensor, "_ 4"]],
    image_shapes: Sequence[tuple[int, int]],
    featmap_names: Sequence[str],
    spatial_scales: Sequence[float] | None,
    options: tuple[tuple[int, int], int, bool],
    levels: tuple[float, int],
) -> Float[Tensor, "K C PH PW"]:
    """Pool boxes as ``MultiScaleRoIAlign`` does: infer the scales if they are not given.

    Parameters
    ----------
    options, levels : further arguments of ``multi_scale_roi_align``, in its order.
    """
    if not isinstance(x, Mapping):
        raise TypeError(
            f"x must be a dictionary of maps by name; got {type(x).__name__}. With a list "
            "call multi_scale_roi_align."
        )
    names = [name for name in x if name in featmap_names]
    maps = [x[name] for name in names]
    if not maps:
        raise ValueError(
            f"x must hold maps named {', '.join(map(repr, featmap_names))}; "
            f"got {', '.join(map(repr, x)) or 'none'}."
        )
    if spatial_scales is None:
        scales = infer_scales(maps, image_shapes)
    else:
        given = dict(zip(featmap_names, spatial_scales, strict=True))
        scales = [given[name] for name in names]
    output_size, sampling_ratio, aligned = options
    return multi_scale_roi_align(maps, boxes, output_size, scales, sampling_ratio, aligned, *levels)


torch.fx.wrap("pool_named_maps")  # one node where torch.fx records the module


@cache
def _with_base(kind: type, base: type) -> type:
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__, MADE_HERE: True})


def accepted_by_torchvision(kind: type) -> type:
    """Return a class, or a subclass of it and of torchvision's pooler if torchvision is loaded."""
    theirs = getattr(sys.modules.get("torchvision.ops.poolers"), "MultiScaleRoIAlign", None)
    return kind if theirs is None or issubclass(kind, theirs) else _with_base(kind, theirs)


class BatchShapes(list[tuple[int, int]]):
    """(height, width) of each image of a batch, and ``padded``, the size that all were padded to.

    With it scales are exact. Of the images alone they are guessed: an image of at most 16 pixels
    that was padded to 32 looks like one of stride 2 that was not.
    """

    def __init__(self, shapes: Iterable[tuple[int, int]], padded: tuple[int, int]) -> None:
        super().__init__(shapes)
        self.padded = padded


def infer_scales(
    maps: Sequence[Float[Tensor, "N C _ _"]], image_shapes: Sequence[tuple[int, int]]
) -> list[float]:
    """Infer the cells per pixel of each map: a power of two, from its size and that of the images.

    The images of a batch are padded to one size, that of ``BatchShapes``. Of other lists it is
    taken to be the largest height and the largest width, or a few pixels more. A map has a smaller
    scale than the one before, or the same if it has as many rows and columns. In a recorded graph
    the scales are constants, since they do not depend on the size of the images.

    Examples
    --------
    >>> import torch
    >>> maps = [torch.zeros(1, 1, 200, 272), torch.zeros(1, 1, 25, 34)]
    >>> infer_scales(maps, [(800, 1066)])
    [0.25, 0.03125]

    Both of these images have a map of 8 x 8 cells of stride 4, because they are padded to 32 x 32:

    >>> small = [torch.zeros(1, 1, 8, 8)]
    >>> infer_scales(small, [(20, 20)]), infer_scales(small, BatchShapes([(9, 9)], padded=(32, 32)))
    ([0.25], [0.25])
    """
    shapes = check_image_shapes(image_shapes, maps[0].shape[0])
    if isinstance(image_shapes, BatchShapes):
        shapes = [image_shapes.padded]
    image = [max(as_constants(side)) for side in zip(*shapes, strict=True)]
    scales, before = [], None
    for number, features in enumerate(maps):
        size = as_constants(features.shape[2:])
        if size == before and max(size) > 1:  # one cell may be all that two strides leave
            scales.append(scales[-1])
            continue
        scales.append(infer_scale(number, size, image, scales[-1] if scales else math.inf))
        before = size
    return scales


def infer_scale(number: int, size: Sequence[int], image: Sequence[int], below: float) -> float:
    """Power of two that scales an image of size ``image`` to map ``number``, of size ``size``.

    Parameters
    ----------
    below : scale of the map before, which is finer.
    """
    exact = [math.log2(cells / pixels) for cells, pixels in zip(size, image, strict=True)]
    powers = [2.0**power for power in range(round(min(exact)) - 2, round(max(exact)) + 2)]
    nearest = sorted(powers, key=lambda scale: sum(abs(each - math.log2(scale)) for each in exact))
    for least in (0, -0.99):  # cells: most networks round sizes up, some round them down
        for scale in nearest:
            # Batches are padded to whole cells of the coarsest level, of 32 pixels.
            spare = [cells - pixels * scale for cells, pixels in zip(size, image, strict=True)]
            if scale < below and min(spare) >= least and max(spare) < 1 + 32 * scale:
                return scale
    guesses = [2.0 ** round(each) for each in exact]
    if not guesses[0] == guesses[1] < below:
        raise_unknown_scale(number, size, image, guesses, below)
    return guesses[0]

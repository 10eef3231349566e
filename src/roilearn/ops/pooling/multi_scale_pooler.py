"""RoIAlign from a feature pyramid as a module, which infers the scale of each map from its size."""

import math
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Self

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import (
    check_canonical,
    check_flag,
    check_image_shapes,
    check_names,
    check_output_size,
    check_sampling_ratio,
)
from roilearn.ops.pooling.multi_scale_roi_align import multi_scale_roi_align

MADE_HERE = "_made_for_torchvision"
"""Attribute by which a class is known that has torchvision's as a base."""


class MultiScaleRoIAlign(nn.Module):
    """``multi_scale_roi_align`` as a module, with torchvision's constructor and call.

    The scale of each map is inferred from its size and that of the images, at every call. Where
    torchvision is loaded, an instance is also one of torchvision's class, so that its detectors
    take it as ``box_roi_pool``.

    Differs from
    ------------
    torchvision 0.27: there the scale is inferred from the height, at the first call only. Here the
    width counts too, and a map whose height and width suggest different scales raises.
    """

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
        image_shapes : (height, width) of each image.
        """
        if not isinstance(x, Mapping):
            raise TypeError(
                f"x must be a dictionary of maps by name; got {type(x).__name__}. With a list "
                "call multi_scale_roi_align."
            )
        maps = [features for name, features in x.items() if name in self.featmap_names]
        if not maps:
            raise ValueError(
                f"x must hold maps named {', '.join(map(repr, self.featmap_names))}; "
                f"got {', '.join(map(repr, x)) or 'none'}."
            )
        return multi_scale_roi_align(
            maps,
            boxes,
            self.output_size,
            infer_scales(maps, image_shapes),
            self.sampling_ratio,
            self.aligned,
            self.canonical_scale,
            self.canonical_level,
        )

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(featmap_names={self.featmap_names}, "
            f"output_size={self.output_size}, sampling_ratio={self.sampling_ratio})"
        )


@cache
def _with_base(kind: type, base: type) -> type:
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__, MADE_HERE: True})


def accepted_by_torchvision(kind: type) -> type:
    """Return a class, or a subclass of it and of torchvision's pooler if torchvision is loaded."""
    theirs = getattr(sys.modules.get("torchvision.ops.poolers"), "MultiScaleRoIAlign", None)
    return kind if theirs is None or issubclass(kind, theirs) else _with_base(kind, theirs)


def infer_scales(
    maps: Sequence[Float[Tensor, "N C _ _"]], image_shapes: Sequence[tuple[int, int]]
) -> list[float]:
    """Infer the cells per pixel of each map: a power of two, from its size and that of the images.

    The images of a batch are padded to one size: the largest height and the largest width.

    Examples
    --------
    >>> import torch
    >>> maps = [torch.zeros(1, 1, 200, 272), torch.zeros(1, 1, 25, 34)]
    >>> infer_scales(maps, [(800, 1066)])
    [0.25, 0.03125]
    """
    shapes = check_image_shapes(image_shapes, maps[0].shape[0])
    image = [max(side) for side in zip(*shapes, strict=True)]
    return [infer_scale((m.shape[2], m.shape[3]), image) for m in maps]


def infer_scale(size: tuple[int, int], image: Sequence[int]) -> float:
    """Power of two that scales an image of size ``image`` to a map of size ``size``."""
    guesses = [
        2.0 ** round(math.log2(cells / pixels)) for cells, pixels in zip(size, image, strict=True)
    ]
    for scale in guesses:
        # Networks round sizes up, and batches are padded to whole cells of the coarsest level.
        spare = [cells - pixels * scale for cells, pixels in zip(size, image, strict=True)]
        if guesses[0] == guesses[1] or all(-1 < cells < 1 + 32 * scale for cells in spare):
            return scale
    raise ValueError(
        f"x must hold maps that are their images scaled by one power of two; got a map of "
        f"{size[0]} x {size[1]} cells for images of {image[0]} x {image[1]} pixels, which is "
        f"1/{1 / guesses[0]:g} of the height and 1/{1 / guesses[1]:g} of the width."
    )

"""Anchors: boxes of fixed sizes and aspect ratios at every cell of every level of the pyramid."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_flag, check_levels, check_number, check_positive
from roilearn.arguments.lists import is_list
from roilearn.ops import ASPECT_RATIOS, generate_anchors


class AnchorGenerator(nn.Module):
    """Generate the anchors of a batch; strides follow from the sizes of images and feature maps.

    Parameters
    ----------
    sizes : for each level a size, or a list of sizes: square roots of areas, in image pixels.
    aspect_ratios : height / width: a list for all levels, or a list of lists, one for each level.
    offset : position of an anchor's centre in its cell: 0.5 in the middle, 0 at the first corner.
        None: that of the coordinates of the detector that it is passed to; 0.5 if it is used alone.
    rounded : round every edge to whole pixels. None: likewise; False if it is used alone.

    Raises
    ------
    ValueError: levels with different numbers of anchors; the one head needs the same number on
        each.
    ValueError, TypeError: a size or ratio that is not a finite number above 0.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.1: one size a level.

    Differs from
    ------------
    torchvision 0.29: its anchors are those of ``offset=0, rounded=True``, which
    ``roilearn.models.detection.rpn.AnchorGenerator`` has by default; in one tensor for each image,
    the same for all images.

    Examples
    --------
    >>> generator = AnchorGenerator(sizes=(32, 64))
    >>> maps = [torch.zeros(1, 256, 8, 12), torch.zeros(1, 256, 4, 6)]
    >>> [len(level) for level in generator((32, 48), maps)]
    [288, 72]
    """

    def __init__(
        self,
        sizes: Sequence[float | Sequence[float]] = ((128, 256, 512),),
        aspect_ratios: Sequence[float | Sequence[float]] = ASPECT_RATIOS,
        offset: float | None = None,
        rounded: bool | None = None,
    ) -> None:
        super().__init__()
        check_levels(sizes=sizes)
        self.sizes = [check_positive(f"sizes[{level}]", each) for level, each in enumerate(sizes)]
        self.aspect_ratios = ratios_per_level(aspect_ratios, len(self.sizes))
        if len(set(self.num_anchors_per_location())) != 1:
            numbers = ", ".join(map(str, self.num_anchors_per_location()))
            raise ValueError(
                "sizes and aspect_ratios must give as many anchors at a cell of every level, "
                f"because one head serves them all; got {numbers or 'no level'}."
            )
        self.offset = None if offset is None else check_number("offset", offset)
        if rounded is not None:
            check_flag("rounded", rounded)
        self.rounded = rounded
        self.followed: tuple[float, bool] | None = None

    def num_anchors_per_location(self) -> list[int]:
        """Count the anchors at one cell of each level; the head predicts a logit for each."""
        return [len(s) * len(r) for s, r in zip(self.sizes, self.aspect_ratios, strict=True)]

    def follow(self, offset: float, rounded: bool) -> None:
        """Take over a detector's conventions where none were given."""
        self.followed = (offset, rounded)
        self.offset = offset if self.offset is None else self.offset
        self.rounded = rounded if self.rounded is None else self.rounded

    def conventions(self) -> tuple[float, bool]:
        """Return ``offset`` and ``rounded``, those of a generator without a detector if None."""
        return 0.5 if self.offset is None else self.offset, bool(self.rounded)

    def forward(
        self, image_size: Sequence[int], features: Sequence[Float[Tensor, "N C _ _"]]
    ) -> list[Float[Tensor, "_ 4"]]:
        """Generate the anchors of all levels; they are the same for every image of a batch.

        Parameters
        ----------
        image_size : (height, width) of the padded batch, in pixels.
        features : the map of each level. A stride is the number of pixels of a cell, rounded down.

        Returns
        -------
        A (cells * anchors per cell, 4) tensor for each level, x1, y1, x2, y2 in image pixels, in
        float32 or float64: half precision has no number between 1024 and 1025.
        """
        height, width = image_size
        cells = [(level_map.shape[-2], level_map.shape[-1]) for level_map in features]
        check_levels(sizes=self.sizes, features=cells)
        strides = [(height // max(rows, 1), width // max(columns, 1)) for rows, columns in cells]
        kind = {
            "dtype": torch.promote_types(features[0].dtype, torch.float32),
            "device": features[0].device,
        }
        levels = zip(cells, strides, self.sizes, self.aspect_ratios, strict=True)
        return [generate_anchors(*level, *self.conventions(), **kind) for level in levels]

    def extra_repr(self) -> str:
        """Name the settings, as modules do."""
        offset, rounded = self.conventions()
        return (
            f"sizes={self.sizes}, aspect_ratios={self.aspect_ratios}, offset={offset}, "
            f"rounded={rounded}"
        )


def ratios_per_level(
    aspect_ratios: Sequence[float | Sequence[float]], levels: int
) -> list[tuple[float, ...]]:
    """Give the aspect ratios of each level, from one list for all of them or a list of lists.

    Examples
    --------
    >>> ratios_per_level((1, 2), 2), ratios_per_level(((1, 2), (3, 4)), 2)
    ([(1.0, 2.0), (1.0, 2.0)], [(1.0, 2.0), (3.0, 4.0)])
    """
    if not any(is_list(each) for each in aspect_ratios):
        return [check_positive("aspect_ratios", aspect_ratios)] * levels
    check_levels(sizes=[None] * levels, aspect_ratios=aspect_ratios)
    return [
        check_positive(f"aspect_ratios[{level}]", each) for level, each in enumerate(aspect_ratios)
    ]

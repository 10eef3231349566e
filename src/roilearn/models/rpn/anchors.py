"""Anchors: boxes of fixed sizes and aspect ratios at every cell of every level of the pyramid."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_flag, check_levels, check_number, check_positive
from roilearn.ops import ASPECT_RATIOS, pyramid_anchors


class AnchorGenerator(nn.Module):
    """Generate the anchors of a batch; strides follow from the sizes of images and feature maps.

    Parameters
    ----------
    sizes : for each level a size, or a list of sizes: square roots of areas, in image pixels.
    aspect_ratios : height / width, for all levels.
    offset : position of an anchor's centre in its cell: 0.5 in the middle, 0 at the first corner.
    rounded : round every edge to whole pixels.

    Raises
    ------
    ValueError: levels with different numbers of sizes; the one head needs the same number on each.
    ValueError, TypeError: a size or ratio that is not a finite number above 0.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.1: one size a level.

    Differs from
    ------------
    torchvision 0.27: its anchors are those of ``offset=0, rounded=True``, in one tensor for each
    image, the same for all images; there every level can have aspect ratios of its own.

    Examples
    --------
    >>> generator = AnchorGenerator(sizes=(32, 64))
    >>> maps = [torch.zeros(1, 256, 8, 12), torch.zeros(1, 256, 4, 6)]
    >>> [len(level) for level in generator((32, 48), maps)]
    [288, 72]
    """

    def __init__(
        self,
        sizes: Sequence[float | Sequence[float]],
        aspect_ratios: Sequence[float] = ASPECT_RATIOS,
        offset: float = 0.5,
        rounded: bool = False,
    ) -> None:
        super().__init__()
        check_levels(sizes=sizes)
        self.sizes = [check_positive(f"sizes[{level}]", each) for level, each in enumerate(sizes)]
        if len({len(each) for each in self.sizes}) != 1:
            raise ValueError(
                "sizes must hold as many sizes for every level, because one head serves them all; "
                f"got {', '.join(str(len(each)) for each in self.sizes) or 'no level'}."
            )
        self.aspect_ratios = check_positive("aspect_ratios", aspect_ratios)
        self.offset = check_number("offset", offset)
        check_flag("rounded", rounded)
        self.rounded = rounded

    @property
    def anchors_per_location(self) -> int:
        """Number of anchors at one cell, for each of which the head predicts a logit."""
        return len(self.sizes[0]) * len(self.aspect_ratios)

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
        return pyramid_anchors(
            cells,
            [(height // max(rows, 1), width // max(columns, 1)) for rows, columns in cells],
            self.sizes,
            self.aspect_ratios,
            self.offset,
            self.rounded,
            dtype=torch.promote_types(features[0].dtype, torch.float32),
            device=features[0].device,
        )

    def extra_repr(self) -> str:
        """Name the settings, as modules do."""
        return (
            f"sizes={self.sizes}, aspect_ratios={self.aspect_ratios}, offset={self.offset}, "
            f"rounded={self.rounded}"
        )

"""Anchors for a batch: the boxes at every cell of every level that proposals are made from."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_flag, check_levels, check_number, check_positive
from roilearn.ops import ASPECT_RATIOS, pyramid_anchors


class AnchorGenerator(nn.Module):
    """``pyramid_anchors``, with strides found from the sizes of the images and of the maps.

    Parameters
    ----------
    sizes : for each level a size, or a list of sizes: square roots of areas, in image pixels.
    aspect_ratios : height / width, for all levels.
    offset : where in its cell an anchor's centre lies: 0.5 in the middle, 0 at its first corner.
    rounded : move every edge to the nearest whole pixel.

    Raises
    ------
    ValueError: levels with different numbers of sizes: one head serves them all.
    ValueError, TypeError: a size or ratio that is not a finite number above 0.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.1: one size a level.

    Differs from
    ------------
    torchvision 0.27: its anchors are those of ``offset=0, rounded=True``, in one tensor for each
    image, the same for all images; every level can have ratios of its own there.

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
    def anchors_a_cell(self) -> int:
        """How many anchors stand at one cell: as many logits the head must give there."""
        return len(self.sizes[0]) * len(self.aspect_ratios)

    def forward(
        self, image_size: Sequence[int], features: Sequence[Float[Tensor, "N C _ _"]]
    ) -> list[Float[Tensor, "_ 4"]]:
        """Place the anchors of all levels; they are the same for every image of a batch.

        Parameters
        ----------
        image_size : (height, width) of the padded batch, in pixels.
        features : the map of each level. A stride is the whole number of pixels that a cell has.

        Returns
        -------
        A (cells * anchors a cell, 4) tensor for each level, x1, y1, x2, y2 in image pixels, in
        float32 or better: half precision knows no coordinate between 1024 and 1025.
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

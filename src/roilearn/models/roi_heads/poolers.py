"""Pooling from a pyramid, by any of the RoI operators: the step at which the papers part.

RoIAlign reads all levels in one call. The others pool from one map: boxes are dealt out to their
levels, pooled there, and put back in order.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_choice, check_count, check_flag, check_output_size
from roilearn.ops import (
    as_rois,
    crop_and_resize,
    multi_scale_roi_align,
    prroi_pool,
    roi_pool,
)
from roilearn.ops.pooling.multi_scale_pooler import scales_of
from roilearn.ops.pooling.multi_scale_roi_align import map_of

ROI_OPS = ("align", "pool", "crop_and_resize", "prroi")


class RoIPooler(nn.Module):
    """Pool every box from the map that fits its size into a grid of one size.

    Parameters
    ----------
    output_size : (height, width) of the grid, or one number for both.
    roi_op : ``"align"``: RoIAlign. ``"pool"``: RoIPool, which rounds boxes and bins to whole cells.
        ``"crop_and_resize"``: one sample a bin, from corner to corner of the box. ``"prroi"``: the
        mean of the whole surface over each bin.
    sampling_ratio : of RoIAlign: samples a bin along each axis.
    half_cell : take half a cell off the boxes, so that a cell's value stands at its centre. RoIPool
        has no such choice: it counts whole cells.
    levels : how many maps are pooled from, finest first. Coarser ones, as P6, are for anchors.
    canonical_scale, canonical_level : a box of that side in image pixels is pooled from that level,
        where level k has stride 2**k; of half the side, from one level below.

    Raises
    ------
    ValueError, TypeError: an operator without a name here; see ``roilearn.arguments``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), equation 1, for the levels; He et al., Mask R-CNN
    (2017), section 3 and table 2c, for the comparison of operators.

    Examples
    --------
    >>> maps = [torch.ones(1, 8, 32, 32), torch.zeros(1, 8, 16, 16)]
    >>> pooler = RoIPooler(7, "pool", canonical_scale=32, canonical_level=3)
    >>> boxes = [torch.tensor([[0.0, 0, 20, 20], [0, 0, 100, 100]])]
    >>> pooler(maps, boxes, [(128, 128)]).mean((1, 2, 3))
    tensor([1., 0.])
    """

    def __init__(
        self,
        output_size: int | Sequence[int],
        roi_op: str = "align",
        sampling_ratio: int = 2,
        half_cell: bool = False,
        levels: int = 4,
        canonical_scale: float = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        check_choice("roi_op", roi_op, ROI_OPS)
        check_flag("half_cell", half_cell)
        self.output_size = check_output_size(output_size)
        self.roi_op = roi_op
        self.sampling_ratio = sampling_ratio
        self.half_cell = half_cell
        self.levels = check_count("levels", levels)
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def forward(
        self,
        features: Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        image_sizes: Sequence[tuple[int, int]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool the boxes of every image.

        Parameters
        ----------
        features : maps of consecutive levels, finest first, each level half the size of the last.
        boxes : one (Ki, 4) tensor for each image, x1, y1, x2, y2 in pixels of the batch.
        image_sizes : (height, width) of each image in the batch, before it was padded.
        """
        maps = list(features.values()) if isinstance(features, Mapping) else list(features)
        maps = maps[: self.levels]
        scales = scales_of(maps, image_sizes)
        levels = (self.canonical_scale, self.canonical_level)
        if self.roi_op == "align":
            options = (self.sampling_ratio, self.half_cell)
            return multi_scale_roi_align(maps, boxes, self.output_size, scales, *options, *levels)
        rois = as_rois(boxes, len(maps[0]), maps[0].dtype)
        which = map_of(rois, scales, *levels, rule="floor")  # [K]
        pool = self.operator()
        order, pooled = [], []
        for number, (level_map, scale) in enumerate(zip(maps, scales, strict=True)):
            rows = (which == number).nonzero()[:, 0]
            order.append(rows)
            pooled.append(pool(level_map, rois[rows], self.output_size, scale))
        return torch.cat(pooled)[torch.cat(order).argsort()]

    def operator(self) -> Callable[..., Float[Tensor, "K C PH PW"]]:
        """Choose what pools from one map: called with the map, boxes, grid and scale."""
        if self.roi_op == "pool":
            return roi_pool
        one_map = crop_and_resize if self.roi_op == "crop_and_resize" else prroi_pool
        return partial(one_map, aligned=self.half_cell)

    def extra_repr(self) -> str:
        """Say what is chosen, in the printed model."""
        return (
            f"output_size={self.output_size}, roi_op={self.roi_op!r}, "
            f"sampling_ratio={self.sampling_ratio}, half_cell={self.half_cell}"
        )

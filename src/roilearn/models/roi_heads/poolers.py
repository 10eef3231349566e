"""The RoI pooler: features of every box from the level of the pyramid that fits its size.

RoIAlign reads all levels in one call. The other operators pool from one map: boxes are assigned to
levels, pooled level by level, and put back into their order.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import (
    check_choice,
    check_count,
    check_flag,
    check_output_size,
    check_spatial_scales,
)
from roilearn.ops import (
    as_rois,
    crop_and_resize,
    multi_scale_roi_align,
    prroi_pool,
    roi_pool,
)
from roilearn.ops.pooling.multi_scale_pooler import infer_scales
from roilearn.ops.pooling.multi_scale_roi_align import assign_maps

ROI_OPS = ("align", "pool", "crop_and_resize", "prroi")


class RoIPooler(nn.Module):
    """Pool every box, from the level that fits its size, into a grid of bins.

    Parameters
    ----------
    output_size : (height, width) of the grid in bins, or one number for both.
    roi_op : ``"align"``: RoIAlign. ``"pool"``: RoIPool, which rounds boxes and bins to whole cells.
        ``"crop_and_resize"``: one sample per bin, the outermost ones on the corners of the box.
        ``"prroi"``: the exact mean of the interpolated map over each bin.
    sampling_ratio : of RoIAlign: samples per bin along each axis.
    aligned : subtract half a cell from the coordinates, so that a cell's value lies at its centre.
        RoIPool has no such option, because it rounds to whole cells.
    levels : number of maps that are pooled from, finest first. Coarser maps, such as P6, are used
        for anchors only.
    canonical_scale, canonical_level : a box of that side in image pixels is pooled from that level,
        where level k has stride 2**k; a box of half the side from one level below.
    spatial_scales : cells per pixel of each map. None: inferred from the sizes of maps and images.

    Raises
    ------
    ValueError, TypeError: an unknown operator; see ``roilearn.arguments``.

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

    spatial_scales: Sequence[float] | None = None  # in models pickled before there was the option

    def __init__(
        self,
        output_size: int | Sequence[int],
        roi_op: str = "align",
        sampling_ratio: int = 2,
        aligned: bool = False,
        levels: int = 4,
        canonical_scale: float = 224,
        canonical_level: int = 4,
        spatial_scales: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        check_choice("roi_op", roi_op, ROI_OPS)
        check_flag("aligned", aligned)
        self.output_size = check_output_size(output_size)
        self.roi_op = roi_op
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned
        self.levels = check_count("levels", levels)
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level
        if spatial_scales is not None:
            self.spatial_scales = check_spatial_scales(spatial_scales, self.levels)

    def forward(
        self,
        features: Mapping[str, Float[Tensor, "N C _ _"]] | Sequence[Float[Tensor, "N C _ _"]],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        image_sizes: Sequence[tuple[int, int]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool the boxes of every image.

        Parameters
        ----------
        features : maps of consecutive levels, finest first, each half the size of the one before.
        boxes : one (Ki, 4) tensor for each image, x1, y1, x2, y2 in pixels of the batch.
        image_sizes : (height, width) of each image in the batch, before it was padded.
        """
        maps = list(features.values()) if isinstance(features, Mapping) else list(features)
        maps = maps[: self.levels]
        scales = self.spatial_scales or infer_scales(maps, image_sizes)
        levels = (self.canonical_scale, self.canonical_level)
        if self.roi_op == "align":
            options = (self.sampling_ratio, self.aligned)
            return multi_scale_roi_align(maps, boxes, self.output_size, scales, *options, *levels)
        rois = as_rois(boxes, len(maps[0]), maps[0].dtype)
        which = assign_maps(rois, scales, *levels, rule="floor")  # [K]
        pool = self.single_level_op()
        order, pooled = [], []
        for number, (level_map, scale) in enumerate(zip(maps, scales, strict=True)):
            rows = (which == number).nonzero()[:, 0]
            order.append(rows)
            pooled.append(pool(level_map, rois[rows], self.output_size, scale))
        return torch.cat(pooled)[torch.cat(order).argsort()]

    def single_level_op(self) -> Callable[..., Float[Tensor, "K C PH PW"]]:
        """Choose the operator for one map: it takes the map, boxes, output size and scale."""
        if self.roi_op == "pool":
            return roi_pool
        one_map = crop_and_resize if self.roi_op == "crop_and_resize" else prroi_pool
        return partial(one_map, aligned=self.aligned)

    def extra_repr(self) -> str:
        """Show the settings in the printed model."""
        return (
            f"output_size={self.output_size}, roi_op={self.roi_op!r}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"
        )

"""Position-sensitive RoIPool: the average of each bin of whole cells, each in its own channels."""

from collections.abc import Sequence
from functools import partial

import torch
import torch.fx
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import (
    check_features,
    check_flag,
    check_one_device,
    check_output_size,
    check_position_sensitive,
    check_spatial_scale,
    check_tensor,
)
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import values_are_known
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.embedding_bags.outputs import empty_output, is_empty
from roilearn.ops.embedding_bags.spans import Spans, outer_bag_from
from roilearn.ops.pooling.ps_roi_align import map_origins, maps_of_bins
from roilearn.ops.pooling.quantize import quantize_box
from roilearn.ops.pooling.roi_pool import bin_edges, equal_weights


def ps_roi_pool(
    input: Float[Tensor, "N _ H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    read_last: bool = False,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Average the cells of each bin of each box, with separate channels for each bin.

    Parameters
    ----------
    input : (N, C * height * width, H, W) features. Output channel c of bin (i, j) reads channel
        (c * height + i) * width + j.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    read_last : whether bins may reach the last row and the last column of the map. In torchvision
        they never do, so False is the default.
    validate : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) tensor, contiguous. A bin without cells is 0. Differentiable in the
    features, to any order. The boxes get no gradient, since they are rounded.

    Raises
    ------
    ValueError: a number of channels that is not a multiple of the number of bins.
    ValueError, TypeError: as ``roi_pool``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Dai et al., R-FCN (2016), equation 1; rounding as in torchvision 0.29: the end of the box is
    excluded, and a box has at least one cell.

    Differs from
    ------------
    torchvision 0.29: there the gradient reaches the last row and column, which the output never
    reads. Here the gradient is that of the output, for either ``read_last``.

    Examples
    --------
    >>> import torch
    >>> edge = torch.zeros(1, 1, 4, 4)
    >>> edge[..., -1, :] = edge[..., -1] = 16
    >>> box = torch.tensor([[0.0, 0, 0, 4, 4]])
    >>> ps_roi_pool(edge, box, 1).item(), ps_roi_pool(edge, box, 1, read_last=True).item()
    (0.0, 7.0)
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_flag("read_last", read_last)
    check_tensor("input", input)
    check_features(input)
    check_position_sensitive(input, bins)
    check_one_device(input=input, boxes=boxes)
    rois = as_rois(boxes, input.shape[0], input.dtype, validate=validate).detach()
    channels = input.shape[1] // (bins[0] * bins[1])
    if not values_are_known(rois):
        return _custom_op([input], rois, bins, channels, scale, read_last)
    if is_empty(input, rois):
        return empty_output(input, channels, (rois.shape[0], *bins))
    size = (input.shape[2], input.shape[3])
    limits = size if read_last else (size[0] - 1, size[1] - 1)
    rows, columns = box_spans(rois, bins, scale, limits)
    entries = rows.count.sum(1) * columns.count.sum(1)  # [K]
    maps = maps_of_bins(input, bins)
    options = {"bins": bins, "spatial_scale": scale, "size": size, "limits": limits}
    make_bag = partial(average_bag, **options, index=index_dtype(cells_of(maps)))
    return pool_bags(make_bag, maps, rois, entries, bins)


def box_spans(
    rois: Float[Tensor, "K 5"], bins: tuple[int, int], spatial_scale: float, limits: tuple[int, int]
) -> tuple[Spans, Spans]:
    """Round the boxes and then their bins: (spans of rows, spans of columns)."""
    x1, y1, x2, y2 = quantize_box(rois[:, 1:], spatial_scale, "half_away")
    rows = equal_weights(*bin_edges(y1, y2 - 1, bins[0], limits[0]), rois.dtype)
    return rows, equal_weights(*bin_edges(x1, x2 - 1, bins[1], limits[1]), rois.dtype)


def average_bag(
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
    size: tuple[int, int],
    limits: tuple[int, int],
    index: torch.dtype = torch.int32,
) -> Bag:
    """List the cells of each bin with equal weights, in the map of that bin."""
    origin = map_origins(rois[:, 0], bins, size[0] * size[1], index)
    return outer_bag_from(origin, size[1], *box_spans(rois, bins, spatial_scale, limits))


_custom_op = as_custom_op(
    ps_roi_pool,
    "float spatial_scale, bool read_last",
    not_in_onnx="Use ps_roi_align, which becomes a node that ONNX has.",
)
torch.fx.wrap("ps_roi_pool")  # one node where torch.fx records the module


class PSRoIPool(nn.Module):
    """``ps_roi_pool`` as a module, with torchvision's constructor."""

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        check_output_size(output_size)
        check_spatial_scale(spatial_scale)
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(
        self,
        input: Float[Tensor, "N _ H W"],
        rois: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool ``rois``; see ``ps_roi_pool``."""
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale})"
        )

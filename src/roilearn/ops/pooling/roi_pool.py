"""RoIPool: round the box to whole cells, divide it into bins of cells, and max-pool each bin.

A bin is a rectangle of cells. Its average is an embedding bag of equal weights. Its maximum is not
a weighted sum, but reads the same cells: ``max_pool.py`` gathers them, a few bins at a time.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.fx
from jaxtyping import Float, Int32, Int64
from torch import Tensor, nn

from roilearn.arguments import (
    check_choice,
    check_features,
    check_one_device,
    check_output_size,
    check_spatial_scale,
    check_tensor,
)
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import Way, choose_way, load_kernels
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.executor import MAX_ENTRIES
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags, pool_in_chunks
from roilearn.ops.embedding_bags.outputs import empty_output, is_empty
from roilearn.ops.embedding_bags.planes import FEW_CHANNELS
from roilearn.ops.embedding_bags.spans import Spans, broadcast_to_bins, max_count, outer_bag
from roilearn.ops.onnx.pooling_nodes import max_roi_pool_node
from roilearn.ops.pooling.max_pool import max_pool_bins
from roilearn.ops.pooling.quantize import quantize_box
from roilearn.ops.pooling.range_maxima import range_maxima, reads_more_than_windows
from roilearn.ops.tracing import may_read_values, records_gradients

POOL_MODES = ("max", "average")


def roi_pool(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    mode: str = "max",
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Pool each box into a grid of ``output_size`` bins of whole cells.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    output_size : (height, width) of the grid, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    mode : ``"max"``, as in the paper and in torchvision, or ``"average"``.
    validate : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) tensor, contiguous. An empty bin, outside the map, is 0. The maximum
    ignores NaN cells; if all cells are NaN it is NaN. Differentiable in the features: the gradient
    goes to each bin's first maximum (row-major). The boxes get no gradient, since they are rounded.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``. An
        invalid box that is not checked for gives zeros.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.1; rounding as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: a bin whose cells are all NaN or minus infinity gives the lowest number of the
    dtype there, and passes on no gradient.

    Examples
    --------
    >>> features = torch.arange(9.0).reshape(1, 1, 3, 3)
    >>> roi_pool(features, torch.tensor([[0.0, 0, 0, 2, 2]]), 2)[0, 0]
    tensor([[4., 5.],
            [7., 8.]])
    """
    check_choice("mode", mode, POOL_MODES)
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    only_max = {"has_kernel": mode == "max", "is_in_onnx": mode == "max"}
    way = choose_way([input], boxes, sizes_follow_from_shapes=False, **only_max)
    if way is Way.KERNEL:
        return load_kernels().roi_pool(input, boxes, bins, scale, validate=validate)
    rois = as_rois(boxes, input.shape[0], input.dtype, validate=validate).detach()
    if way is Way.ONNX:
        return _onnx_node(input, rois, bins, scale)
    if way is Way.NODE:
        return _custom_op([input], rois, bins, input.shape[1], scale, mode)
    if is_empty(input, rois):
        return empty_output(input, input.shape[1], (rois.shape[0], *bins))
    if mode == "max":
        return pool_maxima(input, rois, bins, scale)
    size = (input.shape[2], input.shape[3])
    index = index_dtype(cells_of([input]))
    make_bag = partial(average_bag, bins=bins, spatial_scale=scale, size=size, index=index)
    return pool_bags(make_bag, [input], rois, cells_per_box(rois, bins, scale, size), bins)


def pool_maxima(
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
) -> Float[Tensor, "K C PH PW"]:
    """Max-pool boxes that have been checked."""
    size = (input.shape[2], input.shape[3])
    pool = partial(max_pool_boxes, bins=bins, spatial_scale=spatial_scale)
    most = (size[0] + 2 * bins[0]) * (size[1] + 2 * bins[1])  # of a box as large as the map
    few = len(rois) * most <= MAX_ENTRIES  # whose cells need not be counted
    entries = most if few else cells_per_box(rois, bins, spatial_scale, size)
    return pool_in_chunks(pool, input, rois, entries)


def cells_per_box(
    rois: Float[Tensor, "K 5"], bins: tuple[int, int], spatial_scale: float, size: tuple[int, int]
) -> Int64[Tensor, " K"]:
    """Count the cells that the bins of each box read."""
    _, rows, columns = box_spans(rois, bins, spatial_scale, size)
    return rows.count.sum(1) * columns.count.sum(1)


def average_bag(
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
    size: tuple[int, int],
    index: torch.dtype = torch.int32,
) -> Bag:
    """List the cells of each bin with equal weights: the average as a bag."""
    image, rows, columns = box_spans(rois, bins, spatial_scale, size)
    return outer_bag(image.to(index), rows, columns, size)


def max_pool_boxes(
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
) -> Float[Tensor, "K C PH PW"]:
    """Maximum of each channel over the cells of each bin; 0 for a bin without cells."""
    height, width = input.shape[2:]
    image, rows, columns = box_spans(rois, bins, spatial_scale, (height, width))
    image = image.to(index_dtype(cells_of([input])))
    top, left = broadcast_to_bins(image[:, None] * height + rows.first, columns.first)  # [bins]
    tall, wide = broadcast_to_bins(rows.count, columns.count)
    first, shape = top * width + left, (len(rois), *bins)  # row of the table
    few = input.shape[1] < FEW_CHANNELS and may_read_values(input)
    if few and not records_gradients(input) and reads_more_than_windows(input, tall, wide):
        return range_maxima(input, first, tall, wide, shape)
    return max_pool_bins(input, image, first, wide, tall * wide, shape)


def box_spans(
    rois: Float[Tensor, "K 5"], bins: tuple[int, int], spatial_scale: float, size: tuple[int, int]
) -> tuple[Int32[Tensor, " K"], Spans, Spans]:
    """Round the boxes and then their bins: (image, spans of rows, spans of columns)."""
    x1, y1, x2, y2 = quantize_box(rois[:, 1:], spatial_scale, "half_away")
    axes = ((y1, y2, bins[0], size[0]), (x1, x2, bins[1], size[1]))
    rows, columns = (equal_weights(*bin_edges(*axis), rois.dtype) for axis in axes)
    return rois[:, 0].int(), rows, columns


def bin_edges(
    first: Float[Tensor, " K"], last: Float[Tensor, " K"], bins: int, limit: int
) -> tuple[Int32[Tensor, "K bins"], Int32[Tensor, "K bins"]]:
    """First and last cell of each bin along one axis: rounded outwards, so neighbours overlap.

    Parameters
    ----------
    first, last : first and last cell of each rounded box, both included; whole numbers.
    bins : number of bins.
    limit : size of the map along this axis; no bin reaches outside it.

    Returns
    -------
    (start, stop), stop excluded. A bin with start >= stop is empty.

    Examples
    --------
    Twelve cells in seven bins:

    >>> start, stop = bin_edges(torch.tensor([0.0]), torch.tensor([11.0]), 7, limit=38)
    >>> start.tolist(), stop.tolist()
    ([[0, 1, 3, 5, 6, 8, 10]], [[2, 4, 6, 7, 9, 11, 12]])
    """
    bin_size = ((last - first + 1).clamp(min=1) / bins)[:, None]  # [K, 1]
    i = torch.arange(bins, dtype=first.dtype, device=first.device)
    start = first[:, None] + (i * bin_size).floor()  # [K, bins]
    stop = first[:, None] + ((i + 1) * bin_size).ceil()
    return start.clamp(0, limit).int(), stop.clamp(0, limit).int()


def equal_weights(
    start: Int32[Tensor, "K bins"], stop: Int32[Tensor, "K bins"], dtype: torch.dtype
) -> Spans:
    """Spans from ``start`` to ``stop`` whose cells have equal weights with the sum 1."""
    count = (stop - start).clamp(min=0)
    share = 1 / count.clamp(min=1).to(dtype)
    return Spans(start, count, share[:, :, None].expand(-1, -1, max_count(count)))


_custom_op = as_custom_op(
    roi_pool,
    "float spatial_scale, str mode",
    not_in_onnx="Pass mode='max', or use roi_align, which ONNX has.",
)
_onnx_node = max_roi_pool_node(roi_pool)
torch.fx.wrap("roi_pool")  # one node where torch.fx records the module


class RoIPool(nn.Module):
    """``roi_pool`` as a module, with torchvision's constructor."""

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        check_output_size(output_size)
        check_spatial_scale(spatial_scale)
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(
        self,
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool ``rois``; see ``roi_pool``."""
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale})"
        )

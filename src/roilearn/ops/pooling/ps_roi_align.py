"""Position-sensitive RoIAlign: RoIAlign in which every bin reads its own channels.

The channels of one bin form a feature map. An image therefore has as many maps as there are bins,
and each bin reads the samples of ``roi_align`` from its own map.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.fx
from jaxtyping import Float, Integer
from torch import Tensor, nn

from roilearn.arguments import (
    check_features,
    check_one_device,
    check_output_size,
    check_position_sensitive,
    check_sampling_ratio,
    check_spatial_scale,
    check_tensor,
)
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import Way, choose_way, load_kernels
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.embedding_bags.outputs import empty_output, is_empty
from roilearn.ops.pooling.roi_align import (
    Listed,
    along_axes,
    entries_per_box,
    lists_samples,
    region,
    roi_align,
    sample_bag_from,
    sample_grid_from,
)
from roilearn.ops.tracing import is_tracing


def ps_roi_align(
    input: Float[Tensor, "N _ H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box, with separate channels for each bin.

    Parameters
    ----------
    input : (N, C * height * width, H, W) features. Output channel c of bin (i, j) reads channel
        (c * height + i) * width + j.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).
    validate : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) tensor, contiguous. The half cell is always subtracted, as in RoIAlign
    with ``aligned=True``. Differentiable in the features and in the boxes, to any order, with the
    slopes of ``roi_align``.

    Raises
    ------
    ValueError: a number of channels that is not a multiple of the number of bins.
    ValueError, TypeError: as ``roi_align``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Dai et al., R-FCN (2016), equation 1, with RoIAlign's sampling; torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: adaptive sampling of a box of zero size, or inverted by less than a bin, gives
    NaN there and 0 here. The boxes get no gradient there.

    Examples
    --------
    Four maps that hold their own number, for two by two bins. Each bin reads its own map:

    >>> maps = torch.arange(4.0)[None, :, None, None].expand(1, 4, 6, 6)
    >>> ps_roi_align(maps, torch.tensor([[0.0, 1, 1, 5, 5]]), 2)[0]
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    ratio = check_sampling_ratio(sampling_ratio)
    check_tensor("input", input)
    check_features(input)
    check_position_sensitive(input, bins)
    check_one_device(input=input, boxes=boxes)
    way = choose_way([input], boxes, ratio, sizes_follow_from_shapes=lists_samples(ratio))
    if way is Way.KERNEL:
        return load_kernels().ps_roi_align(input, boxes, bins, scale, ratio, validate=validate)
    rois = as_rois(boxes, input.shape[0], input.dtype, validate=validate)
    if way is Way.ONNX:
        return _with_roi_align(input, rois, bins, scale, ratio)
    channels = input.shape[1] // (bins[0] * bins[1])
    if way is Way.NODE:
        return _custom_op([input], rois, bins, channels, scale, ratio)
    if is_empty(input, rois):
        return empty_output(input, channels, (rois.shape[0], *bins))
    return pool_with_bags([input], rois, bins, scale, ratio)


def pool_with_bags(
    maps: Sequence[Float[Tensor, "N _ H W"]],
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
) -> Float[Tensor, "K C PH PW"]:
    """Pool boxes that have been checked, as weighted sums of cells of the one input in ``maps``."""
    regions = torch.stack([rois[:, 0], *region(rois, spatial_scale, aligned=True)], 1)  # [K, 5]
    size = (maps[0].shape[2], maps[0].shape[3])
    maps = maps_of_bins(maps[0], bins)
    index = index_dtype(cells_of(maps))
    options = {"bins": bins, "sampling_ratio": sampling_ratio, "size": size, "index": index}
    make_bag = partial(position_sensitive_bag, **options)
    entries = entries_per_box(regions, bins, sampling_ratio, size)
    list_grid = (
        partial(make_bag, as_list=sample_grid_from) if lists_samples(sampling_ratio) else None
    )
    return pool_bags(make_bag, maps, regions, entries, bins, list_grid=list_grid)


def maps_of_bins(
    input: Float[Tensor, "N _ H W"], bins: tuple[int, int]
) -> list[Float[Tensor, "_ C H W"]]:
    """For each image a (height * width, C, H, W) tensor: a map of C channels for every bin.

    In a traced graph, where the number of images may vary, one tensor holds a copy of them all.
    """
    number = bins[0] * bins[1]
    each = input.unflatten(1, (input.shape[1] // number, number)).transpose(1, 2)
    if is_tracing() or not input.shape[0]:
        return [each.flatten(0, 1)]
    return list(each.unbind(0))


def map_origins(
    image: Float[Tensor, " K"],
    bins: tuple[int, int],
    cells: int,
    index: torch.dtype = torch.int32,
) -> Integer[Tensor, "K PH PW"]:
    """Row of the table where the map of each bin of each box begins; a map has ``cells`` rows."""
    number = torch.arange(bins[0] * bins[1], dtype=index, device=image.device).view(bins)
    first = image.to(index)[:, None, None] * number.numel()
    return (first + number) * cells


def position_sensitive_bag(
    regions: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    sampling_ratio: int,
    size: tuple[int, int],
    index: torch.dtype = torch.int32,
    as_list: Callable[..., Listed] = sample_bag_from,
) -> Listed:
    """List the cells that the samples of each bin read, in the map of that bin.

    Parameters
    ----------
    regions : image, top, left, height, width of each box, in cells, index coordinates.
    size : (height, width) of the map.
    index : dtype that numbers the cells.
    as_list : as in ``sample_bag``.
    """
    origin = map_origins(regions[:, 0], bins, size[0] * size[1], index)
    return as_list(origin, regions[:, 1:], bins, sampling_ratio, along_axes(size, regions), size[1])


def _with_roi_align(
    input: Float[Tensor, "N _ H W"],
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
) -> Float[Tensor, "K C PH PW"]:
    """Pool every channel in every bin and keep each bin's own channels, which ONNX can express."""
    everywhere = roi_align(input, rois, bins, spatial_scale, sampling_ratio, aligned=True)
    number, channels = bins[0] * bins[1], input.shape[1]
    channel = torch.arange(channels, device=input.device)
    place = channel * number + channel % number  # of each channel, that of its own bin
    return everywhere.flatten(1).index_select(1, place).unflatten(1, (channels // number, *bins))


_custom_op = as_custom_op(ps_roi_align, "float spatial_scale, SymInt sampling_ratio")
torch.fx.wrap("ps_roi_align")  # one node where torch.fx records the module


class PSRoIAlign(nn.Module):
    """``ps_roi_align`` as a module, with torchvision's constructor."""

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float, sampling_ratio: int
    ) -> None:
        super().__init__()
        check_output_size(output_size)
        check_spatial_scale(spatial_scale)
        check_sampling_ratio(sampling_ratio)
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio

    def forward(
        self,
        input: Float[Tensor, "N _ H W"],
        rois: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool ``rois``; see ``ps_roi_align``."""
        options = (self.output_size, self.spatial_scale, self.sampling_ratio)
        return ps_roi_align(input, rois, *options)

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio})"
        )

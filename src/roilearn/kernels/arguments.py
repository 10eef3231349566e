"""Checks of the kernels' arguments, the same as in ``roilearn.ops``; what the kernels support."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import BOX_COLUMNS, check_box_values
from roilearn.ops.boxes.rois import join_rois
from roilearn.ops.dispatch import KERNEL_DTYPES, MAX_LEVELS, MAX_SAMPLING_RATIO
from roilearn.ops.pooling.roi_align import entries_per_box, region
from roilearn.ops.tracing import has_values, is_tracing, may_read_values


def supports(maps: Sequence[Tensor], sampling_ratio: int = -1) -> bool:
    """Whether the kernels support such maps and options; else ``roilearn.ops`` computes them."""
    few = len(maps) <= MAX_LEVELS and sampling_ratio <= MAX_SAMPLING_RATIO
    known = not is_tracing() and has_values(*maps)
    return few and known and maps[0].dtype in KERNEL_DTYPES and maps[0].shape[1] > 0


def check_sample_count(
    rois: Float[Tensor, "K 5"],
    scale: float | Float[Tensor, "K 1"],
    aligned: bool,
    bins: tuple[int, int],
    sampling_ratio: int,
    validate: bool | None,
) -> None:
    """Raise for a box of more samples than a kernel reads, if values are checked."""
    if may_read_values(rois, validate):
        sides = torch.stack([rois[:, 0], *region(rois, scale, aligned)], 1)
        entries_per_box(sides, bins, sampling_ratio, size=(1, 1))


def to_rois(
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    features: Float[Tensor, "N C H W"],
    validate: bool | None,
) -> Float[Tensor, "K 5"]:
    """Return boxes of either form as (K, 5). Kernels skip bad rows that were not checked.

    Parameters
    ----------
    features : for the size of the batch.
    validate : as in ``roilearn.ops.roi_align``.
    """
    rois = join_rois(boxes, features.shape[0], torch.float32, BOX_COLUMNS)
    if may_read_values(rois, validate):
        check_box_values(rois, features.shape[0])
    return rois

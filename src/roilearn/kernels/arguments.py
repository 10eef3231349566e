"""Boxes and features as the kernels take them, checked as ``roilearn.ops`` checks them."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import BOX_COLUMNS, check_box_values
from roilearn.ops.boxes.boxes import join_rois
from roilearn.ops.dispatch import DTYPES, LARGEST_RATIO, MOST_LEVELS
from roilearn.ops.pooling.roi_align import entries_each, region
from roilearn.ops.tracing import reads_values, tracing


def covers(maps: Sequence[Tensor], sampling_ratio: int = -1) -> bool:
    """Whether the kernels, and not the PyTorch path, answer for such maps and options."""
    few = len(maps) <= MOST_LEVELS and sampling_ratio <= LARGEST_RATIO
    return few and maps[0].dtype in DTYPES and not tracing()


def check_samples(
    rois: Float[Tensor, "K 5"],
    scale: float | Float[Tensor, "K 1"],
    aligned: bool,
    bins: tuple[int, int],
    sampling_ratio: int,
    validate: bool | None,
) -> None:
    """Raise, where values are looked at, for a box of more samples than a kernel reads."""
    if reads_values(rois, validate):
        sides = torch.stack([rois[:, 0], *region(rois, scale, aligned)], 1)
        entries_each(sides, bins, sampling_ratio, size=(1, 1))


def kernel_rois(
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    like: Float[Tensor, "N C H W"],
    validate: bool | None,
) -> Float[Tensor, "K 5"]:
    """Boxes in either form as (K, 5). A kernel itself passes over bad rows that nobody looked for.

    Parameters
    ----------
    like : features, for the size of the batch.
    validate : as in ``roilearn.ops.roi_align``.
    """
    rois = join_rois(boxes, like.shape[0], torch.float32, BOX_COLUMNS)
    if reads_values(rois, validate):
        check_box_values(rois, like.shape[0])
    return rois

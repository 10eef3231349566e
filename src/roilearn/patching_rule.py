"""The rule of ``roilearn.patch()``: which calls torchvision's own kernels keep, as they are faster.

Ours first makes a list of what each bin reads, for all channels at once. So it pays where there are
many channels and many boxes, and with few the list alone takes longer than torchvision's kernel
does; so does laying out a large map for few boxes. The numbers from which on ours is used stand in
``patching_limits.py``.
"""

import torch
from torch import Tensor

from roilearn.ops.tracing import may_read_values
from roilearn.patching_limits import MAPS_TO_OUTPUT, OURS_FROM, OURS_FROM_BOXES

HALF_DTYPES = (torch.float16, torch.bfloat16)
"""torchvision computes in these dtypes with less precision, or not at all."""


def keeps_pooling(
    name: str, input: Tensor, rois: Tensor, spatial_scale: float, height: int, width: int
) -> bool:
    """Whether torchvision's kernel keeps a call of a pooling operator.

    It does where it is faster and the arguments are such that both give the same: maps and boxes of
    one dtype, and boxes that are ``usual``. All others come to us, to be computed or to raise.

    Parameters
    ----------
    name : name of the operator, without "torchvision::".
    input, rois : the feature maps, and (K, 5) boxes with the batch index first.
    spatial_scale : cells per image pixel.
    height, width : number of bins.

    Examples
    --------
    >>> features, rois = torch.rand(1, 3, 8, 8), torch.tensor([[0.0, 1, 1, 6, 6]])
    >>> keeps_pooling("roi_align", features, rois, 1.0, 7, 7)
    True
    >>> keeps_pooling("roi_align", features, rois.repeat(5000, 1), 1.0, 7, 7)  # three channels
    True
    >>> keeps_pooling("roi_align", torch.rand(1, 64, 8, 8), rois.repeat(5000, 1), 1.0, 7, 7)
    False
    """
    if not (input.ndim == 4 and rois.ndim == 2 and rois.shape[1] == 5 and input.numel()):
        return False
    if input.dtype != rois.dtype or input.dtype in HALF_DTYPES or not input.is_floating_point():
        return False
    if min(height, width) < 1 or not 0 < spatial_scale < 1e6 or not may_read_values(rois):
        return False
    bins = height * width
    channels = input.shape[1] // bins if name.startswith("ps_") else input.shape[1]
    if pays(name, input.numel(), len(rois) * bins, channels):
        return False
    if name.startswith("ps_") and input.shape[1] % bins:
        return False
    return are_usual(rois, len(input), spatial_scale, max(input.shape[2:]))


def pays(name: str, numbers: int, bins: int, channels: int) -> bool:
    """Whether ours is the faster one, as far as sizes tell.

    Parameters
    ----------
    numbers : all numbers of the maps, which ours lays out before it reads.
    bins : bins of all boxes.
    channels : channels of the output: those that each bin reads.

    Examples
    --------
    >>> pays("roi_align", 256 * 50 * 76, 100 * 49, 256)
    True
    >>> pays("roi_align", 256 * 200 * 304, 10 * 49, 256)  # ten boxes on a large map
    False
    """
    least, outputs = OURS_FROM[name], bins * channels
    many = channels >= least.channels and outputs >= least.outputs
    return many and numbers <= MAPS_TO_OUTPUT * outputs


def are_usual(rois: Tensor, batch_size: int, spatial_scale: float, side: int) -> bool:
    """Whether all boxes are finite, of an image in the batch, and not far from their map.

    Parameters
    ----------
    side : the longer side of the map, in cells. Boxes of more than four times this length may need
        more samples than fit in memory.
    """
    if not len(rois):
        return True
    values = rois.detach().numpy()
    image = values[:, 0]
    low, high = values.min(0), values.max(0)  # NaN stays NaN, and is in no range
    far = 2 * side / spatial_scale
    in_range = low[1:].min() >= -far and high[1:].max() <= far
    in_batch = low[0] >= 0 and high[0] < batch_size
    return bool(in_range and in_batch and (image == image.astype("int64")).all())


def keeps_nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> bool:
    """Whether torchvision's kernel keeps a call of NMS: few boxes, and arguments without NaN.

    Examples
    --------
    >>> boxes, scores = torch.tensor([[0.0, 0, 4, 4]]), torch.ones(1)
    >>> keeps_nms(boxes, scores, 0.5), keeps_nms(boxes, scores * torch.nan, 0.5)
    (True, False)
    """
    if not (boxes.ndim == 2 and boxes.shape[1] == 4 and scores.shape == boxes.shape[:1]):
        return False
    if boxes.dtype != scores.dtype or boxes.dtype in HALF_DTYPES or not boxes.is_floating_point():
        return False
    if len(boxes) >= OURS_FROM_BOXES or not iou_threshold >= 0 or not may_read_values(boxes):
        return False
    if not len(boxes):
        return True
    values, numbers = boxes.detach().numpy(), scores.detach().numpy()
    finite = -float("inf") < values.min() and values.max() < float("inf")
    return bool(finite and numbers.min() >= -float("inf"))

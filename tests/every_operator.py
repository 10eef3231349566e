"""Every pooling operator, and every function of boxes, as a function of tensors alone."""

import torch

from roilearn import ops

BINS = (2, 3)
ROIS = torch.tensor([[0, 1.2, 0.7, 6.1, 5.3], [1, 2.4, 0.1, 8.3, 6.9]])
ROTATED = torch.tensor([[0, 4.2, 3.7, 5.1, 3.3, 20], [1, 3.4, 3.1, 4.3, 3.9, -70]])
FEATURES = torch.rand(2, 6, 7, 9, generator=torch.Generator().manual_seed(0)) - 0.5
BOXES = torch.tensor([[0.3, 0.2, 4.1, 4.7], [1.2, 1.9, 5.6, 6.4], [2.3, 0.8, 9.1, 3.9]])


def pyramid(x):
    return [x, x[..., ::2, ::2]]


POOLING = {
    "roi_align": lambda x, b: ops.roi_align(x, b, BINS, 0.7, 2),
    "roi_align, 3 samples": lambda x, b: ops.roi_align(x, b, BINS, 0.7, 3, True),
    "roi_align, adaptive": lambda x, b: ops.roi_align(x, b, BINS, 0.7),
    "multi_scale_roi_align": lambda x, b: ops.multi_scale_roi_align(
        pyramid(x), b, BINS, [1.0, 0.5], 2, True, 5, 0
    ),
    "multi_scale_roi_align, adaptive": lambda x, b: ops.multi_scale_roi_align(
        pyramid(x), b, BINS, [1.0, 0.5], -1, True, 5, 0
    ),
    "ps_roi_align": lambda x, b: ops.ps_roi_align(x, b, BINS, 0.7, 2),
    "ps_roi_align, adaptive": lambda x, b: ops.ps_roi_align(x, b, BINS, 0.7),
    "prroi_pool": lambda x, b: ops.prroi_pool(x, b, BINS, 0.7),
    "crop_and_resize": lambda x, b: ops.crop_and_resize(x, b, BINS, 0.7),
    "roi_align_rotated": lambda x, b: ops.roi_align_rotated(x, b, BINS, 0.7, 2),
    "roi_align_rotated, adaptive": lambda x, b: ops.roi_align_rotated(x, b, BINS, 0.7),
    "roi_pool": lambda x, b: ops.roi_pool(x, b, BINS, 0.7),
    "roi_pool, average": lambda x, b: ops.roi_pool(x, b, BINS, 0.7, "average"),
    "ps_roi_pool": lambda x, b: ops.ps_roi_pool(x, b, BINS, 0.7),
}
"""Functions of features and boxes; boxes of rotated operators have six columns."""
TO_BOXES = {name: each for name, each in POOLING.items() if "roi_pool" not in name} | {
    "prroi_pool": POOLING["prroi_pool"]
}
"""Those with gradients to the boxes."""


def rois_of(name):
    return ROTATED if "rotated" in name else ROIS


BOX_FUNCTIONS = {
    "box_area": lambda b: ops.box_area(b),  # noqa: PLW0108 - one argument
    "box_iou": lambda b: ops.box_iou(b, b + 0.5),
    "generalized_box_iou": lambda b: ops.generalized_box_iou(b, b + 0.5),
    "distance_box_iou": lambda b: ops.distance_box_iou(b, b + 0.5),
    "complete_box_iou": lambda b: ops.complete_box_iou(b, b + 0.5),
    "box_convert": lambda b: ops.box_convert(b, "xyxy", "cxcywh"),
    "clip_boxes_to_image": lambda b: ops.clip_boxes_to_image(b, (5, 6)),
    "encode_boxes": lambda b: ops.encode_boxes(b, b + 0.5),
    "decode_boxes": lambda b: ops.decode_boxes(b / 10, b + 0.5),
    "assign_levels": lambda b: ops.assign_levels(40 * b),
    "paste_masks_in_image": lambda b: ops.paste_masks_in_image(
        torch.ones(3, 1, 4, 4, device=b.device), b, (6, 8), coordinates="aligned"
    ),
}
"""Functions of (K, 4) boxes whose results have a size that does not depend on values."""

"""Helper tensors lie on the device of the arguments, whatever the default device is.

The default device is ``meta`` here, which holds no values: a helper tensor that lay there would
spoil the result or raise.
"""

import pytest
import torch

from roilearn import ops

torch.manual_seed(0)
MAP = torch.randn(2, 8, 9, 7)
ROIS = torch.tensor([[0.0, 1, 1, 6, 5], [1, -2, 3, 4, 30], [0, 2.5, 0, 3.5, 8]])
BOXES, SCORES = ROIS[:, 1:], torch.tensor([0.9, 0.7, 0.8])
TURNED = torch.cat([ROIS, 30 + ROIS[:, :1]], 1).abs()
PYRAMID = [MAP, MAP[..., ::2, ::2]]

CALLS = {
    "roi_align": lambda: ops.roi_align(MAP, ROIS, 2),
    "roi_align, list": lambda: ops.roi_align(MAP, [BOXES, BOXES[:1]], 2, 1.0, 2, aligned=True),
    "multi_scale_roi_align": lambda: ops.multi_scale_roi_align(PYRAMID, ROIS, 2, [0.5, 0.25], 2),
    "roi_pool": lambda: ops.roi_pool(MAP, ROIS, 2),
    "roi_pool, average": lambda: ops.roi_pool(MAP, ROIS, 2, 1.0, "average"),
    "ps_roi_align": lambda: ops.ps_roi_align(MAP, ROIS, 2),
    "ps_roi_pool": lambda: ops.ps_roi_pool(MAP, ROIS, 2),
    "prroi_pool": lambda: ops.prroi_pool(MAP, ROIS, 2),
    "crop_and_resize": lambda: ops.crop_and_resize(MAP, ROIS, 2),
    "roi_align_rotated": lambda: ops.roi_align_rotated(MAP, TURNED, 2),
    "nms": lambda: ops.nms(BOXES, SCORES, 0.3),
    "batched_nms": lambda: ops.batched_nms(BOXES, SCORES, torch.zeros_like(SCORES).long(), 0.3),
    "box_iou": lambda: ops.box_iou(BOXES, BOXES),
    "decode_boxes": lambda: ops.decode_boxes(BOXES, BOXES),
    "paste_masks_in_image": lambda: ops.paste_masks_in_image(MAP[:, :1, :7, :7], BOXES[:2], (9, 9)),
    "resize": lambda: ops.resize(MAP, (4, 5)),
    "resize_linear": lambda: ops.resize_linear(SCORES, 5),
    "linear_adjoint": lambda: ops.linear_adjoint(1.0, SCORES, 3),
    "bilinear": lambda: ops.bilinear(MAP, SCORES, SCORES),
    "bilinear_adjoint": lambda: ops.bilinear_adjoint(
        torch.ones(3, device="cpu"), SCORES, SCORES, 3, 3
    ),
    "assign_levels": lambda: ops.assign_levels(BOXES),
}


@pytest.mark.parametrize("name", CALLS)
def test_another_default_device_changes_nothing(name):
    expected = CALLS[name]()
    with torch.device("meta"):
        found = CALLS[name]()
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_gradients_and_chunks_too(monkeypatch):
    monkeypatch.setattr("roilearn.ops.embedding_bags.memory.CHUNK_ENTRIES", 10)

    def gradients():
        leaves = [MAP.clone().requires_grad_(), ROIS.clone().requires_grad_()]
        return torch.autograd.grad(ops.roi_align(*leaves, 2).square().sum(), leaves)

    expected = gradients()
    with torch.device("meta"):
        found = gradients()
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)

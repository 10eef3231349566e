"""Maps without channels give results without channels, in every operator, as in torchvision."""

import numpy as np
import pytest
import torch
import torchvision
from every_operator import BINS, FEATURES, POOLING, ROIS, rois_of

from roilearn import kernels, ops, reference

NONE = FEATURES[:, :0]


@pytest.mark.parametrize("name", POOLING)
def test_a_result_without_channels(name):
    rois = rois_of(name)
    shape = (len(rois), 0, *BINS)
    assert POOLING[name](NONE, rois).shape == shape
    assert POOLING[name](NONE, rois[:0]).shape == (0, *shape[1:])
    maps, boxes = (each.clone().requires_grad_() for each in (NONE, rois))
    POOLING[name](maps, boxes).sum().backward()  # as in a model whose other branch has channels
    assert maps.grad is not None
    assert maps.grad.shape == NONE.shape
    exported = torch.export.export(Pool(name), (NONE, rois), strict=False)
    assert exported.module()(NONE, rois).shape == shape


class Pool(torch.nn.Module):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, x, b):
        return POOLING[self.name](x, b)


NAMES = ["roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool"]


@pytest.mark.parametrize("name", NAMES)
def test_as_torchvision(name):
    theirs = getattr(torchvision.ops, name)(NONE, ROIS, BINS)
    libraries = [reference, ops, *([] if name == "ps_roi_pool" else [kernels])]
    for library in libraries:
        pooled = getattr(library, name)(NONE.numpy() if library is reference else NONE, ROIS, BINS)
        assert tuple(pooled.shape) == tuple(theirs.shape)


@pytest.mark.parametrize("name", ["prroi_pool", "crop_and_resize", "roi_align_rotated"])
def test_in_loops(name):
    rois = rois_of(name).numpy()
    assert getattr(reference, name)(NONE.numpy(), rois, BINS).shape == (len(rois), 0, *BINS)


def test_written_to_a_tensor():
    out = torch.empty(len(ROIS), 0, *BINS)
    assert ops.roi_align(NONE, ROIS, BINS, out=out) is out
    assert np.shape(reference.multi_scale_roi_align([NONE], ROIS, BINS, [1.0])) == (2, 0, *BINS)

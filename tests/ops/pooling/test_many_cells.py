"""Cells beyond number 2^31 are read, in a batch of which only the last image takes memory.

The batch is never written to but for that image, so that the system maps no page of the others.
"""

import pytest
import torch

from roilearn import ops
from roilearn.ops.pooling.ps_roi_align import map_origins, position_sensitive_bag
from roilearn.ops.pooling.ps_roi_pool import average_bag

SIDE = 1024
IMAGES = 2**31 // SIDE**2 + 2
LAST = torch.arange(SIDE, dtype=torch.float32).fmod(97)
ROIS = torch.tensor([[IMAGES - 1.0, 200, 300, 206, 305], [IMAGES - 1, 1, 2, 4, 3]])
POOLS = {
    "roi_align": lambda x, b: ops.roi_align(x, b, 2, 1.0, 2),
    "roi_align, adaptive": lambda x, b: ops.roi_align(x, b, 2),
    "roi_pool": lambda x, b: ops.roi_pool(x, b, 2),
    "roi_pool, average": lambda x, b: ops.roi_pool(x, b, 2, mode="average"),
    "prroi_pool": lambda x, b: ops.prroi_pool(x, b, 2),
    "crop_and_resize": lambda x, b: ops.crop_and_resize(x, b, 2),
    "roi_align_rotated": lambda x, b: ops.roi_align_rotated(x, torch.cat([b, b[:, 1:2]], 1), 2),
    "multi_scale_roi_align": lambda x, b: ops.multi_scale_roi_align([x], b, 2, [1.0]),
}


@pytest.fixture(scope="module")
def batch():
    features = torch.empty(IMAGES, 1, SIDE, SIDE)
    features[-1] = LAST
    return features


@pytest.mark.parametrize("name", POOLS)
def test_the_last_image_of_a_large_batch_is_read(name, batch):
    alone = ROIS * torch.tensor([0.0, 1, 1, 1, 1])
    with torch.inference_mode():
        torch.testing.assert_close(POOLS[name](batch, ROIS), POOLS[name](batch[-1:], alone))


def test_position_sensitive_bags_number_cells_beyond():
    """Their maps are copied bin by bin, which would take the memory of them all."""
    images = torch.tensor([0.0, 5000.0])
    origins = map_origins(images, (2, 3), SIDE**2, torch.int64)
    expected = [(5000 * 6 + number) * SIDE**2 for number in range(6)]
    assert origins[1].flatten().tolist() == expected
    regions = torch.tensor([[5000.0, 3, 4, 1, 1]])
    bag = position_sensitive_bag(regions, (2, 3), 2, (SIDE, SIDE), torch.int64)
    assert bag.index.min() == expected[0] + 3 * SIDE + 4
    rois = torch.tensor([[5000.0, 4, 3, 5, 4]])
    bag = average_bag(rois, (2, 3), 1.0, (SIDE, SIDE), (SIDE, SIDE), torch.int64)
    assert bag.index.min() == expected[0] + 3 * SIDE + 4

"""Images of a few pixels, padded to 32: every pooler reads its maps at their true scale."""

import pytest
import torch

from roilearn.models import mask_rcnn_tiny
from roilearn.models.roi_heads import poolers
from roilearn.models.roi_heads.poolers import RoIPooler
from roilearn.models.transform.image_batch import ImageBatch
from roilearn.ops.pooling import multi_scale_pooler


@pytest.mark.parametrize("side", [4, 9, 16, 22, 33, 45, 66])
def test_scales_in_a_detector(monkeypatch, side):
    used = []
    for module in (poolers, multi_scale_pooler):
        infer = module.infer_scales

        def record(maps, shapes, infer=infer):
            used.append(infer(maps, shapes))
            return used[-1]

        monkeypatch.setattr(module, "infer_scales", record)
    torch.manual_seed(0)
    model = mask_rcnn_tiny(3).eval()
    model.transform.min_size, model.transform.max_size = (side,), 2 * side
    model.roi_heads.score_thresh = 0.0
    model([torch.rand(3, side, side), torch.rand(3, side, side)])
    assert used
    assert all(scales[0] == used[0][0] for scales in used)
    strides = [1 / scale for scale in used[0]]
    assert strides == [4 * 2**level for level in range(len(strides))]


def test_a_pooler_may_be_told_its_scales():
    maps = [torch.rand(1, 2, 8, 8), torch.rand(1, 2, 7, 7)]
    boxes = [torch.tensor([[1.0, 2, 30, 20]])]
    for roi_op in ("align", "pool"):
        pool = RoIPooler(3, roi_op, levels=2, spatial_scales=[1 / 4, 1 / 5])
        alone = RoIPooler(3, roi_op, levels=1)(maps[:1], boxes, [(32, 32)])
        assert torch.equal(pool(maps, boxes, [(100, 1000)]), alone)
    with pytest.raises(ValueError, match="one number for each of 4 maps; got 1"):
        RoIPooler(3, spatial_scales=[1 / 4])


def test_a_batch_knows_its_padded_size():
    batch = ImageBatch(torch.zeros(1, 3, 32, 64), [(20, 40)])
    assert batch.sizes == [(20, 40)]
    assert batch.sizes.padded == (32, 64)

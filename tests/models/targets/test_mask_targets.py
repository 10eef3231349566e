"""Mask targets of a batch equal those of each image alone, whatever the images' sizes."""

import pytest
import torch

from roilearn.models import DetectionTargets, all_mask_targets, mask_targets


def image_of(size, objects, boxes, seed):
    """Masks of one image, and drawn boxes that each stand for one of them."""
    random = torch.Generator().manual_seed(seed)
    masks = (torch.rand(objects, *size, generator=random) > 0.5).byte()
    corners = 12 * torch.rand(boxes, 2, generator=random)
    sides = 4 + 8 * torch.rand(boxes, 2, generator=random)
    index = torch.randint(objects, (boxes,), generator=random)
    found = torch.cat([corners, corners + sides], 1)
    return masks, DetectionTargets(found, index + 1, index, torch.zeros(boxes, 4))


@pytest.mark.parametrize(
    "sizes", [[(24, 24)] * 3, [(24, 24), (30, 26), (24, 24)]], ids=["one size", "two sizes"]
)
def test_a_batch_shows_what_its_images_show(sizes):
    objects, boxes = (2, 3, 1), (4, 0, 5)
    images = [image_of(*args) for args in zip(sizes, objects, boxes, range(3), strict=True)]
    masks, samples = zip(*images, strict=True)
    together = all_mask_targets(masks, samples, 6, aligned=True)
    alone = [mask_targets(m, s.boxes, s.matched_idxs, 6, aligned=True) for m, s in images]
    assert together.shape == (9, 6, 6)
    assert torch.equal(together, torch.cat(alone))


def test_images_without_objects_show_nothing():
    empty = DetectionTargets(*(torch.zeros(0, 4), *torch.zeros(2, 0).long(), torch.zeros(0, 4)))
    assert all_mask_targets([torch.zeros(0, 8, 8)], [empty], 6, aligned=False).shape == (0, 6, 6)

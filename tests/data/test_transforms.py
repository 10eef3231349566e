"""Boxes and masks follow the image, and what leaves it leaves the target."""

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from roilearn import ops
from roilearn.data import ShapeScenes, Transformed, augment, collate

SCENES = ShapeScenes(12, (60, 96), seed=1)


def test_a_mirror_moves_image_boxes_and_masks_alike():
    mirrored = Transformed(SCENES, v2.RandomHorizontalFlip(p=1))
    for index in range(len(SCENES)):
        (image, target), (seen, moved) = SCENES[index], mirrored[index]
        assert torch.equal(seen, image.flip(-1))
        assert torch.equal(moved["masks"], target["masks"].flip(-1))
        assert torch.equal(moved["labels"], target["labels"])
        x1, y1, x2, y2 = target["boxes"].unbind(1)
        assert torch.equal(moved["boxes"], torch.stack([96 - x2, y1, 96 - x1, y2], 1))


def test_what_a_crop_cuts_off_leaves_the_target():
    items = [
        (image, {**target, **extra(target)}) for image, target in map(SCENES.__getitem__, range(12))
    ]
    cropped = Transformed(items, v2.CenterCrop((30, 24)))
    left = 0
    for (_, target), (image, moved) in zip(items, map(cropped.__getitem__, range(12)), strict=True):
        inside = target["masks"][:, 15:45, 36:60]
        kept = (inside != 0).flatten(1).any(1)
        assert image.shape == (3, 30, 24)
        assert torch.equal(moved["masks"], inside[kept])
        assert torch.equal(moved["boxes"], ops.masks_to_boxes(inside[kept], exclusive=True))
        assert torch.equal(moved["area"], inside[kept].flatten(1).sum(1).float())
        for name in ("labels", "iscrowd"):
            assert torch.equal(moved[name], target[name][kept])
        assert moved["image_id"] == target["image_id"]
        left += int((~kept).sum())
    assert left > 5


def test_a_crop_of_boxes_alone_leaves_their_area():
    image, target = SCENES[0]
    boxes = torch.tensor([[0.0, 0, 40, 20], [30, 10, 70, 50], [0, 0, 9, 9]])
    labels, area = torch.tensor([1, 2, 3]), torch.tensor([1.0, 2, 3])
    target = {"boxes": boxes, "labels": labels, "area": area}
    _, moved = Transformed([(image, target)], v2.CenterCrop((30, 24)))[0]  # x 36 to 60, y 15 to 45
    assert moved["boxes"].tolist() == [[0, 0, 4, 5], [0, 0, 24, 30]]
    assert moved["labels"].tolist() == [1, 2]
    assert moved["area"].tolist() == [20, 720]


def extra(target):
    numbers = torch.arange(len(target["labels"]))
    return {"iscrowd": numbers, "area": target["masks"].flatten(1).sum(1).float()}


def test_results_are_plain_tensors():
    image, target = Transformed(SCENES)[0]
    assert type(image) is Tensor
    assert {type(target[name]) for name in ("boxes", "labels", "masks")} == {Tensor}


def test_light_changes_leave_the_target_and_stay_in_range():
    lit = Transformed(SCENES, augment(flip=0, brightness=0.5, contrast=0.5))
    torch.manual_seed(0)
    changes = []
    for index in range(len(SCENES)):
        (image, target), (seen, moved) = SCENES[index], lit[index]
        assert torch.equal(moved["masks"], target["masks"])
        assert 0 <= seen.min() < seen.max() <= 1
        changes.append(float((seen - image).abs().mean()))
    assert min(changes) > 0
    assert max(changes) > 0.03


def test_random_choices_come_from_pytorch():
    items = Transformed(SCENES)
    views = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        views.append(items[3][0])
    assert torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])


def test_keypoints_are_refused():
    image, target = SCENES[0]
    items = [(image, {**target, "keypoints": torch.zeros(len(target["labels"]), 2, 3)})]
    with pytest.raises(ValueError, match="target must have no keypoints to be transformed"):
        Transformed(items)[0]


def test_a_loader_gives_lists_of_images_and_targets():
    images, targets = next(iter(DataLoader(Transformed(SCENES), 5, collate_fn=collate)))
    assert [image.shape for image in images] == 5 * [(3, 60, 96)]
    assert [target["image_id"] for target in targets] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("item", "came"),
    [
        (torch.zeros(2), r"tensor\(\[0\., 0\.\]\)"),
        ((torch.zeros(3, 8, 8), None), "Tensor, NoneType"),
        ((torch.zeros(3, 8, 8),), "Tensor"),
        ((1, {}, 3), "int, dict, int"),
        (None, "None"),
    ],
)
def test_items_that_are_no_pairs_are_named(item, came):
    with pytest.raises(TypeError, match=rf"must be pairs, .* got \({came}\)"):
        collate([(torch.zeros(3, 8, 8), {}), item])

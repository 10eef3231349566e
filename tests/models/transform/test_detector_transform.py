"""Images to a batch and back: sizes, padding, targets, and what is refused."""

import numpy as np
import pytest
import torch

from roilearn.models import COORDINATES, DetectorTransform, coordinates_of, resized_size
from roilearn.ops import paste_masks_in_image


def image(height, width, seed=0):
    return torch.tensor(np.random.RandomState(seed).rand(3, height, width)).float()


@pytest.mark.parametrize(
    ("size", "resized"),
    [
        ((480, 640), (800, 1066)),
        ((640, 480), (1066, 800)),
        ((427, 1000), (569, 1333)),  # the longer side decides
        ((1, 5000), (1, 1333)),  # no side vanishes
    ],
)
def test_famous_sizes(size, resized):
    assert resized_size(size, 800, 1333) == resized


def test_a_batch_is_normalised_and_padded_with_zeros_to_the_divisor():
    transform = DetectorTransform(40, 100, size_divisible=32).eval()
    images = [image(40, 70), image(50, 40, seed=1)]
    batch, none = transform(images)
    assert none is None
    assert batch.tensors.shape == (2, 3, 64, 96)
    assert batch.sizes == [(40, 70), (50, 40)]
    mean, std = (
        torch.tensor(v)[:, None, None] for v in (transform.image_mean, transform.image_std)
    )
    torch.testing.assert_close(batch.tensors[0, :, :40, :70], (images[0] - mean) / std)
    assert not batch.tensors[0, :, 40:].any()
    assert not batch.tensors[0, :, :, 70:].any()
    assert batch.tensors.is_contiguous(memory_format=torch.channels_last)


def test_what_is_known_of_an_image_follows_it_and_comes_back():
    transform = DetectorTransform(60, 200).eval()
    target = {
        "boxes": torch.tensor([[2.0, 3, 20, 25]]),
        "labels": torch.tensor([4]),
        "masks": torch.ones(1, 30, 50, dtype=torch.bool),
        "keypoints": torch.tensor([[[10.0, 20, 2]]]),
    }
    kept = {name: value.clone() for name, value in target.items()}
    batch, targets = transform([image(30, 50)], [target])
    assert batch.sizes == [(60, 100)]
    assert targets[0]["boxes"].tolist() == [[4, 6, 40, 50]]
    assert targets[0]["keypoints"].tolist() == [[[20, 40, 2]]]
    assert targets[0]["masks"].shape == (1, 60, 100)
    assert targets[0]["masks"].dtype == torch.uint8
    assert targets[0]["labels"].tolist() == [4]
    assert all(torch.equal(target[name], value) for name, value in kept.items())
    found = {name: targets[0][name] for name in ("boxes", "keypoints", "labels")}
    (back,) = transform.postprocess([found], batch.sizes, [(30, 50)])
    for name in ("boxes", "keypoints", "labels"):
        torch.testing.assert_close(back[name], kept[name])


def test_an_image_without_objects():
    target = {"boxes": torch.zeros(0, 4), "masks": torch.zeros(0, 30, 50, dtype=torch.uint8)}
    _, (followed,) = DetectorTransform(60, 200)([image(30, 50)], [target])
    assert followed["boxes"].shape == (0, 4)
    assert followed["masks"].shape == (0, 60, 100)


@pytest.mark.parametrize("paste", ["torchvision", "aligned"])
def test_masks_are_pasted_by_the_rule_in_the_image_as_it_came(paste):
    transform = DetectorTransform(60, 200, paste=paste)
    masks = torch.tensor(np.random.RandomState(0).rand(1, 1, 28, 28)).float()
    found = {"boxes": torch.tensor([[4.6, 6.6, 41, 51]]), "masks": masks}
    (back,) = transform.postprocess([found], [(60, 100)], [(30, 50)])
    expected = paste_masks_in_image(masks, found["boxes"] / 2, (30, 50), coordinates=paste)
    torch.testing.assert_close(back["masks"], expected)
    assert found["masks"] is masks


def test_a_true_mask_read_at_pixel_centres_keeps_its_place():
    """A mask from column 3 on, made 3/4 as wide: its edge goes to 2.25, left of centre 2.5."""
    target = {"boxes": torch.zeros(0, 4), "masks": torch.zeros(1, 8, 8, dtype=torch.uint8)}
    target["masks"][:, :, 3:] = 1
    columns = {}
    for mode in ("nearest", "nearest-exact"):
        _, (followed,) = DetectorTransform(6, 6, mask_mode=mode)([image(8, 8)], [target])
        columns[mode] = followed["masks"][0, 0].tolist()
    # New column 2 covers 2.67 to 4 of the old ones: its first corner lies in 2, its centre in 3.
    assert columns["nearest"] == [0, 0, 0, 1, 1, 1]
    assert columns["nearest-exact"] == [0, 0, 1, 1, 1, 1]


def test_training_draws_a_size_and_prediction_takes_the_last():
    transform = DetectorTransform((40, 60), 200)
    torch.manual_seed(0)
    drawn = {transform.choose_min_size() for _ in range(30)}
    assert drawn == {40, 60}
    assert transform.eval().choose_min_size() == 60


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (torch.zeros(3, 8, 8), TypeError, "images must be a list"),
        ([], ValueError, "at least one image"),
        ([torch.zeros(8, 8, 3)], ValueError, r"images\[0\] must have shape \(3, H, W\)"),
        ([torch.zeros(3, 8, 8, dtype=torch.uint8)], TypeError, "pass image / 255"),
    ],
)
def test_images_that_are_refused(images, error, words):
    with pytest.raises(error, match=words):
        DetectorTransform()(images)


def test_as_many_targets_as_images():
    with pytest.raises(
        ValueError, match="targets must be a list with one entry for each of 1 image; got 0 of"
    ):
        DetectorTransform()([image(8, 8)], [])


def test_coordinates_by_name_and_the_unknown():
    assert coordinates_of("torchvision") is COORDINATES["torchvision"]
    assert coordinates_of(COORDINATES["aligned"]) is COORDINATES["aligned"]
    with pytest.raises(ValueError, match="coordinates must be one of 'torchvision', 'aligned'"):
        coordinates_of("caffe")

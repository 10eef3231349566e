"""Validation of images and ground truth: what a detector refuses before any work, and accepts."""

import numpy as np
import pytest
import torch

from roilearn.models import IMAGE_MEAN, IMAGE_STD, DetectorTransform, mask_rcnn_tiny

SIZE = (48, 64)
BOXES = torch.tensor([[10.0, 5, 40, 30], [30, 20, 60, 44]])
MASKS = torch.zeros(2, *SIZE, dtype=torch.uint8)
MASKS[0, 5:30, 10:40] = MASKS[1, 20:44, 30:60] = 1
TARGET = {"boxes": BOXES, "labels": torch.tensor([1, 2]), "masks": MASKS}
EMPTY = {
    "boxes": torch.zeros(0, 4),
    "labels": torch.zeros(0, dtype=torch.int64),
    "masks": torch.zeros(0, *SIZE, dtype=torch.uint8),
}


def image(seed=0):
    return torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    few = {
        "rpn_pre_nms_top_n": {"training": 20, "testing": 20},
        "rpn_post_nms_top_n": {"training": 10, "testing": 10},
    }
    return mask_rcnn_tiny(3, widths=(8, 16, 16), channels=16, min_size=48, **few)


@pytest.fixture
def idle(model, monkeypatch):
    """A model in training that must not begin to work."""
    monkeypatch.setattr(model.backbone, "forward", lambda *_: pytest.fail("worked"))
    return model.train()


@pytest.mark.parametrize("entry", ["boxes", "labels", "masks"])
def test_an_entry_that_is_missing_is_named_with_its_image(idle, entry):
    less = {name: value for name, value in TARGET.items() if name != entry}
    with pytest.raises(ValueError, match=rf"targets\[1\] must have .*; {entry} is missing"):
        idle([image(), image()], [TARGET, less])


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("boxes", BOXES[:, [2, 1, 0, 3]], r"a width and a height above 0; got \[40, 5, 10, 30\]"),
        ("boxes", BOXES * torch.tensor([[1.0], [0]]), r"got \[0, 0, 0, 0\] in row 1"),
        ("boxes", BOXES * torch.nan, "must be finite"),
        ("boxes", BOXES + torch.tensor([54.0, 0, 54, 0]), r"64 pixels wide .* \[64, 5, 94, 30\]"),
        ("boxes", BOXES - torch.tensor([0.0, 30, 0, 30]), r"must lie in the image.* in row 0"),
        ("boxes", torch.zeros(1, 5), r"must have shape \(K, 4\)"),
        ("boxes", BOXES.int(), "must be floating point"),
        ("boxes", BOXES.tolist(), "got list"),
        ("boxes", BOXES.numpy(), "got ndarray"),
        ("labels", torch.tensor([0, 1]), "must be 1 to 2, for heads of 3 classes.* got 0 in row 0"),
        ("labels", torch.tensor([1, 3]), "got 3 in row 1"),
        ("labels", torch.tensor([1, 2], dtype=torch.int32), r"must be int64; got torch\.int32"),
        ("labels", torch.tensor([1.0, 2]), "must hold whole numbers"),
        ("labels", torch.tensor([1]), r"must have shape \(2,\)"),
        ("iscrowd", np.zeros(2), "got ndarray"),
        ("masks", MASKS[:, :, :32], r"must have shape \(2, 48, 64\).* got shape \(2, 48, 32\)"),
        ("masks", MASKS[:, None], r"from \(n, 1, H, W\) pass masks\[:, 0\]"),
        ("masks", MASKS[:1], "must have a row for each"),
        ("masks", torch.tensor(1), "got no rows for 2"),
        ("masks", list(MASKS), "got list"),
        ("masks", MASKS.numpy(), "got ndarray"),
        ("masks", MASKS * torch.tensor([[[1]], [[255]]], dtype=torch.uint8), "got 255 in mask 1"),
        ("masks", MASKS.long() * -5, "must contain only 0 and 1; got -5 in mask 0"),
        ("masks", MASKS * 0.5, r"got 0\.5 in mask 0.* probabilities masks > 0\.5"),
        ("masks", MASKS * torch.nan, "got nan in mask 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_named_with_its_image_and_entry(idle, entry, value, words):
    with pytest.raises((TypeError, ValueError), match=rf"targets\[1\]\['{entry}'\].*{words}"):
        idle([image(), image()], [TARGET, {**TARGET, entry: value}])


@pytest.mark.parametrize("target", [None, [BOXES], BOXES])
def test_a_target_is_a_dictionary(idle, target):
    with pytest.raises(TypeError, match=r"targets\[0\] must be a dictionary of boxes, labels, ma"):
        idle([image()], [target])


@pytest.mark.parametrize(
    "changes",
    [
        {"masks": MASKS.bool()},
        {"masks": MASKS.float()},
        {"masks": MASKS.long()},
        {"boxes": BOXES.double()},
        {"boxes": BOXES + torch.tensor([-15.0, -15, 15, 15])},
        {"labels": torch.tensor([0, 2]), "iscrowd": torch.tensor([1, 0])},
        {"labels": torch.tensor([9, 2]), "iscrowd": torch.tensor([True, False])},
        EMPTY,
        {**EMPTY, "masks": torch.zeros(0, 5, 7)},
    ],
    ids=["bool", "float", "int64", "float64", "over the edge", "crowd", "a flag", "empty", "any"],
)
def test_what_is_unusual_and_can_be_true_is_learned_from(model, changes):
    losses = model.train()([image()], [{**TARGET, **changes}])
    assert all(loss.isfinite() for loss in losses.values())


def test_targets_are_not_looked_at_where_nothing_is_learned(model):
    torch.manual_seed(0)
    for found in model.eval()([image()], [None]):
        assert found["masks"].shape[1:] == (1, *SIZE)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x: x * 255, ValueError, "values from 0 to 1.* got .* From bytes pass image / 255"),
        (lambda x: (x - 0.45) / 0.225, ValueError, "would be normalised twice"),
        (lambda x: x * torch.nan, ValueError, "got nan to nan"),
        (lambda x: (x * 255).byte(), TypeError, r"got torch\.uint8. From bytes pass image / 255"),
        (lambda x: x.half(), TypeError, r"of the model's type, torch\.float32; got torch\.float16"),
        (lambda x: x.numpy(), TypeError, "torch tensor; got ndarray"),
    ],
)
def test_images_of_another_kind_are_named(idle, train, change, error, words):
    with pytest.raises(error, match=rf"images\[1\] must .*{words}"):
        idle.train(train)([image(), change(image())], [TARGET, TARGET])


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x + 0.3 * noise(),
        lambda x: 0 * x + 0.3 * noise(),
        lambda x: 0 * x + 1 + 0.3 * noise(),
        lambda x: x + 0.7,
        lambda x: x - 0.7,
        lambda x: x * 4,
        lambda x: (x - 0.5) * 2 + 0.5,
        lambda x: 1 - x,
    ],
    ids=["noise", "on black", "on white", "brighter", "darker", "times 4", "contrast", "negative"],
)
def test_what_augmentation_makes_of_an_image_passes(change):
    DetectorTransform()([change(image())])


def noise():
    return torch.randn(3, *SIZE, generator=torch.Generator().manual_seed(1))


def test_an_image_that_is_normalised_is_named_be_it_bright_or_of_low_contrast():
    mean, std = (torch.tensor(each)[:, None, None] for each in (IMAGE_MEAN, IMAGE_STD))
    for colours in (image(), image() ** 0.7, 0.1 + 0.5 * image(), (image() < 0.8).float()):
        with pytest.raises(ValueError, match=r"normalised twice, unless .* image_std="):
            DetectorTransform()([(colours - mean) / std])


def test_bytes_are_named_if_few_pixels_are_not_black():
    sparse = torch.zeros(3, *SIZE)
    sparse[:, 20, 30] = 200
    with pytest.raises(ValueError, match=r"got 0 to 200\. From bytes pass image / 255"):
        DetectorTransform()([sparse])


def test_where_nothing_is_normalised_values_are_any_numbers():
    for images in (image() * 1000, image() * 1e6 - 5e5):
        DetectorTransform(image_mean=[0.0] * 3, image_std=[1.0] * 3)([images])
    for bad in (torch.nan, torch.inf):
        with pytest.raises(ValueError, match="must hold values"):
            DetectorTransform(image_mean=[0.0] * 3, image_std=[1.0] * 3)([image() * bad])


def test_a_little_more_than_white_and_what_another_mean_expects_pass():
    DetectorTransform()([image() * 1.5])
    DetectorTransform(image_mean=(123.7, 116.3, 103.5), image_std=(58.4, 57.1, 57.4))(
        [image() * 255]
    )
    DetectorTransform(image_mean=(0, 0, 0), image_std=(1, 1, 1))([(image() - 0.45) / 0.225])


def test_in_less_than_float32_the_model_or_autocast_says_so(model):
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.train()([image().bfloat16()], [TARGET])
    assert all(loss.isfinite() for loss in losses.values())

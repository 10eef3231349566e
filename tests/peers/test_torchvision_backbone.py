"""Backbone and transform against torchvision: keys, maps, batches, and results mapped back."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FrozenBatchNorm2d as FrozenByTorchvision

from roilearn.models import (
    IMAGE_MEAN,
    IMAGE_STD,
    Backbone,
    DetectorTransform,
    FeaturePyramid,
    FrozenBatchNorm2d,
    resnet18,
    resnet50,
)

MAKERS = {"resnet18": resnet18, "resnet50": resnet50}
NORMS = {
    "learning": (nn.BatchNorm2d, nn.BatchNorm2d),
    "frozen": (FrozenBatchNorm2d, FrozenByTorchvision),
}


def pair(name, norms, layers=5):
    """Our backbone and torchvision's, with one set of weights and unlike statistics."""
    ours_norm, theirs_norm = NORMS[norms]
    torch.manual_seed(0)
    theirs = _resnet_fpn_extractor(models.get_model(name, norm_layer=theirs_norm), layers)
    state = np.random.RandomState(0)
    for key, value in theirs.state_dict().items():
        if key.endswith("running_mean"):
            value.copy_(torch.tensor(state.uniform(-0.2, 0.2, value.shape)))
        elif key.endswith("running_var"):
            value.copy_(torch.tensor(state.uniform(0.5, 2, value.shape)))
    body = MAKERS[name](ours_norm, trainable_layers=layers)
    ours = Backbone(body, FeaturePyramid(body.out_channels))
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("name", MAKERS)
def test_same_keys_and_maps_from_the_same_weights(name, norms):
    ours, theirs = pair(name, norms)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (ours, theirs)]
    assert shapes[0] == shapes[1]
    theirs.load_state_dict(ours.state_dict())
    images = torch.tensor(np.random.RandomState(0).randn(2, 3, 96, 160)).float()
    with torch.no_grad():
        found, expected = ours(images), theirs(images)
    assert list(found) == list(expected)
    for level, maps in expected.items():
        bound = 1e-5 * maps.abs().max()
        assert (found[level] - maps).abs().max() <= bound, level


@pytest.mark.parametrize("layers", [0, 3, 4, 5])
def test_the_same_parameters_are_frozen(layers):
    ours, theirs = pair("resnet18", "learning", layers)
    frozen = [{k for k, p in m.named_parameters() if not p.requires_grad} for m in (ours, theirs)]
    assert frozen[0] == frozen[1]


def scene(height, width, seed, objects=3):
    """An image, boxes, masks and keypoints, all at random."""
    state = np.random.RandomState(seed)
    first = state.uniform(0, 0.5, (objects, 2)) * (width, height)
    boxes = np.hstack([first, first + state.uniform(1, 0.5 * min(height, width), (objects, 2))])
    places, seen = state.uniform(0, width, (objects, 5, 2)), state.randint(0, 3, (objects, 5))
    points = np.dstack([places, seen])
    target = {
        "boxes": torch.tensor(boxes).float(),
        "labels": torch.arange(1, objects + 1),
        "masks": torch.tensor(state.randint(0, 2, (objects, height, width))).byte(),
        "keypoints": torch.tensor(points).float(),
    }
    return torch.tensor(state.rand(3, height, width)).float(), target


SIZES = [
    [(96, 128)],
    [(61, 97), (97, 61)],
    [(37, 200), (64, 64), (150, 151)],
    [(128, 128)],
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("min_size", [128, (96, 113, 128)])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_same_batch_and_targets(sizes, min_size, training):
    scenes = [scene(*size, seed) for seed, size in enumerate(sizes)]
    images, targets = [s[0] for s in scenes], [s[1] for s in scenes]
    options = (min_size, 211, IMAGE_MEAN, IMAGE_STD)
    answers = []
    for transform in (DetectorTransform(*options), GeneralizedRCNNTransform(*options)):
        torch.manual_seed(1)
        answers.append((*transform.train(training)(images, targets), torch.rand(1)))
    (ours, our_targets, our_next), (theirs, their_targets, their_next) = answers
    assert torch.equal(ours.tensors, theirs.tensors)
    assert ours.sizes == theirs.image_sizes
    assert torch.equal(our_next, their_next)  # as many random numbers were drawn
    for our_target, their_target in zip(our_targets, their_targets, strict=True):
        assert our_target.keys() == their_target.keys()
        for name, value in their_target.items():
            assert torch.equal(our_target[name], value), name


def test_every_size_up_to_200_is_resized_to_the_same_one():
    """Parts of a pixel are dropped after a product of floats: the same product on both sides."""
    transform = GeneralizedRCNNTransform(100, 166, IMAGE_MEAN, IMAGE_STD).eval()
    ours = DetectorTransform(100, 166).eval()
    for height in range(20, 200, 7):
        for width in range(20, 200, 11):
            image = torch.zeros(3, height, width)
            assert ours.resize(image, 100).shape == transform.resize(image)[0].shape


@pytest.mark.parametrize("sizes", SIZES)
def test_the_same_way_back(sizes):
    scenes = [scene(*size, seed) for seed, size in enumerate(sizes)]
    options = (128, 211, IMAGE_MEAN, IMAGE_STD)
    ours, theirs = DetectorTransform(*options).eval(), GeneralizedRCNNTransform(*options).eval()
    batch, targets = ours([s[0] for s in scenes], [s[1] for s in scenes])
    masks = torch.tensor(np.random.RandomState(9).rand(3, 1, 28, 28)).float()
    found = [{**target, "masks": masks} for target in targets]
    back = ours.postprocess(found, batch.sizes, sizes)
    expected = theirs.postprocess([dict(f) for f in found], batch.sizes, sizes)
    for our_image, their_image in zip(back, expected, strict=True):
        for name, value in their_image.items():
            assert torch.equal(our_image[name], value), name

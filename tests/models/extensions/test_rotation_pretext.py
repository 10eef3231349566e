"""The pretext task: images turned by quarters, and a body that learns to say by how many."""

import pytest
import torch

from roilearn import models
from roilearn.train import Settings, train


def tiny():
    torch.manual_seed(0)
    return models.faster_rcnn_tiny(4, widths=(8, 16, 16), channels=16, min_size=32)


def brighter_above(count=8):
    """Images whose upper half is bright: a task that can be learned."""
    torch.manual_seed(1)
    images = torch.rand(count, 3, 32, 32) * 0.3
    images[:, :, :16] += 0.6
    return list(images)


def test_an_image_turned_k_quarters_is_read_as_the_turned_image():
    pretext = models.RotationPretext(tiny()).eval()
    (image,) = brighter_above(1)
    turned = pretext.predict([image] * 4, torch.arange(4))
    by_hand = [torch.rot90(image, k, (1, 2)) for k in range(4)]
    plain = pretext.predict(by_hand, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(turned, plain)
    assert not torch.allclose(turned[0], turned[1], atol=1e-6)


def test_the_label_is_how_often_the_image_was_turned():
    pretext = models.RotationPretext(tiny()).eval()
    images, asked = brighter_above(), []
    pretext.predict = lambda _, turns: asked.append(turns) or 20 * torch.eye(4)[turns]
    assert pretext(images)["loss_rotation"].item() == pytest.approx(0, abs=1e-6)
    assert len(set(asked[0].tolist())) > 1


def test_the_body_learns_and_nothing_else_of_the_detector_moves():
    detector = tiny()
    before = {name: value.clone() for name, value in detector.named_parameters()}
    pretext = models.RotationPretext(detector)
    data = [(image, {}) for image in brighter_above(64)]
    train(pretext, data, Settings(steps=40, batch_size=16, ema_decay=0.0, seed=0), progress=False)
    moved = {name for name, value in detector.named_parameters() if not value.equal(before[name])}
    assert moved
    assert all(name.startswith("backbone.body") for name in moved)
    images, turns = brighter_above(64), torch.arange(64) % 4
    with torch.no_grad():
        right = pretext.predict(images, turns).argmax(1) == turns
    assert right.float().mean() > 0.6

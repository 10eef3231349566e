"""The pretext task: pasted rectangles, and a backbone that learns to find them."""

import pytest
import torch

from roilearn import models
from roilearn.models.extensions.cut_paste_pretext import paste_from_next
from roilearn.train import Settings, train


def tiny():
    torch.manual_seed(0)
    return models.faster_rcnn_tiny(4, widths=(8, 16, 16), channels=16, min_size=32)


def grey_images(count=8, size=32):
    """Each image has a grey of its own, so that a rectangle of another one can be seen."""
    torch.manual_seed(1)
    return torch.rand(count, 1, 1, 1).expand(count, 3, size, size) * 0.9 + 0.05


def test_inside_the_rectangle_is_the_next_image_and_outside_its_own():
    images = torch.arange(4.0)[:, None, None, None].expand(4, 3, 40, 40)
    torch.manual_seed(0)
    pasted, regions = paste_from_next(images)
    assert regions.shape == (4, 1, 40, 40)
    for k in range(4):
        inside = regions[k, 0] == 1
        assert pasted[k, :, inside].unique().tolist() == [(k + 1) % 4]
        assert pasted[k, :, ~inside].unique().tolist() == [k]


def test_rectangles_are_whole_of_all_sizes_and_anywhere():
    torch.manual_seed(0)
    _, regions = paste_from_next(torch.zeros(500, 3, 50, 50))
    heights = regions[:, 0].amax(2).sum(1)
    widths = regions[:, 0].amax(1).sum(1)
    torch.testing.assert_close(heights * widths, regions.sum((1, 2, 3)))
    for sides in (heights, widths):
        assert 9 <= sides.min() <= 12
        assert 28 <= sides.max() <= 31
    assert (heights - widths).abs().max() > 10  # not squares
    mean = regions[:, 0].mean(0)
    torch.testing.assert_close(mean, mean.flip(0), atol=0.08, rtol=0)
    torch.testing.assert_close(mean, mean.T, atol=0.08, rtol=0)
    assert regions[:, 0, 0].any()
    assert regions[:, 0, :, -1].any()


def test_the_label_of_a_cell_is_the_share_of_it_that_was_pasted():
    pretext = models.CutPastePretext(tiny()).eval()
    images, seen = grey_images(), []

    def predict(pasted):
        seen.append(pasted)
        differs = (pasted != images).any(1, keepdim=True).float()
        return [torch.logit(differs, 1e-6), torch.logit(differs, 1e-6)[:, :, ::2, ::2]]

    pretext.predict = predict
    loss = pretext(list(images))["loss_pasted"]
    assert len(seen) == 1
    finest, coarse = predict(seen[0])
    shares = torch.nn.functional.avg_pool2d(finest.sigmoid(), 2)
    by_hand = torch.nn.functional.binary_cross_entropy_with_logits(coarse, shares)
    assert loss.item() == pytest.approx(by_hand.item() / 2, rel=1e-3)


def test_the_backbone_learns_and_nothing_else_of_the_detector_moves():
    detector = tiny()
    before = {name: value.clone() for name, value in detector.named_parameters()}
    pretext = models.CutPastePretext(detector)
    data = [(image, {}) for image in grey_images(64)]
    train(pretext, data, Settings(steps=40, batch_size=16, ema_decay=0.0, seed=0), progress=False)
    moved = {name for name, value in detector.named_parameters() if not value.equal(before[name])}
    assert any(name.startswith("backbone.body") for name in moved)
    assert any(name.startswith("backbone.fpn") for name in moved)
    assert all(name.startswith("backbone") for name in moved)
    pasted, regions = paste_from_next(grey_images(64))
    with torch.no_grad():
        logits = pretext.predict(pasted)[0]
    true = torch.nn.functional.adaptive_avg_pool2d(regions, logits.shape[2:]) > 0.5
    right = (logits[true] > 0).float().mean() + (logits[~true] < 0).float().mean()
    assert right / 2 > 0.6


def test_a_grid_for_each_level_of_the_pyramid():
    pretext = models.CutPastePretext(tiny()).eval()
    sides = [tuple(one.shape) for one in pretext.predict(grey_images(2))]
    assert sides == [(2, 1, 8, 8), (2, 1, 4, 4), (2, 1, 2, 2), (2, 1, 1, 1)]

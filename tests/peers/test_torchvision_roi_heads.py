"""The RoI heads against torchvision's: names, initial weights, samples, losses, detections."""

import pytest
import torch
import torchvision
from torchvision.models.detection import faster_rcnn, keypoint_rcnn, mask_rcnn, roi_heads
from torchvision.ops import MultiScaleRoIAlign

from roilearn import models

CLASSES, CHANNELS, POINTS = 5, 8, 3
SIZES = [(96, 128), (128, 80)]
MAPS = ["0", "1", "2", "3"]


def boxes_in(size, count):
    """Boxes of every size and shape, inside an image of (height, width)."""
    first, last = torch.rand(2, count, 2).sort(0).values * torch.tensor([size[1] - 4, size[0] - 4])
    return torch.cat([first, last + 3], 1)


def ground_truth(size, count):
    boxes = boxes_in(size, count)
    masks = torch.nn.functional.interpolate(torch.rand(count, 1, 9, 7), size, mode="bicubic")[:, 0]
    points = boxes[:, None, :2] + torch.rand(count, POINTS, 2) * (
        boxes[:, None, 2:] - boxes[:, None, :2]
    )
    return {
        "boxes": boxes,
        "labels": torch.randint(1, CLASSES, (count,)),
        "masks": (masks > 0.5).byte(),
        "keypoints": torch.cat([points, torch.randint(0, 3, (count, POINTS, 1))], 2),
    }


@pytest.fixture
def scene():
    """(features, proposals, targets) of two images: proposals near objects, and anywhere."""
    torch.manual_seed(0)
    features = {n: torch.randn(2, CHANNELS, 32 // 2**k, 32 // 2**k) for k, n in enumerate(MAPS)}
    targets = [ground_truth(size, 4) for size in SIZES]
    near = [t["boxes"].repeat(20, 1) + 4 * torch.randn(80, 4) for t in targets]
    proposals = [
        torch.cat([image[(image[:, 2:] > image[:, :2] + 1).all(1)], boxes_in(size, 100)])
        for image, size in zip(near, SIZES, strict=True)
    ]
    return features, proposals, targets


def theirs(**options):
    """Their second stage, with masks, and with keypoints if so wished."""
    keypoints = {}
    if options.pop("keypoints", False):
        keypoints = {
            "keypoint_roi_pool": MultiScaleRoIAlign(MAPS, 14, 2),
            "keypoint_head": keypoint_rcnn.KeypointRCNNHeads(CHANNELS, (6, 6)),
            "keypoint_predictor": keypoint_rcnn.KeypointRCNNPredictor(6, POINTS),
        }
    return roi_heads.RoIHeads(
        MultiScaleRoIAlign(MAPS, 7, 2),
        faster_rcnn.TwoMLPHead(CHANNELS * 49, 32),
        faster_rcnn.FastRCNNPredictor(32, CLASSES),
        *(0.5, 0.5, options.get("batch_size_per_image", 512), 0.25, None),
        *(options.get("score_threshold", 0.05), 0.5, options.get("detections_per_image", 100)),
        MultiScaleRoIAlign(MAPS, 14, 2),
        mask_rcnn.MaskRCNNHeads(CHANNELS, (10, 10), 1),
        mask_rcnn.MaskRCNNPredictor(10, 12, CLASSES),
        **keypoints,
    )


def ours(*, keypoints=False, **options):
    heads = models.RoIHeads(
        models.RoIPooler(7),
        models.BoxHead(CHANNELS * 49, 32),
        models.BoxPredictor(32, CLASSES),
        models.RoIPooler(14),
        models.MaskHead(CHANNELS, (10, 10)),
        models.MaskPredictor(10, 12, CLASSES),
        models.HeadOptions(**options),
    )
    if keypoints:
        head = models.KeypointHead(CHANNELS, (6, 6))
        predictor = models.KeypointPredictor(6, POINTS)
        heads = models.KeypointHeads(heads, models.RoIPooler(14), head, predictor)
    return heads


def pair(**options):
    """Both, with the same weights: theirs, made large enough for scores to be spread."""
    torch.manual_seed(1)
    there, here = theirs(**options), ours(**options)
    for name, numbers in there.state_dict().items():
        if name.startswith(("box_predictor", "keypoint_predictor", "mask_predictor")):
            numbers.mul_(4)
    here.load_state_dict(there.state_dict(), strict=True)
    return there, here


def seeded(heads, *arguments):
    torch.manual_seed(3)
    return heads(*arguments)


@pytest.mark.parametrize(
    "parts",
    [
        lambda: (faster_rcnn.TwoMLPHead(12, 6), models.BoxHead(12, 6)),
        lambda: (faster_rcnn.FastRCNNPredictor(6, 4), models.BoxPredictor(6, 4)),
        lambda: (mask_rcnn.MaskRCNNHeads(4, (5, 6), 1), models.MaskHead(4, (5, 6))),
        lambda: (mask_rcnn.MaskRCNNPredictor(4, 5, 3), models.MaskPredictor(4, 5, 3)),
        lambda: (keypoint_rcnn.KeypointRCNNHeads(4, (5, 6)), models.KeypointHead(4, (5, 6))),
        lambda: (keypoint_rcnn.KeypointRCNNPredictor(4, 5), models.KeypointPredictor(4, 5)),
    ],
)
def test_names_of_parameters_and_how_their_first_values_are_spread(parts):
    torch.manual_seed(0)
    there, here = (part.state_dict() for part in parts())
    assert list(here) == list(there)
    for name, numbers in there.items():
        assert here[name].shape == numbers.shape
        if numbers.dim() > 1 and numbers.numel() > 100:
            assert 0.7 < here[name].std() / numbers.std() < 1.4


@pytest.mark.parametrize("batch_size_per_image", [512, 60, 9])
def test_the_same_seed_draws_the_same_proposals(scene, batch_size_per_image):
    _, proposals, targets = scene
    there, here = pair(batch_size_per_image=batch_size_per_image)
    torch.manual_seed(3)
    boxes, index, labels, deltas = there.select_training_samples(proposals, targets)
    torch.manual_seed(3)
    for n, (image, target) in enumerate(zip(proposals, targets, strict=True)):
        found = here.sample_proposals(image, target)
        assert torch.equal(found.boxes, boxes[n])
        assert torch.equal(found.labels, labels[n])
        positive = labels[n] > 0
        assert 0 < positive.sum() < len(positive)
        assert torch.equal(found.matched_idxs[positive], index[n][positive])
        assert torch.equal(found.deltas[positive], deltas[n][positive])
        assert (found.matched_idxs[~positive] == -1).all()
        assert (found.deltas[~positive] == 0).all()


@pytest.mark.parametrize("keypoints", [False, True])
def test_losses_and_their_gradients(scene, keypoints):
    features, proposals, targets = scene
    heads = pair(batch_size_per_image=60, keypoints=keypoints)
    inputs = [{n: f.clone().requires_grad_() for n, f in features.items()} for _ in heads]
    losses = [
        seeded(head.train(), maps, proposals, SIZES, targets)[1]
        for head, maps in zip(heads, inputs, strict=True)
    ]
    assert set(losses[0]) == set(losses[1])
    for name, loss in losses[0].items():
        torch.testing.assert_close(losses[1][name], loss, rtol=1e-6, atol=1e-6)
    for each in losses:
        sum(each.values()).backward()
    for name, numbers in heads[0].named_parameters():
        torch.testing.assert_close(heads[1].get_parameter(name).grad, numbers.grad)
    for name in MAPS[:3]:
        torch.testing.assert_close(inputs[1][name].grad, inputs[0][name].grad)


@pytest.mark.parametrize("keypoints", [False, True])
@torch.no_grad()
def test_detections(scene, keypoints):
    features, proposals, _ = scene
    there, here = pair(score_threshold=0.2, detections_per_image=30, keypoints=keypoints)
    expected = there.eval()(features, proposals, SIZES)[0]
    found, losses = here.eval()(features, proposals, SIZES)
    assert losses == {}
    for image, answer in zip(found, expected, strict=True):
        assert len(answer["boxes"]) == 30
        assert set(image) == set(answer)
        assert torch.equal(image["labels"], answer["labels"])
        for name, numbers in answer.items():
            torch.testing.assert_close(image[name], numbers, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("threshold", [0.05, 0.3])
def test_equal_logits_and_deltas_leave_the_same_boxes_bit_by_bit(scene, threshold):
    _, proposals, _ = scene
    there, _ = pair(score_threshold=threshold)
    rows = sum(map(len, proposals))
    logits, deltas = 2 * torch.randn(rows, CLASSES), 3 * torch.randn(rows, CLASSES, 4)
    boxes, scores, labels = there.postprocess_detections(
        logits, deltas.flatten(1), proposals, SIZES
    )
    found = models.postprocess_detections(logits, deltas, proposals, SIZES, threshold)
    for n, image in enumerate(found):
        assert len(image["boxes"]) == 100
        assert torch.equal(image["boxes"], boxes[n])
        assert torch.equal(image["scores"], scores[n])
        assert torch.equal(image["labels"], labels[n])


def test_mask_targets(scene):
    _, proposals, targets = scene
    boxes, masks = proposals[0][:60], targets[0]["masks"]
    index = torch.arange(60) % len(masks)
    for size in (28, 7):
        expected = roi_heads.project_masks_on_boxes(masks, boxes, index, size)
        found = models.mask_targets(masks, boxes, index, size)
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    rois = torch.cat([index[:, None], boxes], 1)
    aligned = torchvision.ops.roi_align(masks[:, None].float(), rois, 28, aligned=True)[:, 0]
    found = models.mask_targets(masks, boxes, index, 28, aligned=True)
    torch.testing.assert_close(found, aligned, rtol=0, atol=2e-6)


def test_a_batch_without_objects(scene):
    features, proposals, _ = scene
    nothing = [ground_truth(size, 0) for size in SIZES]
    there, here = pair(batch_size_per_image=60)
    expected = seeded(there.train(), features, proposals, SIZES, nothing)[1]
    found = seeded(here.train(), features, proposals, SIZES, nothing)[1]
    for name, loss in expected.items():
        torch.testing.assert_close(found[name], loss, rtol=1e-6, atol=1e-6)
    assert expected["loss_mask"] == expected["loss_box_reg"] == 0


def test_keypoints_at_the_edges_and_outside_of_their_boxes():
    torch.manual_seed(0)
    boxes = torch.tensor([[2.0, 3, 10, 19], [0, 0, 7.3, 5.1]])
    points = torch.rand(2, 400, 3) * torch.tensor([14.0, 22, 2]) - torch.tensor([1.0, 1, 0.5])
    points[:, 0, :2], points[:, 1, :2] = boxes[:, :2], boxes[:, 2:]  # both corners
    points[:, :2, 2] = 1
    expected, valid = roi_heads.keypoints_to_heatmap(points, boxes, 56)
    cells, counts = models.keypoint_targets(points, boxes, 56)
    assert 0.1 < counts.float().mean() < 0.9
    assert counts[:, :2].all()
    assert torch.equal(cells, expected)
    assert torch.equal(counts, valid.bool())


def test_keypoints_read_from_maps():
    torch.manual_seed(0)
    boxes = torch.tensor([[2.2, 3, 10.5, 19], [5, 5, 5.4, 5.2], [0, 0, 60, 9]])
    maps = torch.randn(3, 4, 8, 8)
    places, scores = models.heatmaps_to_keypoints(maps, boxes)
    expected = roi_heads.heatmaps_to_keypoints(maps, boxes)
    torch.testing.assert_close(places, expected[0])
    torch.testing.assert_close(scores, expected[1])

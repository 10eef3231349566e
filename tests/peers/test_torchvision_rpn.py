"""Region proposals against torchvision: anchors, matches, samples, proposals and losses."""

import pytest
import torch
from torchvision.models.detection import _utils, rpn
from torchvision.models.detection.anchor_utils import AnchorGenerator as TheirAnchors
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from roilearn.models import (
    COORDINATES,
    AnchorGenerator,
    ImageBatch,
    RegionProposalNetwork,
    RPNHead,
    match,
    sample,
)

SIZES = (16, 32, 64)
RATIOS = (0.5, 1.0, 2.0)
IMAGES = [(96, 120), (80, 128)]
CELLS = [(24, 32), (12, 16), (6, 8)]


def generators():
    chosen = COORDINATES["torchvision"]
    ours = AnchorGenerator(SIZES, RATIOS, chosen.anchor_offset, chosen.anchor_rounded)
    return ours, TheirAnchors(tuple((size,) for size in SIZES), (RATIOS,) * 3)


def networks(**settings):
    """Our network and theirs with the same weights, spread so that scores differ."""
    names = {
        "fg_iou_thresh": 0.7,
        "bg_iou_thresh": 0.3,
        "batch_size_per_image": 64,
        "positive_fraction": 0.5,
        "pre_nms_top_n": {"training": 200, "testing": 100},
        "post_nms_top_n": {"training": 150, "testing": 50},
        "nms_thresh": 0.7,
        "score_thresh": settings.get("score_threshold", 0.0),
    }
    our_anchors, their_anchors = generators()
    torch.manual_seed(0)
    theirs = rpn.RegionProposalNetwork(their_anchors, rpn.RPNHead(8, 3), **names)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    ours = RegionProposalNetwork(
        our_anchors,
        RPNHead(8, 3),
        batch_size_per_image=64,
        pre_nms_top_n=names["pre_nms_top_n"],
        post_nms_top_n=names["post_nms_top_n"],
        **settings,
    )
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def seen(seed=0):
    torch.manual_seed(seed)
    pixels = torch.zeros(2, 3, 96, 128)
    features = {str(level): torch.randn(2, 8, *cells) for level, cells in enumerate(CELLS)}
    return ImageBatch(pixels, IMAGES), ImageList(pixels, IMAGES), features


def truth(*counts, seed=0):
    generator = torch.Generator().manual_seed(seed)
    targets = []
    for count in counts:
        corner = torch.rand(count, 2, generator=generator) * 60
        side = torch.rand(count, 2, generator=generator) * 50 + 6
        labels = torch.ones(count, dtype=torch.int64)
        targets.append({"boxes": torch.cat([corner, corner + side], 1), "labels": labels})
    return targets


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_anchors(dtype):
    ours, theirs = generators()
    assert ours.num_anchors_per_location() == theirs.num_anchors_per_location()
    maps = [torch.zeros(2, 8, *cells, dtype=dtype) for cells in CELLS]
    found = torch.cat(ours((100, 130), maps))
    for expected in theirs(ImageList(torch.zeros(2, 3, 100, 130), IMAGES), maps):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("depth", [1, 2])
def test_heads_have_the_same_parameters_from_the_same_seed(depth):
    torch.manual_seed(3)
    theirs = rpn.RPNHead(8, 3, depth)
    torch.manual_seed(3)
    ours = RPNHead(8, 3, depth)
    expected, found = theirs.state_dict(), ours.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_heads_give_the_same_answers():
    ours, theirs = networks()
    features = list(seen()[2].values())
    objectness, deltas = ours.head(features)
    expected = rpn.concat_box_prediction_layers(*theirs.head(features))
    assert torch.equal(torch.cat(objectness, 1).reshape(-1, 1), expected[0])
    assert torch.equal(torch.cat(deltas, 1).reshape(-1, 4), expected[1])


def test_weights_from_before_there_could_be_several_convolutions():
    weights = rpn.RPNHead(8, 3).state_dict()
    old = {key.replace("conv.0.0.", "conv."): value for key, value in weights.items()}
    old = {f"head.{key}": value for key, value in old.items()}
    assert "head.conv.weight" in old
    ours = networks()[0]
    ours.load_state_dict(old)
    assert torch.equal(ours.head.conv[0][0].weight, weights["conv.0.0.weight"])
    assert "head.conv.weight" in old  # the caller's own is left as it was


@pytest.mark.parametrize("allow", [True, False])
@pytest.mark.parametrize("thresholds", [(0.7, 0.3), (0.5, 0.5)])
def test_matches_with_ties(thresholds, allow):
    theirs = _utils.Matcher(*thresholds, allow)
    torch.manual_seed(0)
    tables = [torch.randint(0, 11, (6, 40)) / 10, torch.rand(5, 300)]
    anchors = torch.cat(generators()[0]((96, 128), list(seen()[2].values())))
    tables += [box_iou(target["boxes"], anchors) for target in truth(1, 4, 9)]
    tables.append(box_iou(torch.tensor([[20.0, 20, 52, 52], [8, 8, 40, 40]]), anchors))  # many ties
    for iou in tables:
        assert torch.equal(match(iou, *thresholds, allow), theirs(iou))


def test_a_box_that_meets_no_anchor_takes_all_that_do_not_touch_it():
    for iou in (torch.zeros(1, 5), torch.tensor([[0.0] * 4, [0.8, 0.1, 0.35, 0.0]])):
        assert torch.equal(match(iou, 0.7, 0.3), _utils.Matcher(0.7, 0.3, True)(iou))


@pytest.mark.parametrize(("size", "fraction"), [(16, 0.25), (64, 0.5), (7, 0.3), (512, 0.25)])
def test_samples_of_one_seed(size, fraction):
    torch.manual_seed(0)
    labels = [torch.randint(-1, 2, (count,)) for count in (300, 20, 0)]
    labels += [torch.zeros(40), torch.ones(40), -torch.ones(40)]
    torch.manual_seed(7)
    expected = _utils.BalancedPositiveNegativeSampler(size, fraction)(labels)
    torch.manual_seed(7)
    for each, positive, negative in zip(labels, *expected, strict=True):
        found = sample(each, size, fraction)
        assert torch.equal(found[0], positive.nonzero()[:, 0])
        assert torch.equal(found[1], negative.nonzero()[:, 0])


@pytest.mark.parametrize("score_threshold", [0.0, 0.6])
@pytest.mark.parametrize("seed", range(4))
def test_proposals(seed, score_threshold):
    ours, theirs = networks(score_threshold=score_threshold)
    batch, images, features = seen(seed)
    found, losses = ours.eval()(batch, features)
    expected, _ = theirs.eval()(images, features)
    assert losses == {}
    for boxes, their_boxes in zip(found, expected, strict=True):
        assert len(boxes) > 10
        torch.testing.assert_close(boxes, their_boxes, rtol=0, atol=1e-4)


@pytest.mark.parametrize("counts", [(3, 5), (1, 0), (0, 0), (20, 12)])
def test_training_proposals_losses_and_gradients(counts):
    ours, theirs = networks()
    batch, images, features = seen()
    targets = truth(*counts)
    results = []
    for network, given in ((ours, batch), (theirs, images)):
        torch.manual_seed(11)
        boxes, losses = network(given, features, targets)
        sum(losses.values()).backward()
        results.append((boxes, losses))
    (found, losses), (expected, their_losses) = results
    for boxes, their_boxes in zip(found, expected, strict=True):
        torch.testing.assert_close(boxes, their_boxes, rtol=0, atol=1e-4)
    assert list(losses) == list(their_losses)
    for name, loss in losses.items():
        torch.testing.assert_close(loss, their_losses[name], rtol=1e-6, atol=1e-6)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6)


def test_a_crowd_is_an_object_to_torchvision():
    ours, theirs = networks()
    batch, images, features = seen()
    targets = [{**target, "iscrowd": torch.ones_like(target["labels"])} for target in truth(2, 3)]
    assert ours(batch, features, targets)[1]["loss_rpn_box_reg"] == 0
    assert theirs(images, features, targets)[1]["loss_rpn_box_reg"] > 0

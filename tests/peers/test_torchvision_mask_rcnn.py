"""The whole Mask R-CNN against torchvision's: state dict, detections, losses and weights."""

import copy

import pytest
import torch
import torchvision
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.misc import FrozenBatchNorm2d

from roilearn.bench.detectors.mask_rcnn import (
    detect,
    make_image,
    matched_fraction,
    standardise_outputs,
)
from roilearn.models import fold_normalisation, mask_rcnn_resnet50_fpn

SMALL = {"min_size": 96, "max_size": 160}
THEIR_FEW = {"rpn_post_nms_top_n_test": 200, "box_detections_per_img": 20, **SMALL}
FEW = {
    "rpn_options": {"post_nms_top_n": {"training": 2000, "testing": 200}},
    "detections_per_image": 20,
    **SMALL,
}
SIZES = {
    "wide": [(96, 128)],
    "enlarged": [(61, 40)],
    "batch": [(96, 128), (120, 90)],
}
SEEDS = {"wide": 1, "enlarged": 3, "batch": 4}
FROM_TORCHVISION = torchvision.models.detection.maskrcnn_resnet50_fpn


def images_of(name):
    return [make_image(*size, seed=SEEDS[name] + 10 * k) for k, size in enumerate(SIZES[name])]


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    model = FROM_TORCHVISION(weights=None, weights_backbone=None, **THEIR_FEW).eval()
    standardise_outputs(model, images_of("wide"))
    return model


def as_theirs(weights, **options):
    """Make our model with its numbers in the order that theirs has them, to round as it does."""
    model = mask_rcnn_resnet50_fpn(weights, **options, **FEW).eval()
    model.transform.memory_format = torch.contiguous_format
    return model


@pytest.fixture(scope="module")
def ours(theirs):
    return as_theirs(theirs.state_dict(), frozen_batch_norm=False)


@pytest.fixture(scope="module")
def frozen(theirs):
    return as_theirs(theirs.state_dict())


def test_names_are_the_same_and_load_both_ways(theirs, ours, frozen):
    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d
    )
    theirs_frozen = torchvision.models.detection.MaskRCNN(backbone, 91)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert set(frozen.state_dict()) == set(theirs_frozen.state_dict())
    assert (len(ours.state_dict()), len(frozen.state_dict())) == (360, 307)
    for one in (theirs, theirs_frozen):
        for other in (ours, frozen):
            other.load_state_dict(one.state_dict())
    theirs_frozen.load_state_dict(frozen.state_dict())
    theirs_frozen.load_state_dict(ours.state_dict())
    for model in (ours, frozen):
        theirs.load_state_dict(model.state_dict())
        model.load_state_dict(theirs.state_dict())


def test_a_new_model_begins_with_numbers_and_weights_like_theirs():
    theirs, ours = FROM_TORCHVISION(weights=None, weights_backbone=None), mask_rcnn_resnet50_fpn()
    assert ours.transform.min_size == theirs.transform.min_size
    assert ours.transform.max_size == theirs.transform.max_size
    assert ours.rpn.pre_nms_top_n == theirs.rpn._pre_nms_top_n
    assert ours.rpn.post_nms_top_n == theirs.rpn._post_nms_top_n
    assert ours.roi_heads.options.detections_per_image == theirs.roi_heads.detections_per_img
    assert ours.roi_heads.options.score_threshold == theirs.roi_heads.score_thresh
    assert ours.roi_heads.options.nms_threshold == theirs.roi_heads.nms_thresh
    theirs, ours = theirs.state_dict(), ours.state_dict()
    for name, value in theirs.items():
        if value.numel() >= 1000:
            spread = value.std().item()
            assert ours[name].std().item() == pytest.approx(spread, rel=0.1, abs=1e-6), name


@pytest.mark.parametrize("name", SIZES)
def test_detections_are_the_same(theirs, ours, frozen, name):
    images = images_of(name)
    expected = detect(theirs, images)
    assert [len(each["boxes"]) for each in expected] == [20] * len(images)
    for model in (ours, frozen) if name == "wide" else (ours,):
        for one, other in zip(expected, detect(model, images), strict=True):
            assert one.keys() == other.keys()
            assert torch.equal(one["labels"], other["labels"])
            for key, within in (("boxes", 1e-3), ("scores", 1e-4), ("masks", 1e-4)):
                assert one[key].shape == other[key].shape
                assert one[key].dtype == other[key].dtype
                torch.testing.assert_close(one[key], other[key], rtol=0, atol=within)


def test_with_colours_side_by_side_only_rounding_differs(theirs, ours, monkeypatch):
    monkeypatch.setattr(ours.transform, "memory_format", torch.channels_last)
    images = images_of("wide")
    for one, other in zip(detect(theirs, images), detect(ours, images), strict=True):
        assert torch.equal(one["labels"], other["labels"])
        torch.testing.assert_close(one["boxes"], other["boxes"], rtol=0, atol=0.01)


def test_folded_features_and_answers_are_the_same_to_rounding(theirs, frozen):
    images = images_of("batch")
    folded = fold_normalisation(frozen)
    assert not any("running" in name for name in folded.state_dict())
    with torch.inference_mode():
        batch, _ = frozen.transform(images)
        plain, fast = frozen.backbone(batch.tensors), folded.backbone(batch.tensors)
        pairs = list(zip(plain.values(), fast.values(), strict=True))
        for answers in zip(
            frozen.rpn.head(list(plain.values())), folded.rpn.head(list(fast.values())), strict=True
        ):
            pairs += list(zip(*answers, strict=True))  # fmt: skip
        for one, other in pairs:
            assert (one - other).abs().max() <= 1e-4 * one.abs().max()
    for one, other in zip(detect(theirs, images), detect(folded, images), strict=True):
        assert matched_fraction(one, other) >= 0.98


def make_targets(images):
    random = torch.Generator().manual_seed(5)
    targets = []
    for image in images:
        height, width = image.shape[1:]
        first = torch.rand(4, 2, generator=random) * torch.tensor([width, height]) * 0.5
        sides = 12 + torch.rand(4, 2, generator=random) * torch.tensor([width, height]) * 0.3
        boxes = torch.cat([first, first + sides], 1)
        rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
        middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, sides / 2
        x = (columns - middle[:, :1]) / half[:, :1]
        y = (rows - middle[:, 1:]) / half[:, 1:]
        masks = (x[:, None].square() + y[:, :, None].square() < 1).byte()  # ellipses
        targets.append({"boxes": boxes, "labels": torch.tensor([1, 17, 90, 3]), "masks": masks})
    return targets


@pytest.mark.parametrize("norm", ["learning", "frozen"])
def test_losses_of_the_same_sampled_boxes_are_the_same(theirs, ours, frozen, norm):
    """In double precision: in single, rounding may exchange two proposals that are nearly equal."""
    images = [image.double() for image in images_of("batch")]
    targets, results = make_targets(images), []
    for model in copy.deepcopy((theirs, ours if norm == "learning" else frozen)):
        model.double().train()
        if norm == "frozen":
            model.backbone.eval()  # fixed statistics on both sides
        torch.manual_seed(7)
        losses = model(images, targets)
        head, mask = (
            model.get_submodule(f"roi_heads.{name}").weight
            for name in ("box_predictor.cls_score", "mask_predictor.mask_fcn_logits")
        )
        gradients = torch.autograd.grad(sum(losses.values()), [head, mask])
        results.append((losses, gradients, torch.rand(1)))
    (losses, gradients, drawn), (our_losses, our_gradients, our_drawn) = results
    assert list(losses) == list(our_losses)
    for name, loss in losses.items():
        torch.testing.assert_close(our_losses[name], loss, rtol=1e-5, atol=1e-6, check_dtype=False)
    for one, other in zip(gradients, our_gradients, strict=True):
        assert (one - other).abs().max() <= 1e-3 * one.abs().max()
    assert drawn == our_drawn  # as many random numbers, in the same order


OLD_NAMES = (
    ("fpn.inner_blocks.{}.0.", "fpn.inner_blocks.{}."),
    ("fpn.layer_blocks.{}.0.", "fpn.layer_blocks.{}."),
    ("rpn.head.conv.{}.0.", "rpn.head.conv."),
)


def old_name(name):
    """Name of a parameter in torchvision's own file, which is older than its models."""
    for number in range(4):
        for now, then in OLD_NAMES:
            name = name.replace(now.format(number), then.format(number))
        name = name.replace(f"mask_head.{number}.0.", f"mask_head.mask_fcn{number + 1}.")
    return name


def test_coco_weights_go_the_way_they_go_in_torchvision(theirs, monkeypatch, tmp_path):
    """A file in the place of torchvision's, under the old names: both read it and detect alike."""
    file = tmp_path / "checkpoints" / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
    file.parent.mkdir()
    state = {old_name(name): value for name, value in theirs.state_dict().items()}
    assert len(state.keys() - theirs.state_dict().keys()) == 26
    torch.save(state, file)
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path))
    one = FROM_TORCHVISION(weights="COCO_V1", **THEIR_FEW).eval()
    other = as_theirs("COCO_V1")
    assert {m.eps for m in other.modules() if hasattr(m, "running_var")} == {0.0}
    trained = [{name for name, p in m.named_parameters() if p.requires_grad} for m in (one, other)]
    assert trained[0] == trained[1]
    images = images_of("enlarged")
    for expected, found in zip(detect(one, images), detect(other, images), strict=True):
        assert torch.equal(expected["labels"], found["labels"])
        torch.testing.assert_close(expected["boxes"], found["boxes"], rtol=0, atol=1e-3)
        torch.testing.assert_close(expected["masks"], found["masks"], rtol=0, atol=1e-4)
    fine_tuned = mask_rcnn_resnet50_fpn("COCO_V1", num_classes=4, **SMALL)
    assert fine_tuned.roi_heads.box_predictor.cls_score.out_features == 4

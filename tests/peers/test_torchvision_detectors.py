"""torchvision's detectors by their own names: every keyword, state dicts, losses, detections."""

import inspect
from enum import Enum

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import detection as theirs

from roilearn import ops
from roilearn.bench.detectors.mask_rcnn import detect, make_image, standardise_outputs
from roilearn.models import detection as ours
from roilearn.models.rcnn.faster_rcnn import parameter_names

OPS = {theirs: torchvision.ops, ours: ops}
CLASSES = ("FasterRCNN", "MaskRCNN", "KeypointRCNN")
BUILDERS = (
    "fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2", "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2",
)  # fmt: skip
RANDOM = {"weights": None, "weights_backbone": None}
SMALL = {
    "min_size": 96, "max_size": 160, "rpn_post_nms_top_n_test": 200, "box_detections_per_img": 20,
}  # fmt: skip
CHANGED = {
    "min_size": (48, 80), "max_size": 96, "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.3, 0.25], "rpn_pre_nms_top_n_train": 60, "rpn_pre_nms_top_n_test": 50,
    "rpn_post_nms_top_n_train": 40, "rpn_post_nms_top_n_test": 30, "rpn_nms_thresh": 0.6,
    "rpn_fg_iou_thresh": 0.5, "rpn_bg_iou_thresh": 0.2, "rpn_batch_size_per_image": 40,
    "rpn_positive_fraction": 0.03, "rpn_score_thresh": 0.3, "box_score_thresh": 0.2,
    "box_nms_thresh": 0.4, "box_detections_per_img": 9, "box_fg_iou_thresh": 0.6,
    "box_bg_iou_thresh": 0.3, "box_batch_size_per_image": 16, "box_positive_fraction": 0.06,
    "bbox_reg_weights": (9.0, 8.0, 4.0, 3.0), "size_divisible": 8,
}  # fmt: skip
UNPADDED = {
    "min_size": 96,
    "max_size": 128,
    "box_batch_size_per_image": 20,
    "box_detections_per_img": 12,
}
"""Few boxes, and sizes without padding: equal features there would have equal scores."""
PARTS = {
    "backbone", "num_classes", "rpn_anchor_generator", "rpn_head", "box_roi_pool", "box_head",
    "box_predictor", "kwargs",
}  # fmt: skip


class Pyramid(nn.Module):
    """A backbone of torchvision's kind: one number of channels, maps by name."""

    out_channels = 8

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 8, 8), nn.Conv2d(8, 8, 2, 2)

    def forward(self, images):
        fine = self.first(images).relu()
        return {"0": fine, "1": self.second(fine).relu()}


def defaults(function):
    """Defaults by name; a member of an enumeration by its own name."""
    return {
        name: each.default.name if isinstance(each.default, Enum) else each.default
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is not each.VAR_KEYWORD
    }


@pytest.mark.parametrize("name", [*CLASSES, *BUILDERS])
def test_every_keyword_is_there(name):
    asked = set(inspect.signature(getattr(theirs, name)).parameters) - {"kwargs"}
    assert asked <= {*parameter_names(getattr(ours, name))}


@pytest.mark.parametrize("name", ["FasterRCNN", *BUILDERS])
def test_defaults_are_the_same(name):
    asked, taken = defaults(getattr(theirs, name)), defaults(getattr(ours, name))
    assert asked.items() <= taken.items()


def test_every_number_among_the_keywords_is_tried_with_another_value():
    assert CHANGED.keys() | PARTS == {*inspect.signature(theirs.FasterRCNN).parameters} | {
        "size_divisible"
    }


def small_detector(library, kind="FasterRCNN", classes=4, **options):
    """One that differs from its defaults in every number."""
    anchors = library.anchor_utils.AnchorGenerator(((24, 40), (48, 80)), ((0.5, 1.0), (1.0, 2.0)))
    pool = OPS[library].MultiScaleRoIAlign(["0", "1"], 5, 2)
    torch.manual_seed(2)
    parts = {"rpn_anchor_generator": anchors, "box_roi_pool": pool}
    return getattr(library, kind)(Pyramid(), classes, **parts, **options).double()


def image_and_target(seed):
    image = make_image(96, 128, seed).double()
    boxes = torch.tensor([[8.0, 8, 60, 50], [50, 20, 120, 90], [3, 60, 40, 92]]).double()
    masks = torch.zeros(3, 96, 128, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
    points = torch.cat([boxes[:, :2].float() + 5, torch.ones(3, 1)], 1)[:, None].repeat(1, 17, 1)
    labels = torch.tensor([1, 1, 1])
    return image, {"boxes": boxes, "labels": labels, "masks": masks, "keypoints": points}


def losses_of(model, images, targets):
    torch.manual_seed(7)
    return model.train()(images, [dict(target) for target in targets])


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        within = {"rtol": 1e-4, "atol": 1e-3 if key in ("boxes", "keypoints") else 1e-4}
        torch.testing.assert_close(found[key], values, check_dtype=False, **within)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("options", [UNPADDED, CHANGED], ids=["defaults", "changed"])
def test_every_keyword_means_the_same(kind, options):
    models = [small_detector(library, kind, **options) for library in (theirs, ours)]
    images, targets = zip(image_and_target(1), image_and_target(2), strict=True)
    standardise_outputs(models[0].eval(), list(images))
    models[1].load_state_dict(models[0].state_dict())
    results = [losses_of(model, list(images), targets) for model in models]
    assert_close(results[1], results[0])
    found = [detect(model.eval(), list(images)) for model in models]
    for one, other in zip(*found, strict=True):
        assert 0 < len(one["boxes"]) <= options.get("box_detections_per_img", 100)
        assert_close(other, one)


def test_each_changed_number_changes_what_comes_out():
    """So the equality above says something of each of them."""
    images, targets = zip(image_and_target(1), image_and_target(2), strict=True)

    def result(**options):
        model = small_detector(ours, **options)
        standardise_outputs(model.eval(), list(images))
        losses = losses_of(model, list(images), targets)
        found = detect(model.eval(), list(images))
        tensors = [*losses.values(), *(v for image in found for v in image.values())]
        return [round(float(v.detach().double().sum()), 6) for v in tensors]

    limits = [name for name in CHANGED if "top_n" in name] + ["rpn_batch_size_per_image"]
    few = UNPADDED | {name: CHANGED[name] for name in limits}
    plain = result(**few)
    strict = {"rpn_score_thresh": 0.99, "box_score_thresh": 0.9, "size_divisible": 64}
    for name, value in {**CHANGED, **strict}.items():
        changed = {**few, name: 20 if name in limits else value}
        assert result(**changed) != plain, name


@pytest.mark.parametrize("name", BUILDERS)
def test_state_dicts_load_and_detections_are_equal(name):
    torch.manual_seed(0)
    # In single precision a score can be another in its last place, and then NMS keeps another box.
    expected = getattr(theirs, name)(**RANDOM, **SMALL).eval().double()
    images = [make_image(96, 128).double(), make_image(120, 90, 14).double()]
    standardise_outputs(expected, images)
    found = getattr(ours, name)(**RANDOM, **SMALL).eval().double()
    assert list(found.state_dict()) == list(expected.state_dict())
    found.load_state_dict(expected.state_dict())
    found.transform.memory_format = torch.contiguous_format
    for one, other in zip(detect(expected, images), detect(found, images), strict=True):
        assert len(one["boxes"]) == 20
        assert torch.equal(one["labels"], other["labels"])
        assert_close(other, one)


@pytest.mark.parametrize("name", ["score_thresh", "nms_thresh", "detections_per_img"])
def test_settings_of_the_heads_can_be_changed_later(name):
    value = {"score_thresh": 0.9, "nms_thresh": 0.1, "detections_per_img": 3}[name]
    few = UNPADDED | {"box_detections_per_img": 60}
    models = [small_detector(library, **few) for library in (theirs, ours)]
    standardise_outputs(models[0].eval(), [make_image(96, 128).double()])
    models[1].load_state_dict(models[0].state_dict())
    before = detect(models[1].eval(), [make_image(96, 128).double()])
    for model in models:
        assert getattr(model.roi_heads, name) != value
        setattr(model.roi_heads, name, value)
    found = [detect(model, [make_image(96, 128).double()])[0] for model in models]
    assert_close(found[1], found[0])
    assert not torch.equal(found[1]["scores"], before[0]["scores"])


def test_parts_of_torchvisions_kind_do_their_work_in_ours():
    """Its predictors give (K, 4 * C) deltas and masks of all classes, its RPN head gives maps."""
    pieces = {
        "rpn_head": theirs.rpn.RPNHead(8, 4),
        "box_head": theirs.faster_rcnn.TwoMLPHead(8 * 25, 16),
        "box_predictor": theirs.faster_rcnn.FastRCNNPredictor(16, 4),
        "mask_head": theirs.mask_rcnn.MaskRCNNHeads(8, (6,), 1),
        "mask_predictor": theirs.mask_rcnn.MaskRCNNPredictor(6, 6, 4),
    }
    pieces |= UNPADDED
    models = [small_detector(library, "MaskRCNN", None, **pieces) for library in (theirs, ours)]
    image, target = image_and_target(1)
    standardise_outputs(models[0].eval(), [image])
    models[1].backbone = models[0].backbone
    results = [losses_of(model, [image], [target]) for model in models]
    assert_close(results[1], results[0])
    found = [detect(model.eval(), [image])[0] for model in models]
    assert len(found[0]["boxes"]) > 0
    assert_close(found[1], found[0])


def test_parts_that_are_refused():
    with pytest.raises(TypeError, match=r"rpn_anchor_generator must be .*roilearn\.models"):
        ours.FasterRCNN(Pyramid(), 2, rpn_anchor_generator=theirs.rpn.AnchorGenerator())
    with pytest.raises(ValueError, match=r"num_classes must be given, or box_predictor.*neither"):
        ours.FasterRCNN(Pyramid())
    predictor = ours.faster_rcnn.FastRCNNPredictor(1024, 2)
    with pytest.raises(ValueError, match="got both, num_classes=2"):
        ours.FasterRCNN(Pyramid(), 2, box_predictor=predictor)
    with pytest.raises(TypeError, match=r"backbone must have out_channels.*Flatten with None"):
        ours.FasterRCNN(nn.Flatten(), 2)


@pytest.mark.parametrize("name", CLASSES)
def test_an_option_that_nobody_knows_is_named_with_those_near_it(name):
    with pytest.raises(TypeError, match=rf"box_score_tresh .* {name}, .*Near it are box_score_thr"):
        getattr(ours, name)(Pyramid(), 2, box_score_tresh=0.5)
    with pytest.raises(TypeError, match=r"rpn_nms_tresh .*Near it (is|are) rpn_nms_thresh"):
        ours.maskrcnn_resnet50_fpn(**RANDOM, rpn_nms_tresh=0.5)
    with pytest.raises(TypeError, match=r"trainable_layers .*Near it .*trainable_backbone_layers"):
        ours.fasterrcnn_resnet50_fpn(**RANDOM, trainable_layers=2)

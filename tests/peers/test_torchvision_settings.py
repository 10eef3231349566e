"""What torchvision's programs set on a finished detector: it works here too, or it is refused."""

import copy
import pickle

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import detection as theirs
from torchvision.models.detection import _utils

import roilearn.models
from roilearn import ops
from roilearn.bench.detectors.mask_rcnn import detect, make_image, standardise_outputs
from roilearn.models import detection as ours

OPS = {theirs: torchvision.ops, ours: ops}
PARTS = ("rpn", "roi_heads", "transform")
FEW = {"training": 7, "testing": 5}
DETECTION = {
    "rpn": {
        "score_thresh": 0.6, "nms_thresh": 0.2, "min_size": 30.0, "_pre_nms_top_n": FEW,
        "_post_nms_top_n": FEW,
    },
    "roi_heads": {"score_thresh": 0.95, "nms_thresh": 0.1, "detections_per_img": 3},
    "transform": {
        "min_size": (64,), "max_size": 100, "image_mean": [0.3, 0.2, 0.1],
        "image_std": [0.3, 0.3, 0.4], "fixed_size": (112, 80), "size_divisible": 64,
    },
}  # fmt: skip
"""Numbers of torchvision's three parts that are read when they are used, and other values."""
MODULES = {
    "rpn": {"anchor_generator", "head"},
    "roi_heads": {
        f"{kind}_{part}" for kind in ("box", "mask") for part in ("roi_pool", "head", "predictor")
    },
    "transform": set(),
}
"""Submodules: exchanged by assignment in both libraries."""
METHODS = {
    "rpn": {"pre_nms_top_n": lambda: 5, "post_nms_top_n": lambda: 5},
    "roi_heads": {},
    "transform": {
        "resize": lambda image, target: (image, target),
        "postprocess": lambda result, *sizes: [*result, *sizes[2:]],
    },
}
"""Names of methods there that mean something here too, and what torchvision would take for them."""
NUMBERS = [(part, name) for part, values in DETECTION.items() for name in values]


def detector(library, **options):
    """One with a finer and a coarser anchor at each cell of one map."""
    torch.manual_seed(2)
    backbone = nn.Conv2d(3, 8, 16, 16)
    anchors = library.anchor_utils.AnchorGenerator(((24, 48),), ((0.5, 1.0),))
    pool = OPS[library].MultiScaleRoIAlign(["0"], 5, 2)
    options = {"min_size": 96, "max_size": 128, "box_detections_per_img": 40} | options
    return library.FasterRCNN(
        backbone, 4, rpn_anchor_generator=anchors, box_roi_pool=pool, **options
    )


def pair():
    """One of each library, with the same weights."""
    models = [detector(theirs), detector(ours)]
    standardise_outputs(models[0].eval(), [make_image(96, 128)])
    models[1].load_state_dict(models[0].state_dict())
    return models


def found_and_losses(model):
    """Detections of an image and losses of another one."""
    found = detect(model.eval(), [make_image(96, 128)])[0]
    torch.manual_seed(7)
    target = {
        "boxes": torch.tensor([[8.0, 8, 60, 50], [50, 20, 120, 90]]),
        "labels": torch.tensor([1, 2]),
    }
    return found, model.train()([make_image(96, 128, 3)], [target])


def assert_alike(results):
    for one, other in zip(*results, strict=True):
        assert one.keys() == other.keys()
        for key, values in one.items():
            torch.testing.assert_close(other[key], values, rtol=1e-4, atol=1e-3)


def own_attributes(module):
    """Names that torchvision gives a part beyond those of every module."""
    names = {*dir(module), *vars(module)} - {*dir(nn.Module()), *vars(nn.Module())}
    return {name for name in names if not name.startswith("__")}


@pytest.mark.parametrize(("part", "name"), NUMBERS)
def test_a_number_that_is_set_later_means_the_same(part, name):
    models, value = pair(), DETECTION[part][name]
    before = found_and_losses(models[1])
    for model in models:
        assert getattr(getattr(model, part), name) != value
        setattr(getattr(model, part), name, copy.copy(value))
        assert getattr(getattr(model, part), name) == value
    results = [found_and_losses(model) for model in models]
    assert_alike(results)
    numbers = [[*found.values(), *losses.values()] for found, losses in (before, results[1])]
    changed = [a.shape != b.shape or not torch.equal(a, b) for a, b in zip(*numbers, strict=True)]
    assert any(changed)


@pytest.mark.parametrize("part", PARTS)
def test_no_attribute_of_torchvisions_parts_is_ignored_in_silence(part):
    them, us = (getattr(detector(library), part) for library in (theirs, ours))
    taken = DETECTION[part].keys() | MODULES[part] | METHODS[part].keys()
    names = own_attributes(them)
    assert taken <= names
    for name in taken:
        assert hasattr(us, name), name
    for name in names - taken:
        with pytest.raises(AttributeError, match=rf"no {name}, and would ignore it\. \w+"):
            setattr(us, name, None)
        with pytest.raises(AttributeError, match=rf"no {name}, and would ignore it"):
            getattr(us, name)
        assert not hasattr(us, name)


@pytest.mark.parametrize("name", ["pre_nms_top_n", "post_nms_top_n", "resize"])
def test_a_method_of_another_form_here_raises_when_it_is_used(name):
    part = "transform" if name == "resize" else "rpn"
    model = detector(ours)
    setattr(getattr(model, part), name, METHODS[part][name])
    with pytest.raises((TypeError, AttributeError)):
        found_and_losses(model)


def test_postprocess_may_be_replaced():
    models = pair()
    for model in models:
        model.transform.min_size = (48,)
        model.transform.postprocess = METHODS["transform"]["postprocess"]
    assert_alike([found_and_losses(model) for model in models])


def test_what_is_refused_names_what_works():
    theirs_too, model = pair()
    with pytest.raises(AttributeError, match="Set batch_size_per_image and positive_fraction"):
        model.rpn.fg_bg_sampler = _utils.BalancedPositiveNegativeSampler(12, 0.25)
    with pytest.raises(AttributeError, match="Set positive_iou and negative_iou"):
        model.rpn.proposal_matcher = _utils.Matcher(0.5, 0.2, allow_low_quality_matches=True)
    with pytest.raises(AttributeError, match=r"dataclasses\.replace.*batch_size_per_image=\.\.\."):
        model.roi_heads.fg_bg_sampler = _utils.BalancedPositiveNegativeSampler(12, 0.25)
    rpn = theirs_too.rpn
    rpn.fg_bg_sampler = _utils.BalancedPositiveNegativeSampler(12, 0.25)
    rpn.proposal_matcher = _utils.Matcher(0.5, 0.2, allow_low_quality_matches=True)
    model.rpn.batch_size_per_image, model.rpn.positive_fraction = 12, 0.25
    model.rpn.positive_iou, model.rpn.negative_iou = 0.5, 0.2
    assert_alike([found_and_losses(each) for each in (theirs_too, model)])


def test_a_copy_keeps_its_own_settings():
    model = detector(ours)
    model.rpn.nms_thresh = 0.25
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        again.rpn.nms_thresh = 0.75
        again.transform.fixed_size = (64, 64)
    shallow = copy.copy(model.rpn)
    shallow.nms_thresh = 0.5
    assert model.rpn.nms_thresh == 0.25
    assert model.transform.fixed_size is None


def test_keypoint_heads_may_be_exchanged_where_there_are_any():
    with pytest.raises(AttributeError, match="Build a KeypointRCNN"):
        detector(ours).roi_heads.keypoint_head = nn.Identity()
    model = ours.KeypointRCNN(detector(ours).backbone, 2)
    model.roi_heads.keypoint_head = nn.Identity()
    assert isinstance(model.roi_heads.keypoint_head, nn.Identity)


def test_a_fixed_size_is_an_option_too():
    models = [detector(library, fixed_size=(112, 80)) for library in (theirs, ours)]
    images = [torch.rand(3, 50, 90)]
    batches = [model.transform.eval()(images)[0].tensors for model in models]
    assert batches[1].shape == (1, 3, 96, 128)
    torch.testing.assert_close(batches[1], batches[0], rtol=1e-5, atol=1e-5)
    assert detector(ours, fixed_size=[112, 80]).transform.fixed_size == (112, 80)  # as JSON has it
    with pytest.raises(ValueError, match="fixed_size must be at least 1"):
        detector(ours, fixed_size=(0, 80))
    for wrong in (112, (112, 80, 3), "80", {"width": 112, "height": 80}):
        with pytest.raises(ValueError, match=r"fixed_size must be a pair \(width, height\)"):
            detector(ours, fixed_size=wrong)


OTHER = (((16, 32),), ((1.0, 2.0),))


def anchors_of(model):
    maps = [torch.zeros(1, 8, 4, 6)]
    return model.rpn.anchor_generator((64, 96), maps)[0]


def expected_anchors(sizes, ratios):
    image = theirs.image_list.ImageList(torch.zeros(1, 3, 64, 96), [(64, 96)])
    return theirs.anchor_utils.AnchorGenerator(sizes, ratios)(image, [torch.zeros(1, 8, 4, 6)])[0]


@pytest.mark.parametrize("module", [ours.anchor_utils, ours.rpn, ours.faster_rcnn])
def test_a_generator_of_torchvisions_path_has_its_anchors_wherever_it_is_put(module):
    alone = module.AnchorGenerator(*OTHER)
    assert torch.equal(alone((64, 96), [torch.zeros(1, 8, 4, 6)])[0], expected_anchors(*OTHER))
    passed = ours.FasterRCNN(
        detector(ours).backbone, 2, rpn_anchor_generator=module.AnchorGenerator(*OTHER)
    )
    assert torch.equal(anchors_of(passed), expected_anchors(*OTHER))
    for coordinates in ("torchvision", "aligned"):
        assigned = detector(ours, coordinates=coordinates)
        assigned.rpn.anchor_generator = module.AnchorGenerator(*OTHER)
        assert torch.equal(anchors_of(assigned), expected_anchors(*OTHER))


def test_detections_after_the_assignment_are_torchvisions():
    models = pair()
    for library, model in zip((theirs, ours), models, strict=True):
        model.rpn.anchor_generator = library.rpn.AnchorGenerator(*OTHER)
    assert_alike([found_and_losses(model) for model in models])


@pytest.mark.parametrize("coordinates", ["torchvision", "aligned"])
def test_our_own_generator_follows_the_detector_when_it_is_assigned(coordinates):
    model = detector(ours, coordinates=coordinates)
    model.rpn.anchor_generator = roilearn.models.AnchorGenerator(*OTHER)
    passed = ours.FasterRCNN(
        model.backbone, 2, rpn_anchor_generator=roilearn.models.AnchorGenerator(*OTHER),
        coordinates=coordinates,
    )  # fmt: skip
    assert torch.equal(anchors_of(model), anchors_of(passed))
    theirs_too = torch.equal(anchors_of(model), expected_anchors(*OTHER))
    assert theirs_too == (coordinates == "torchvision")

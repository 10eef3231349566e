"""Images and backbones of many kinds: detectors take what torchvision's take, and find it."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import detection as theirs
from torchvision.models.detection.backbone_utils import mobilenet_backbone

from roilearn import ops
from roilearn.models import detection as ours

OPS = {theirs: torchvision.ops, ours: ops}
TARGET = {"boxes": torch.tensor([[5.0, 6, 40, 50]]).double(), "labels": torch.tensor([1])}
FEW = {"box_score_thresh": 0.0, "box_detections_per_img": 8, "rpn_post_nms_top_n_test": 40}


def detector(library, channels=3, **options):
    """One map of stride 16, in float64, with weights that tell all boxes apart."""
    torch.manual_seed(0)
    backbone = nn.Conv2d(channels, 8, 16, 16)
    parts = {
        "rpn_anchor_generator": library.anchor_utils.AnchorGenerator(((16, 32),), ((0.5, 1.0),)),
        "box_roi_pool": OPS[library].MultiScaleRoIAlign(["0"], 5, 2),
    }
    sizes = {"min_size": 64, "max_size": 96}
    return spread(library.FasterRCNN(backbone, 3, **parts, **sizes, **FEW, **options))


def spread(model):
    torch.manual_seed(1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0, 0.05)
    return model.double().eval()


def image(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def assert_found_alike(models, images):
    expected, found = (model(images) for model in models)
    assert len(expected) == len(found) == len(images)
    for one, other in zip(expected, found, strict=True):
        assert len(one["boxes"])
        assert one.keys() == other.keys()
        for name, values in one.items():
            torch.testing.assert_close(other[name], values, rtol=1e-6, atol=1e-6)


def test_a_backbone_with_two_maps_of_one_stride():
    """The last two maps of MobileNet have stride 32, so no box of this size reads the second."""
    models = []
    for library in (theirs, ours):
        torch.manual_seed(0)
        backbone = mobilenet_backbone(backbone_name="mobilenet_v3_large", weights=None, fpn=True)
        anchors = library.anchor_utils.AnchorGenerator(((32, 64, 128),) * 3, ((0.5, 1.0),) * 3)
        sizes = {"min_size": 128, "max_size": 160}
        torch.manual_seed(1)
        model = library.FasterRCNN(backbone, 3, rpn_anchor_generator=anchors, **sizes, **FEW)
        for head in (model.rpn.head, model.roi_heads.box_predictor):
            for parameter in head.parameters():
                nn.init.normal_(parameter, 0, 0.1)
        models.append(model.double().eval())
    with torch.no_grad():
        assert_found_alike(models, [image(3, 128, 160), image(3, 150, 130, seed=1)])


@pytest.mark.parametrize("train", [True, False])
def test_gradients_reach_the_images(train):
    """As saliency maps and attacks need them. The second image is padded on both sides."""
    gradients = []
    for library in (theirs, ours):
        model = detector(library).train(train)
        images = [image(3, 64, 80).requires_grad_(), image(3, 40, 50, seed=1).requires_grad_()]
        torch.manual_seed(2)
        if train:
            loss = torch.stack([*model(images, [TARGET, TARGET]).values()]).sum()
        else:
            loss = sum(found["boxes"].sum() + found["scores"].sum() for found in model(images))
        gradients.append(torch.autograd.grad(loss, images))
    for expected, found in zip(*gradients, strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


def test_one_image_of_a_batch_may_want_its_gradient():
    wanted, fixed = image(3, 64, 80).requires_grad_(), image(3, 40, 50, seed=1)
    detector(ours)([fixed, wanted])[1]["scores"].sum().backward()
    assert wanted.grad.abs().max() > 0


def test_a_batch_in_one_tensor():
    batch = image(2, 3, 64, 80)
    models = [detector(library) for library in (theirs, ours)]
    assert_found_alike(models, batch)
    losses = []
    for model in models:
        torch.manual_seed(2)
        losses.append(model.train()(batch, [TARGET, TARGET]))
    assert losses[0].keys() == losses[1].keys()
    for name, loss in losses[0].items():
        torch.testing.assert_close(losses[1][name].to(loss), loss, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_other_channels(channels):
    colours = {"image_mean": [0.4] * channels, "image_std": [0.2] * channels}
    models = [detector(library, channels, **colours) for library in (theirs, ours)]
    assert_found_alike(models, [image(channels, 64, 80), image(channels, 50, 40, seed=1)])


def test_a_single_mean_is_that_of_all_channels():
    options = {"image_mean": [0.4], "image_std": [0.2]}
    models = [detector(library, 3, **options) for library in (theirs, ours)]
    assert_found_alike(models, [image(3, 64, 80)])
    with pytest.raises(ValueError, match=r"images\[1\] must have shape \(3, H, W\)"):
        models[1]([image(3, 64, 80), image(1, 64, 80)])


def test_images_with_more_channels_than_the_detector_are_named():
    advice = r"images\[0\] must have shape \(3, H, W\).*entries in image_mean.*expand\(3, -1, -1\)"
    with pytest.raises(ValueError, match=advice):
        detector(ours)([image(1, 64, 80)])
    with pytest.raises(ValueError, match=r"from \(H, W, 3\) pass image\.permute\(2, 0, 1\)"):
        detector(ours)([image(64, 80, 3)])
    with pytest.raises(ValueError, match=r"From \(H, W\) pass image\[None\]"):
        detector(ours)([image(64, 80)])
    with pytest.raises(TypeError, match=r"one tensor \(N, 3, H, W\); got Tensor"):
        detector(ours)(image(3, 64, 80))


@pytest.mark.parametrize("later", [True, False])
def test_padding_wider_than_a_cell(later):
    """A map of stride 16 in a batch of 64 x 128, made of an image of 64 x 80."""
    models = []
    for library in (theirs, ours):
        model = detector(library, **({} if later else {"size_divisible": 64}))
        model.transform.size_divisible = 64
        models.append(model)
    assert_found_alike(models, [image(3, 64, 80)])


def test_torch_fx_records_a_mask_predictor():
    predictor = ours.mask_rcnn.MaskRCNNPredictor(8, 8, 3)
    recorded = torch.fx.symbolic_trace(predictor)
    features = torch.rand(2, 8, 4, 4)
    assert torch.equal(recorded(features), predictor(features))


def test_parts_of_another_library_and_older_options_are_named():
    foreign = theirs.anchor_utils.AnchorGenerator(((16, 32),), ((0.5, 1.0),))
    backbone = nn.Conv2d(3, 8, 16, 16)
    with pytest.raises(TypeError, match=r"another class of that name, of torchvision\.mod"):
        ours.FasterRCNN(backbone, 3, rpn_anchor_generator=foreign)
    with pytest.raises(TypeError, match=r"box_roi_pool must be .* output_size.*got int"):
        ours.FasterRCNN(backbone, 3, box_roi_pool=3)
    with pytest.raises(TypeError, match=r'pretrained must.*Pass weights="DEFAULT" for True'):
        ours.fasterrcnn_resnet50_fpn(pretrained=False)
    with pytest.raises(TypeError, match="weights_backbone=None for False"):
        ours.fasterrcnn_resnet50_fpn(weights=None, pretrained_backbone=False)


def test_boxes_are_clipped_to_a_size_in_a_tensor():
    boxes = torch.tensor([[-2.0, 1, 30, 17], [3, -4, 8, 9]])
    size = torch.tensor([10, 20])
    expected = torchvision.ops.clip_boxes_to_image(boxes, size)
    assert torch.equal(ops.clip_boxes_to_image(boxes, size), expected)

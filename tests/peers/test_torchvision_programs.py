"""Programs written for torchvision, of which only the imports change: they do the same."""

import subprocess
import sys

import pytest
import torch
import torchvision

from roilearn.bench.detectors.mask_rcnn import detect, make_image, standardise_outputs

TUTORIAL = """
import torchvision
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor


def get_model_instance_segmentation(num_classes):
    # load an instance segmentation model pre-trained on COCO
    model = torchvision.models.detection.maskrcnn_resnet50_fpn(weights="DEFAULT")

    # get number of input features for the classifier
    in_features = model.roi_heads.box_predictor.cls_score.in_features
    # replace the pre-trained head with a new one
    model.roi_heads.box_predictor = FastRCNNPredictor(in_features, num_classes)

    # now get the number of input features for the mask classifier
    in_features_mask = model.roi_heads.mask_predictor.conv5_mask.in_channels
    hidden_layer = 256
    # and replace the mask predictor with a new one
    model.roi_heads.mask_predictor = MaskRCNNPredictor(
        in_features_mask,
        hidden_layer,
        num_classes
    )

    return model


model = get_model_instance_segmentation(2)
"""
"""Object Detection Finetuning Tutorial of PyTorch, the model of the second half."""
FASTER = """
import torchvision
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor

# load a model pre-trained on COCO
model = torchvision.models.detection.fasterrcnn_resnet50_fpn(weights="DEFAULT")

# replace the classifier with a new one, that has
# num_classes which is user-defined
num_classes = 2  # 1 class (person) + background
# get number of input features for the classifier
in_features = model.roi_heads.box_predictor.cls_score.in_features
# replace the pre-trained head with a new one
model.roi_heads.box_predictor = FastRCNNPredictor(in_features, num_classes)
"""
"""The same tutorial, fine-tuning from a pre-trained model."""
BACKBONE = """
import torchvision
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import AnchorGenerator

# load a pre-trained model for classification and return
# only the features
backbone = torchvision.models.mobilenet_v2(weights=None).features
# ``FasterRCNN`` needs to know the number of
# output channels in a backbone. For mobilenet_v2, it's 1280
# so we need to add it here
backbone.out_channels = 1280

# let's make the RPN generate 5 x 3 anchors per spatial
# location, with 5 different sizes and 3 different aspect
# ratios. We have a Tuple[Tuple[int]] because each feature
# map could potentially have different sizes and
# aspect ratios
anchor_generator = AnchorGenerator(
    sizes=((32, 64, 128, 256, 512),),
    aspect_ratios=((0.5, 1.0, 2.0),)
)

# let's define what are the feature maps that we will
# use to perform the region of interest cropping, as well as
# the size of the crop after rescaling.
roi_pooler = torchvision.ops.MultiScaleRoIAlign(
    featmap_names=['0'],
    output_size=7,
    sampling_ratio=2
)

# put the pieces together inside a Faster-RCNN model
model = FasterRCNN(
    backbone,
    num_classes=2,
    rpn_anchor_generator=anchor_generator,
    box_roi_pool=roi_pooler
)
"""
"""The same tutorial, another backbone; its weights are random here, since tests have no network."""
FILES = {
    "mask_rcnn": "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth",
    "faster_rcnn": "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
}
"""The names under which torchvision keeps its weights."""


def ours(program):
    """Change the imports: a module's name in front, and nothing behind it."""
    program = program.replace("from torchvision.models.detection", "from roilearn.models.detection")
    lines = program.split("import torchvision\n")
    return "import roilearn as torchvision\n".join(lines)


def model_of(program):
    namespace = {}
    exec(program, namespace)  # noqa: S102
    return namespace["model"]


@pytest.fixture
def weights(monkeypatch, tmp_path):
    """Random weights in the files where both libraries look for the downloaded ones."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path))
    random = {"weights": None, "weights_backbone": None}
    torch.manual_seed(0)
    for name, build in (("mask_rcnn", "maskrcnn"), ("faster_rcnn", "fasterrcnn")):
        model = getattr(torchvision.models.detection, f"{build}_resnet50_fpn")(**random)
        torch.save(model.state_dict(), folder / FILES[name])


def trained(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def detect_alike(theirs, found):
    """Compare what both find at 96 pixels, once their weights are equal."""
    images = [make_image(96, 128)]
    for model in (theirs, found):
        model.eval().transform.min_size = (96,)
        model.transform.max_size = 128
        model.roi_heads.detections_per_img = 20
    standardise_outputs(theirs, images)
    found.load_state_dict(theirs.state_dict())
    expected, answer = (detect(model, images)[0] for model in (theirs, found))
    assert len(expected["boxes"]) == 20
    assert expected.keys() == answer.keys()
    for name, values in expected.items():
        torch.testing.assert_close(answer[name], values, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("program", [TUTORIAL, FASTER], ids=["masks", "boxes"])
@pytest.mark.usefixtures("weights")
def test_the_tutorial_fine_tunes_word_for_word(program):
    theirs, found = model_of(program), model_of(ours(program))
    assert type(found).__module__.startswith("roilearn")
    assert trained(theirs) == trained(found)
    assert found.roi_heads.num_classes == 2
    before = {**theirs.state_dict()}
    for name, values in found.state_dict().items():
        if "predictor" not in name:
            assert torch.equal(values, before[name]), name  # both read the file
    detect_alike(theirs, found)


def test_the_tutorials_other_backbone_word_for_word():
    """The backbone stays torchvision's: its detection and ops come from here."""
    program = BACKBONE.replace("torchvision.models.detection", "roilearn.models.detection")
    program = program.replace("torchvision.ops", "roilearn.ops")
    theirs = model_of(BACKBONE)
    found = model_of(program.replace("import torchvision\n", "import torchvision, roilearn\n"))
    assert type(found).__module__.startswith("roilearn")
    assert type(found.roi_heads.box_roi_pool).__module__.startswith("roilearn")
    detect_alike(theirs, found)


def test_members_of_enumerations_and_their_names_mean_the_same(weights):
    del weights
    from roilearn.models.detection import (  # noqa: PLC0415
        FasterRCNN_ResNet50_FPN_Weights,
        MaskRCNN_ResNet50_FPN_Weights,
        fasterrcnn_resnet50_fpn,
    )

    assert MaskRCNN_ResNet50_FPN_Weights.DEFAULT.meta["categories"][1] == "person"
    member = FasterRCNN_ResNet50_FPN_Weights.COCO_V1
    states = [
        fasterrcnn_resnet50_fpn(weights=each).state_dict()
        for each in (member, "DEFAULT", "COCO_V1", "FasterRCNN_ResNet50_FPN_Weights.COCO_V1")
    ]
    assert all(
        torch.equal(each["rpn.head.cls_logits.weight"], states[0]["rpn.head.cls_logits.weight"])
        for each in states
    )
    with pytest.raises(ValueError, match="a member of FasterRCNN_ResNet50_FPN_Weights; got Mask"):
        fasterrcnn_resnet50_fpn(weights=MaskRCNN_ResNet50_FPN_Weights.DEFAULT)


def test_a_body_begins_with_weights_of_imagenet(monkeypatch, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path))
    torch.manual_seed(3)
    state = torchvision.models.resnet50(weights=None).state_dict()
    torch.save(state, tmp_path / "checkpoints" / "resnet50-0676ba61.pth")
    for library in (torchvision.models.detection, sys.modules["roilearn.models.detection"]):
        model = library.fasterrcnn_resnet50_fpn(num_classes=3)
        body = model.backbone.body.state_dict()
        assert all(torch.equal(values, state[name]) for name, values in body.items())
        fixed = {name.split(".")[0] for name, p in model.backbone.body.named_parameters()
                 if not p.requires_grad}  # fmt: skip
        assert fixed == {"conv1", "layer1"}
        assert type(model.backbone.body.bn1).__name__ == "FrozenBatchNorm2d"


def test_our_pooler_in_their_detector():
    """The recipe of torchvision's documentation, with the pooler from here."""
    program = BACKBONE.replace("torchvision.ops", "roilearn.ops")
    found = model_of(program.replace("import torchvision\n", "import torchvision, roilearn\n"))
    assert type(found).__module__.startswith("torchvision")
    assert type(found.roi_heads.box_roi_pool).__module__.startswith("roilearn")
    detect_alike(model_of(BACKBONE), found)


def test_a_pooler_without_torchvision_is_one_of_its_kind_once_it_is_there():
    script = """
import copy, pickle, sys
from roilearn.ops import MultiScaleRoIAlign
alone = MultiScaleRoIAlign(["0"], 7, 2)
assert "torchvision" not in sys.modules and type(alone) is MultiScaleRoIAlign
import torchvision
for make in (copy.copy, copy.deepcopy, lambda pooler: pickle.loads(pickle.dumps(pooler))):
    for pooler in (make(alone), make(make(alone))):
        assert isinstance(pooler, torchvision.ops.MultiScaleRoIAlign)
        assert isinstance(pooler, MultiScaleRoIAlign) and pooler.output_size == (7, 7)
"""
    subprocess.run([sys.executable, "-c", script], check=True)

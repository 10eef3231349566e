"""The registry: a backbone and a builder are entered in one place and found by name everywhere."""

import pytest
import torch
from torch import nn

from roilearn.models import (
    BACKBONES,
    BUILDERS,
    load_model,
    mask_rcnn,
    mask_rcnn_fpn,
    mask_rcnn_tiny,
    register_backbone,
    register_builder,
    save_model,
)

NUMBERS = {
    "channels": 8,
    "anchor_sizes": (16, 32, 64),
    "representation_size": 16,
    "mask_layers": (8,),
    "min_size": 64,
    "max_size": 64,
}


class TwoMaps(nn.Module):
    """A body that is no ResNet."""

    def __init__(self, width):
        super().__init__()
        self.out_channels = [width, 2 * width]
        self.first = nn.Conv2d(3, width, 4, stride=4)
        self.second = nn.Conv2d(width, 2 * width, 2, stride=2)

    def forward(self, images):
        fine = self.first(images).relu()
        return [fine, self.second(fine).relu()]


@pytest.fixture
def two_maps():
    @register_backbone
    def two_maps(width=4):
        return TwoMaps(width)

    yield two_maps
    del BACKBONES["two_maps"]


def test_what_is_registered():
    assert set(BACKBONES) == {"resnet18", "resnet50", "resnet_tiny"}
    assert set(BUILDERS) == {
        "mask_rcnn_resnet50_fpn", "mask_rcnn_tiny", "mask_rcnn_fpn", "faster_rcnn_tiny",
        "maskrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn_v2", "fasterrcnn_resnet50_fpn_v2",
    }  # fmt: skip
    assert BUILDERS["mask_rcnn_tiny"].command_line_name == "tiny"
    assert BUILDERS["mask_rcnn_tiny"].build is mask_rcnn_tiny
    assert "COCO_V1" in BUILDERS["mask_rcnn_resnet50_fpn"].named_weights


def test_a_registered_backbone_is_trained_saved_and_loaded_by_its_name(two_maps, tmp_path):
    del two_maps
    options = {
        "num_classes": 3,
        "backbone": "two_maps",
        "backbone_options": {"width": 6},
        **NUMBERS,
    }
    torch.manual_seed(0)
    model = mask_rcnn_fpn(**options)
    assert model.backbone.body.out_channels == [6, 12]
    target = {"boxes": torch.tensor([[8.0, 8, 40, 40]]), "labels": torch.tensor([1])}
    target["masks"] = torch.ones(1, 64, 64, dtype=torch.uint8)
    sum(model([torch.rand(3, 64, 64)], [target]).values()).backward()
    assert model.backbone.body.first.weight.grad.any()
    path = save_model(model, tmp_path / "two.safetensors", "mask_rcnn_fpn", options)
    again, _ = load_model(path)
    assert isinstance(again.backbone.body, TwoMaps)
    state = model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())


def test_a_builder_is_registered_with_what_programs_have_to_know():
    @register_builder(command_line_name="small", training_settings={"batch_size": 2})
    def mask_rcnn_small(num_classes):
        return mask_rcnn_fpn(num_classes, "resnet_tiny", **{**NUMBERS, "anchor_sizes": (9,) * 4})

    try:
        builder = BUILDERS["mask_rcnn_small"]
        assert (builder.name, builder.command_line_name) == ("mask_rcnn_small", "small")
        assert builder(2).backbone.out_channels == 8
    finally:
        del BUILDERS["mask_rcnn_small"]


@pytest.mark.parametrize(
    ("body", "options", "error", "said"),
    [
        ("resnet19", None, ValueError, "body must be one of 'resnet18', 'resnet50', 'resnet_tiny'"),
        (nn.Linear(2, 2), None, TypeError, "module with out_channels.* got Linear"),
        (
            TwoMaps(4),
            {"width": 5},
            ValueError,
            "backbone_options must come with the name of a body",
        ),
    ],
)
def test_a_body_that_cannot_be(body, options, error, said):
    with pytest.raises(error, match=said):
        mask_rcnn(body, 3, backbone_options=options, **NUMBERS)

"""Prediction: detections above a minimum score, and models by name."""

import pytest
import torch
from torch import nn

from roilearn.models import mask_rcnn_resnet50_fpn
from roilearn.train import coco_names, named_model, predict


class Known(nn.Module):
    """Detects two things in every image; the size of the image is in the first box."""

    def forward(self, images):
        assert not self.training
        found = []
        for image in images:
            height, width = image.shape[-2:]
            masks = torch.zeros(2, 1, height, width)
            masks[:, :, 0] = torch.tensor([0.5, 0.7])[:, None, None]
            boxes = torch.tensor([[0, 0, width, height], [1, 1, 2, 2]]).float()
            scores = torch.tensor([0.9, 0.6])
            found.append(
                {"boxes": boxes, "labels": torch.tensor([1, 4]), "scores": scores, "masks": masks}
            )
        return found


def test_what_is_above_the_score_comes_back_as_a_target():
    model = Known()
    images = [torch.rand(3, 5, 7), torch.rand(3, 6, 4)]
    both = predict(model, iter(images), score_threshold=0.599)
    assert [found["boxes"][0].tolist() for found in both] == [[0, 0, 7, 5], [0, 0, 4, 6]]
    assert both[0]["labels"].tolist() == [1, 4]
    assert both[0]["masks"].dtype == torch.uint8
    assert both[0]["masks"].sum((1, 2)).tolist() == [0, 7]
    (one,) = predict(model, images[:1], score_threshold=both[0]["scores"][1].item())
    assert {name: len(values) for name, values in one.items()} == {
        "boxes": 1, "labels": 1, "scores": 1, "masks": 1
    }  # fmt: skip
    (one,) = predict(model, images[:1], mask_threshold=0.4)
    assert one["masks"].sum((1, 2)).tolist() == [7, 7]
    assert model.training
    assert predict(model, []) == []


@pytest.mark.parametrize("name", ["score_threshold", "mask_threshold"])
def test_thresholds_lie_from_0_to_1(name):
    with pytest.raises(ValueError, match=f"{name} must lie from 0 to 1; got 1.5"):
        predict(Known(), [], **{name: 1.5})


def test_cocos_names_have_gaps_where_its_numbers_have():
    names = coco_names()
    assert (names[0], names[2], names[89]) == ("person", "car", "toothbrush")
    assert (len(names), sum(name == "" for name in names)) == (90, 10)


def test_cocos_weights_by_name(monkeypatch):
    state = mask_rcnn_resnet50_fpn(num_classes=91).state_dict()
    monkeypatch.setattr("roilearn.models.weights.pretrained._download", lambda *_: state)
    model, names = named_model("COCO_V1")
    assert names == coco_names()
    assert not model.training
    name = "rpn.head.cls_logits.weight"
    assert torch.equal(model.state_dict()[name], state[name])

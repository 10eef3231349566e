"""The comparison of the weekly run: equal detections pass, others end it with a sentence."""

import re
import runpy
import sys

import pytest
import torch
from torch import nn

from roilearn.bench.detectors import coco_weights

FOUND = {
    "boxes": torch.tensor([[1.0, 2, 30, 40], [5, 6, 70, 80], [0, 0, 3, 3]]),
    "labels": torch.tensor([17, 62, 3]),
    "scores": torch.tensor([0.9, 0.5, 0.06]),
    "masks": torch.full((3, 1, 8, 8), 0.25),
}


class Finds(nn.Module):
    def __init__(self, found):
        super().__init__()
        self.found = found

    def forward(self, images):
        return [{name: values.clone() for name, values in self.found.items()} for _ in images]


def changed(name, by):
    return {**FOUND, name: FOUND[name] + by}


def compare(found):
    return list(coco_weights.compare(Finds(FOUND), Finds(found), {"cat": torch.zeros(3, 8, 8)}))


def test_equal_detections_give_a_line_for_each_image():
    (line,) = compare(FOUND)
    assert re.search(r"^cat +2 detections; .*boxes 0.0e\+00, scores 0.0e\+00, masks 0.0e\+00", line)


def test_rounding_passes_and_is_printed():
    (line,) = compare(changed("boxes", 0.01))
    assert "boxes 1.0e-02" in line


@pytest.mark.parametrize(("name", "by"), [("boxes", 0.1), ("scores", 0.01), ("masks", 0.05)])
def test_more_than_rounding_is_named(name, by):
    with pytest.raises(ValueError, match=f"{name} of cat must differ by at most"):
        compare(changed(name, by))


def test_other_labels_are_named():
    labels = torch.tensor([17, 61, 3])
    with pytest.raises(ValueError, match=r"labels of torchvision's detections, \[17, 62\]"):
        compare({**FOUND, "labels": labels})


def test_an_unsure_detection_may_be_another_one():
    labels = torch.tensor([17, 62, 4])
    assert compare({**FOUND, "labels": labels})


def test_no_detection_is_no_difference():
    none = {name: values[:0] for name, values in FOUND.items()}
    assert coco_weights.largest_differences(none, none) == dict.fromkeys(coco_weights.LIMITS, 0)


def test_photographs_are_images():
    for image in coco_weights.images_of_the_book().values():
        assert image.shape[0] == 3
        assert 0 <= image.min() < image.max() <= 1


@pytest.mark.parametrize("by", [0, 1.0])
def test_the_command_ends_with_an_error_if_a_box_differs(by, monkeypatch, capsys):
    monkeypatch.setattr(
        "torchvision.models.detection.maskrcnn_resnet50_fpn", lambda **_: Finds(FOUND)
    )
    monkeypatch.setattr(
        "roilearn.models.maskrcnn_resnet50_fpn", lambda **_: Finds(changed("boxes", by))
    )
    monkeypatch.delitem(sys.modules, coco_weights.__name__)
    run = {"run_name": "__main__", "alter_sys": True}
    if by:
        with pytest.raises(SystemExit, match="boxes of chelsea must differ"):
            runpy.run_module(coco_weights.__name__, **run)
    else:
        runpy.run_module(coco_weights.__name__, **run)
        assert capsys.readouterr().out.count("2 detections") == 3

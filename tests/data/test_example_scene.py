"""The scene of the book: the trained model finds its three objects and nothing else."""

import torch

from roilearn.data import example_scene
from roilearn.models import load_model
from roilearn.ops import box_iou


def test_the_trained_model_finds_the_three_objects_and_nothing_else():
    image, target = example_scene()
    model, _ = load_model("SHAPES")
    with torch.no_grad():
        found = model.eval()([image])[0]
    sure = found["scores"] > 0.5
    iou, nearest = box_iou(target["boxes"], found["boxes"][sure]).max(1)
    assert sorted(nearest.tolist()) == [0, 1, 2] == list(range(int(sure.sum())))
    assert torch.equal(found["labels"][sure][nearest], target["labels"])
    assert iou.min() > 0.8


def test_the_objects_differ_in_class_and_size():
    _, target = example_scene()
    sides = (target["boxes"][:, 2:] - target["boxes"][:, :2]).prod(1).sqrt()
    assert sorted(target["labels"].tolist()) == [1, 2, 3]
    assert sides.max() > 2 * sides.median() > 4 * sides.min()

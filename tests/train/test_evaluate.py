"""What a model is worth: one that knows the answers, backends that agree, and interruptions."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from roilearn.data import ShapeScenes
from roilearn.train import BACKENDS, Evaluation, evaluate
from roilearn.train import evaluate as function
from roilearn.train.evaluation.coco_backends import LIBRARIES

SCENES = ShapeScenes(6, size=(64, 80))


class Oracle(nn.Module):
    """Detects what is there, boxes and masks moved a little, and a few things that are not."""

    def __init__(self, items, noise=0, seed=0):
        super().__init__()
        self.items, self.noise, self.seed = items, noise, seed
        self.layer = nn.BatchNorm2d(3)
        self.calls = []

    def forward(self, images):
        assert not self.training
        assert not torch.is_grad_enabled()
        first = sum(len(call) for call in self.calls)
        self.calls.append([tuple(image.shape) for image in images])
        return [self.detect(self.items[first + k][1], first + k) for k in range(len(images))]

    def detect(self, target, index):
        random = torch.Generator().manual_seed(self.seed + index)
        count = len(target["boxes"])
        wrong = torch.rand(count, generator=random) < 0.2 * bool(self.noise)
        shift = self.noise * torch.randn(count, 4, generator=random)
        masks = target["masks"].roll(self.noise, 2).float()
        return {
            "boxes": target["boxes"] + shift,
            "labels": torch.where(wrong, 1, target["labels"]),
            "scores": torch.rand(count, generator=random),
            "masks": masks[:, None] * 0.8,
        }


def quiet(model, dataset=SCENES, **options):
    return evaluate(model, dataset, progress=False, **options)


def test_who_knows_the_answers_is_worth_one():
    found = quiet(Oracle(SCENES))
    assert found.images == 6
    assert not found.interrupted
    for iou_type in ("boxes", "masks"):
        assert found.metrics[iou_type]["AP"] == pytest.approx(1)
        assert found.class_metrics[iou_type].keys() <= {"1", "2", "3"}
    found = quiet(Oracle(SCENES), names=SCENES.shapes)
    assert found.class_metrics["masks"].keys() <= set(SCENES.shapes)


@pytest.mark.parametrize("iou_type", ["boxes", "masks"])
@pytest.mark.parametrize("peer", LIBRARIES)
def test_a_backend_gives_the_same_numbers(iou_type, peer):
    ours, theirs = (
        quiet(Oracle(SCENES, noise=2), iou_types=(iou_type,), backend=backend)
        for backend in ("roilearn", peer)
    )
    assert 0.05 < ours.metrics[iou_type]["AP"] < 0.95
    assert ours.metrics.keys() == theirs.metrics.keys() == {iou_type}
    assert ours.metrics[iou_type] == pytest.approx(theirs.metrics[iou_type], abs=1e-6)
    assert ours.class_metrics[iou_type].keys() == theirs.class_metrics[iou_type].keys()
    for name, metrics in ours.class_metrics[iou_type].items():
        assert metrics == pytest.approx(theirs.class_metrics[iou_type][name], abs=1e-6)


class Crowded:
    """Scenes with a crowd, an area of its own, an image without objects, and class names."""

    names = ("disc", "square", "triangle")

    def __len__(self):
        return 3

    def __getitem__(self, index):
        image, target = SCENES[index]
        count = 0 if index == 1 else len(target["boxes"])
        kept = {k: v[:count] for k, v in target.items() if k != "image_id"}
        crowd = torch.zeros(count, dtype=torch.int64)
        crowd[:1] = 1
        return image, {**kept, "iscrowd": crowd, "area": torch.full((count,), 1024.0)}


@pytest.mark.parametrize("peer", LIBRARIES)
def test_crowds_areas_empty_images_and_names(peer):
    results = [
        quiet(Oracle(SCENES, noise=1), Crowded(), backend=backend) for backend in ("roilearn", peer)
    ]
    assert results[0].metrics["masks"]["APl"] == -1
    assert results[0].class_metrics["masks"].keys() <= set(Crowded.names)
    for iou_type in ("boxes", "masks"):
        assert results[0].metrics[iou_type] == pytest.approx(results[1].metrics[iou_type], abs=1e-6)


def test_nothing_detected_anywhere():
    class Silent(nn.Module):
        def forward(self, images):
            empty = {"boxes": torch.zeros(0, 4), "masks": torch.zeros(0, 1, 64, 80)}
            none = {"labels": torch.zeros(0, dtype=torch.int64), "scores": torch.zeros(0)}
            return [{**empty, **none} for _ in images]

    for backend in BACKENDS:
        found = quiet(Silent(), backend=backend)
        assert found.metrics["boxes"]["AP"] == found.metrics["masks"]["AR100"] == 0


def test_masks_only_where_there_are_some():
    class Boxes(Oracle):
        def detect(self, target, index):
            return {k: v for k, v in super().detect(target, index).items() if k != "masks"}

    assert quiet(Boxes(SCENES)).metrics.keys() == {"boxes"}


def test_the_model_gets_batches_and_keeps_its_modes():
    model = Oracle(SCENES)
    model.layer.eval()
    quiet(model, batch_size=4)
    assert [len(call) for call in model.calls] == [4, 2]
    assert model.training
    assert not model.layer.training


def test_an_interrupt_ends_early_with_what_is_done():
    class Interrupted(Oracle):
        def forward(self, images):
            if len(self.calls) == 2:
                raise KeyboardInterrupt
            return super().forward(images)

    model = Interrupted(SCENES)
    found = quiet(model)
    assert (found.images, found.interrupted) == (2, True)
    assert found.metrics["boxes"]["AP"] == pytest.approx(1)
    assert "2 images, interrupted" in str(found)
    assert model.training


def test_an_interrupt_before_anything_is_done_is_one():
    class Refusing(nn.Module):
        def forward(self, _images):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quiet(Refusing())


def test_the_bar_counts_images(capsys):
    evaluate(Oracle(SCENES), SCENES)
    assert "6/6" in capsys.readouterr().err


def test_the_table_has_a_line_for_every_class():
    numbers = {"AP": 0.5, "APl": -1.0}
    table = str(Evaluation({"boxes": numbers}, {"boxes": {"disc": numbers}}, 3))
    *lines, explained = table.splitlines()
    assert explained.startswith("-: the images have no object of that class and size")
    assert [line.split() for line in lines] == [
        ["3", "images"],
        ["AP", "APl"],
        ["boxes", "0.500", "-"],
        ["disc", "0.500", "-"],
    ]
    assert str(Evaluation({"boxes": numbers}, {"boxes": {}}, 1)).startswith("1 image\n")
    assert len({len(line) for line in lines[1:]}) == 1
    whole = {"AP": 0.5, "APl": 0.0}
    assert "-" not in str(Evaluation({"boxes": whole}, {"boxes": {"disc": whole}}, 3))


def test_what_cannot_be_done_is_said_before_any_work(monkeypatch):
    model = Oracle(SCENES)
    with pytest.raises(ValueError, match="backend must be one of 'roilearn', 'pycocotools'"):
        quiet(model, backend="coco")
    with pytest.raises(ValueError, match="iou_types must be one of"):
        quiet(model, iou_types=("segm",))
    with pytest.raises(ValueError, match="dataset must have at least one item"):
        quiet(model, [])
    with pytest.raises(TypeError, match="dataset must have a length and items by number"):
        quiet(model, None)
    with pytest.raises(TypeError, match="model must be a Module; got NoneType"):
        quiet(None)
    for threshold in (float("nan"), 7, -0.1):
        with pytest.raises(ValueError, match="mask_threshold must lie from 0 to 1"):
            quiet(model, mask_threshold=threshold)
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        quiet(model, batch_size=0)
    with pytest.raises(ValueError, match="workers must lie from 0"):
        quiet(model, workers=-1)
    with pytest.raises(ValueError, match="names must be a list of names"):
        quiet(model, names="disc")
    with pytest.raises(ValueError, match="names must differ from class to class; got 'a' more"):
        quiet(model, names=("a", "b", "a"))
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(ImportError, match="pip install faster-coco-eval"):
        quiet(model, backend="faster-coco-eval")
    assert model.calls == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda target: {"boxes": target["boxes"]},
            r"dataset\[0\]\[1\] must have .*; labels is mis",
        ),
        (
            lambda target: {**target, "masks": target["masks"][:, :32]},
            "a mask as large as the image",
        ),
        (lambda target: {**target, "labels": target["labels"] * 0}, "must be 1 to 3.* got 0"),
        (lambda target: {**target, "labels": target["labels"] + 3}, "must be 1 to 3"),
        (lambda _: None, "items of a dataset must be pairs.* got .Tensor, NoneType."),
    ],
)
def test_ground_truth_that_does_not_fit_is_named_before_the_model_sees_it(change, words):
    model, (image, target) = Oracle(SCENES), SCENES[0]
    with pytest.raises((TypeError, ValueError), match=words):
        quiet(model, [(image, change(target))], names=SCENES.shapes)
    assert model.calls == []


def test_masks_that_are_asked_for_and_not_there_are_named():
    image, target = SCENES[0]
    boxes = {name: target[name] for name in ("boxes", "labels")}
    with pytest.raises(ValueError, match="masks is missing among 'boxes', 'labels'"):
        quiet(Oracle(SCENES), [(image, boxes)], iou_types=("boxes", "masks"))


def test_numbers_are_plain():
    found = quiet(Oracle(SCENES))
    assert all(type(value) is float for value in found.metrics["boxes"].values())
    assert function is evaluate
    assert np.isfinite(list(found.metrics["masks"].values())).all()

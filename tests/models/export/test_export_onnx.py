"""Whole detectors as ONNX files: onnxruntime gives the detections of the model.

Each file is written once and run on three sizes of images that it was not recorded with.
"""

import json

import onnx
import onnxruntime
import pytest
import torch

from roilearn.bench.detectors.mask_rcnn import standardise_outputs
from roilearn.models import (
    AnchorGenerator,
    KeypointHead,
    KeypointPredictor,
    KeypointRCNN,
    OnnxCheck,
    check_onnx,
    export_onnx,
    faster_rcnn_tiny,
    load_model,
    mask_rcnn_tiny,
    maskrcnn_resnet50_fpn,
)
from roilearn.models.export.onnx_check import compare
from roilearn.ops import MultiScaleRoIAlign

SIZES = ((96, 130), (200, 90), (40, 131))  # wide, high and reaching max_size, lower than a cell
FEW = {"detections_per_image": 30}


def images(*sizes):
    source = torch.Generator().manual_seed(1)
    return [torch.rand(3, *size, generator=source) for size in sizes]


def spread(model):
    """The model with last layers changed, so that its scores and boxes differ from each other."""
    standardise_outputs(model.eval(), images((96, 130)))
    return model


def with_disc():
    """A grey image with one disc, which SHAPES knows."""
    y, x = torch.meshgrid(torch.arange(100.0), torch.arange(140.0), indexing="ij")
    disc = (x - 60) ** 2 + (y - 50) ** 2 < 25**2
    return torch.where(disc, torch.tensor([0.9, 0.5, 0.1])[:, None, None], 0.4)


def run(path, image):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = session.run(None, {"image": image.numpy()})
    return {name: torch.tensor(value) for name, value in zip(names, found, strict=True)}


MODELS = {
    "faster_rcnn_tiny": lambda: faster_rcnn_tiny(3, **FEW),
    "mask_rcnn_tiny": lambda: mask_rcnn_tiny(3, **FEW),
    "torchvision's coordinates": lambda: mask_rcnn_tiny(3, "torchvision", **FEW),
    "RoIPool": lambda: mask_rcnn_tiny(3, "torchvision", "pool", **FEW),
    "keypoints": lambda: KeypointRCNN(
        faster_rcnn_tiny(3).backbone,
        2,
        min_size=96,
        max_size=160,
        rpn_anchor_generator=AnchorGenerator((12, 24, 48, 96)),
        keypoint_roi_pool=MultiScaleRoIAlign(["0", "1"], 14, 2),
        keypoint_head=KeypointHead(48, (16,)),
        keypoint_predictor=KeypointPredictor(16, 4),
        num_keypoints=4,
        box_detections_per_img=30,
    ),
    "maskrcnn_resnet50_fpn": lambda: maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=4, min_size=96, max_size=160
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_onnxruntime_gives_the_models_detections(name, tmp_path):
    torch.manual_seed(0)
    model = spread(MODELS[name]())
    path = export_onnx(model, tmp_path / "model.onnx")
    for image in images(*SIZES):
        with torch.no_grad():
            (ours,) = model([image])
        theirs = run(path, image)
        assert theirs.keys() == ours.keys()
        assert len(ours["boxes"]) > 20
        torch.testing.assert_close(theirs["labels"], ours["labels"])
        torch.testing.assert_close(theirs["boxes"], ours["boxes"], rtol=0, atol=0.01)
        torch.testing.assert_close(theirs["scores"], ours["scores"], rtol=0, atol=1e-3)
        for part, bound in (("masks", 5e-3), ("keypoints", 0.01), ("keypoints_scores", 0.05)):
            if part in ours:
                torch.testing.assert_close(theirs[part], ours[part], rtol=0, atol=bound)


def test_no_object_one_and_many_of_a_trained_model(tmp_path):
    model, names = load_model("SHAPES")
    path = export_onnx(model, tmp_path / "shapes.onnx", names, score_threshold=0.5)
    many = torch.cat([with_disc(), with_disc().flip(1), with_disc()[..., 20:]], 2)
    for image, number in ((torch.zeros(3, 70, 50), 0), (with_disc(), 1), (many, 3)):
        found = run(path, image)
        assert len(found["boxes"]) == number
        assert found["masks"].shape == (number, 1, *image.shape[1:])
        checked = check_onnx(path, model, [image])
        assert checked.detections == number
        assert (checked.masks is None) == (number == 0)
        assert (checked.masks or 0) < 0.01


def test_recorded_without_a_detection_it_finds_some(tmp_path, monkeypatch):
    """The example that is recorded decides nothing, not even that there are no detections."""
    model, _ = load_model("SHAPES")
    monkeypatch.setattr(torch, "rand", lambda *size, **_: torch.zeros(*size))
    path = export_onnx(model, tmp_path / "shapes.onnx", score_threshold=0.5)
    assert len(run(path, with_disc())["boxes"]) == 1


@pytest.mark.filterwarnings("ignore")  # the older exporter warns of itself and of each check
def test_torchvisions_way_of_exporting_takes_several_images(tmp_path):
    model, _ = load_model("SHAPES")
    file, axes = tmp_path / "two.onnx", {"a": {1: "h", 2: "w"}, "b": {1: "y", 2: "x"}}
    names = {"input_names": list(axes), "dynamic_axes": axes, "opset_version": 18}
    torch.onnx.export(model, (images((80, 100), (90, 70)),), str(file), dynamo=False, **names)
    pair = [with_disc(), with_disc()[:, :80, 20:]]
    with torch.no_grad():
        ours = [value for found in model(pair) for value in found.values()]
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    theirs = session.run(None, dict(zip(axes, (image.numpy() for image in pair), strict=True)))
    assert len(ours[0]) >= 1
    assert len(ours[4]) >= 1
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(other), one, rtol=0, atol=5e-3)


def test_a_fixed_size_is_in_the_file_unless_another_size_is_asked_for(tmp_path):
    model, _ = load_model("SHAPES")
    model.transform.fixed_size = (128, 96)
    for size, told in ((None, "[128, 96]"), (96, None)):
        path = export_onnx(model, tmp_path / "a.onnx", size=size)
        metadata = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
        assert metadata.get("fixed_size") == told
        assert check_onnx(path, model, [with_disc()]).detections > 0


@pytest.mark.parametrize("mean", [(0.5, 0.4, 0.3, 0.2), (0.5,)])
def test_images_of_another_number_of_channels(tmp_path, mean):
    """As many as ``image_mean`` has entries; with a single one, as the first convolution takes."""
    torch.manual_seed(0)
    model = faster_rcnn_tiny(3, image_mean=mean, image_std=[0.2] * len(mean), **FEW)
    first = next(m for m in model.backbone.modules() if isinstance(m, torch.nn.Conv2d))
    first.in_channels = 4
    first.weight = torch.nn.Parameter(torch.randn(len(first.weight), 4, *first.kernel_size))
    path = export_onnx(model, tmp_path / "four.onnx", score_threshold=0.1)
    told = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert told["image"].startswith("float32 (4, height, width): each channel from 0 to 1")
    assert check_onnx(path, model).images == 2


def test_the_metadata_say_how_to_use_the_file(tmp_path):
    model, _ = load_model("SHAPES")
    before = model.transform.min_size, model.roi_heads.options.score_threshold
    path = export_onnx(
        model, tmp_path / "a.onnx", ["Kreis", "方", ""], score_threshold=0.2, size=96
    )
    told = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert json.loads(told["names"]) == ["Kreis", "方", "class 3"]
    assert "0 to 1" in told["image"]
    assert "pixels" in told["boxes"]
    assert (told["score_threshold"], told["min_size"], told["max_size"]) == ("0.2", "96", "192")
    assert before == (model.transform.min_size, model.roi_heads.options.score_threshold)
    assert check_onnx(path, model, [with_disc()]).detections > 0


def test_what_cannot_be_exported_is_refused_by_name_and_leaves_no_file(tmp_path):
    model, path = faster_rcnn_tiny(3), tmp_path / "model.onnx"
    for wrong, error, about in (
        ({"model": torch.nn.ReLU()}, TypeError, "model must be a GeneralizedRCNN"),
        ({"names": ["one"]}, ValueError, "names must hold a name for each of 2 classes"),
        ({"score_threshold": 2}, ValueError, "score_threshold must lie from 0 to 1"),
        ({"size": 0}, ValueError, "size must be at least 1"),
        ({"opset_version": 15}, ValueError, "opset_version must lie from 16 to 21"),
        ({"opset_version": 22}, ValueError, "opset_version must lie from 16 to 21"),
        ({"path": tmp_path}, IsADirectoryError, "path must be a file"),
    ):
        with pytest.raises(error, match=about):
            export_onnx(**{"model": model, "path": path, **wrong})
    assert not list(tmp_path.iterdir())


def test_a_failure_on_the_way_leaves_no_half_file(tmp_path, monkeypatch):
    def fails(_):
        raise RuntimeError("as a full disk would")

    monkeypatch.setattr(onnx.checker, "check_model", fails)
    with pytest.raises(RuntimeError, match="full disk"):
        export_onnx(faster_rcnn_tiny(3), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_exporters_that_cannot_record_a_detector_say_what_to_do():
    model = faster_rcnn_tiny(3).eval()
    with pytest.raises(NotImplementedError, match=r"export_onnx\(model, path\)"):
        torch.export.export(model, (images((64, 64)),), strict=False)


def detections(*rows):
    boxes, labels, scores = zip(*rows, strict=True)
    return {
        "boxes": torch.tensor(boxes),
        "labels": torch.tensor(labels),
        "scores": torch.tensor(scores),
    }


LEFT, RIGHT = [0.0, 0, 10, 10], [20.0, 0, 30, 10]


def test_detections_are_compared_one_by_one():
    ours = detections((LEFT, 1, 0.9), (RIGHT, 1, 0.9))
    assert compare(ours, detections((RIGHT, 1, 0.9), (LEFT, 1, 0.9)), 0.5) == (2, 0, 0, None)
    for other in (
        detections((LEFT, 1, 0.9)),
        detections((LEFT, 1, 0.9), (RIGHT, 2, 0.9)),
        detections((LEFT, 1, 0.9), (RIGHT, 1, 0.8)),
        detections((LEFT, 1, 0.9), ([20.0, 0, 31, 10], 1, 0.9)),
    ):
        with pytest.raises(ValueError, match=r"the file lacks label 1 with score 0\.900 at 20\.0"):
            compare(ours, other, 0.5)
        with pytest.raises(ValueError, match=r"the (model|file) lacks"):
            compare(other, ours, 0.5)
    at_the_threshold = detections((LEFT, 1, 0.9), (RIGHT, 1, 0.5001))
    assert compare(at_the_threshold, detections((LEFT, 1, 0.9)), 0.5).detections == 1


def test_masks_are_compared_where_the_boxes_begin_and_end_in_the_same_pixels():
    mask = torch.zeros(1, 1, 20, 40)
    mask[..., 0:10, 0:10] = 0.9
    ours = {**detections((LEFT, 1, 0.9)), "masks": mask}
    close = {**detections((LEFT, 1, 0.9)), "masks": mask + 0.01 * (mask > 0)}
    assert compare(ours, close, 0.5).masks == pytest.approx(0.01)
    moved = torch.zeros_like(mask)
    moved[..., 1:11, 0:10] = 0.9
    with pytest.raises(ValueError, match=r"file differs by 0\.16 on average in the mask of label"):
        compare(ours, {**detections((LEFT, 1, 0.9)), "masks": moved}, 0.5)
    beside = [-0.001, 0, 10, 9.999]  # ends a pixel earlier, once its decimals are cut off
    assert compare(ours, {**detections((beside, 1, 0.9)), "masks": moved}, 0.5).masks is None
    with pytest.raises(ValueError, match="in the mask of label 1"):
        compare(ours, {**detections((LEFT, 1, 0.9)), "masks": mask.flip(-1)}, 0.5)


def test_a_check_reads_as_a_sentence():
    assert str(OnnxCheck(1, 3, 2e-5, 1e-7)) == (
        "onnxruntime gives the model's detections: 3 in 1 image, boxes within 2e-05 pixels, "
        "scores within 1e-07"
    )
    assert str(OnnxCheck(2, 3, 2e-5, 1e-7, 3e-4)).endswith("1e-07, masks within 0.0003 on average")

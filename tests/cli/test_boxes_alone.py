"""Objects with boxes and no masks: ``roilearn train`` takes such a folder as it is."""

import json
import re

import pytest
import torch
from toy_command import TINY, tiny_command

from roilearn.cli import initial_model, main
from roilearn.cli.initial_model import choose_initial_model
from roilearn.cli.run_arguments import no_download
from roilearn.data import CocoFolder, ShapeScenes, Transformed, export_coco
from roilearn.models import BUILDERS, FasterRCNN, MaskRCNN, load_model

BOXES = {name: value for name, value in TINY.items() if not name.startswith("mask_")}


def folder_without(path, every):
    """A folder in COCO's format in which every so many-th object has no mask."""
    file = export_coco(ShapeScenes(6, size=(48, 64)), path)
    contents = json.loads(file.read_text())
    for annotation in contents["annotations"][::every]:
        del annotation["segmentation"]
    file.write_text(json.dumps(contents))
    return file


def train(path, *words, options=BOXES):
    return main(tiny_command(path / "run", *map(str, words), options=options))


def test_a_folder_of_boxes_trains_evaluates_and_predicts_boxes(tmp_path, capsys):
    coco = folder_without(tmp_path / "coco", 1).parent
    assert train(tmp_path, "--coco", coco) == 0
    told, said = capsys.readouterr()
    lines = [line for line in said.splitlines() if "boxes alone are trained" in line]
    assert len(lines) == 1
    assert "since the annotations have no masks: a Faster R-CNN (faster_rcnn_tiny)" in lines[0]
    assert "best AP boxes" in told
    assert "masks" not in told
    weights = tmp_path / "run" / "model.safetensors"
    model, names = load_model(weights)
    assert isinstance(model, FasterRCNN)
    assert not isinstance(model, MaskRCNN)
    assert names == ("disc", "square", "triangle")
    assert main(["evaluate", "--coco", str(coco), "--weights", str(weights), "--workers", "0"]) == 0
    told = capsys.readouterr().out
    assert "\nboxes" in told
    assert "masks" not in told
    picture = next((coco / "images").iterdir())
    places = ["--output", str(tmp_path / "out"), "--csv", str(tmp_path / "found.csv")]
    places += ["--masks", str(tmp_path / "masks")]
    assert main(["predict", str(picture), "--weights", str(weights), *places]) == 0
    assert "--masks is of no use: the model of --weights has no masks" in capsys.readouterr().err
    assert not (tmp_path / "masks").exists()
    assert train(tmp_path, "--coco", coco, "--steps", "3") == 0
    assert "resumes from step 2 of 3" in capsys.readouterr().err


def test_a_mask_rcnn_gives_all_weights_but_those_of_its_mask_head(tmp_path):
    coco = folder_without(tmp_path / "coco", 1).parent
    assert train(tmp_path, "--coco", coco, "--weights", "SHAPES", options={}) == 0
    ours, trained = (load_model(each)[0] for each in (tmp_path / "run/best.safetensors", "SHAPES"))
    parts = trained.state_dict().keys() - ours.state_dict().keys()
    assert parts
    assert all(part.startswith("roi_heads.mask_") for part in parts)
    apart = ours.rpn.head.cls_logits.weight - trained.rpn.head.cls_logits.weight
    assert apart.abs().max() < 0.01  # two steps away


def test_objects_partly_without_masks_are_counted_and_the_way_out_is_named(tmp_path, capsys):
    few = folder_without(tmp_path / "few", 8).parent
    assert len(json.loads((few / "annotations.json").read_text())["annotations"]) > 8
    found = CocoFolder(None, few / "annotations.json").faults
    assert found.counts["no segmentation"] > 1
    assert "left out, since others have masks" in str(found)
    half = folder_without(tmp_path / "half", 2).parent
    assert train(tmp_path, "--coco", half, options=TINY) == 2
    said = capsys.readouterr().err
    assert re.search("5.% have this: no segmentation", said)
    assert "train boxes alone with --no-masks" in said
    assert train(tmp_path, "--coco", half, "--no-masks") == 0
    assert "boxes alone are trained, as --no-masks says" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--boxes", "masks"], "--boxes masks needs annotations with segmentations"),
        (["--model", "mask_rcnn_fpn"], "--model must be one of resnet50, tiny where boxes alone"),
    ],
)
def test_what_needs_masks_is_refused(tmp_path, capsys, words, said):
    coco = folder_without(tmp_path / "coco", 1).parent
    assert train(tmp_path, "--coco", coco, *words) == 2
    assert said in capsys.readouterr().err


def test_boxes_may_be_taken_from_masks_that_are_not_learned(tmp_path, capsys):
    file = export_coco(ShapeScenes(6, size=(48, 64)), tmp_path / "coco")
    contents = json.loads(file.read_text())
    as_written = CocoFolder(None, file).items
    for annotation in contents["annotations"]:
        annotation["bbox"] = [0, 0, 1, 1]
    file.write_text(json.dumps(contents))
    boxes = CocoFolder(None, file, masks=False, box_format="masks")
    for (_, there), (_, expected) in zip(boxes.items, as_written, strict=True):
        assert [each.box for each in there] == [each.box for each in expected]
    assert "masks" not in boxes[0][1]
    words = ["--coco", file.parent, "--boxes", "masks", "--max-faults", "1"]
    assert train(tmp_path, *words, "--no-masks") == 0
    weights = tmp_path / "run" / "model.safetensors"
    assert train(tmp_path / "again", *words, "--weights", weights, options={}) == 0
    assert "as the model of --weights does" in capsys.readouterr().err
    more = [*words[:4], "--weights", weights, "--workers", "0", "--max-faults", "1"]
    assert main(["evaluate", *map(str, more)]) == 0


def test_what_evaluate_advises_it_can_do(tmp_path, capsys):
    file = folder_without(tmp_path / "half", 2)
    assert main(["evaluate", "--coco", str(file), "--weights", "SHAPES"]) == 2
    said = capsys.readouterr().err
    assert "or measure without these objects with --max-faults 1" in said
    assert "--no-masks" not in said
    none = folder_without(tmp_path / "none", 1)
    words = ["--coco", str(none), "--weights", "SHAPES", "--boxes", "masks"]
    assert main(["evaluate", *words]) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"--boxes masks needs annotations with segmentations; {none} has none.\n")


def test_images_to_validate_on_may_have_masks_that_are_not_read(tmp_path, capsys):
    coco, masks = (folder_without(tmp_path / str(n), n).parent for n in (1, 99))
    assert train(tmp_path, "--coco", coco, "--validation-coco", masks) == 0
    assert "masks" not in capsys.readouterr().out


def test_images_to_validate_on_need_masks_if_those_to_train_on_have_them(tmp_path, capsys):
    coco, boxes = (folder_without(tmp_path / str(n), n).parent for n in (99, 1))
    assert train(tmp_path, "--coco", coco, "--validation-coco", boxes, options=TINY) == 2
    said = capsys.readouterr().err
    assert "must have segmentations, as those to train on have" in said
    assert "--no-masks" in said


def test_drawn_scenes_have_masks_and_no_such_option(tmp_path, capsys):
    assert train(tmp_path, "--no-masks") == 2
    assert "--no-masks must come with --coco" in capsys.readouterr().err


def test_coco_v1_means_the_faster_rcnn_of_that_name(monkeypatch):
    asked = []
    monkeypatch.setattr(initial_model, "load_weights", lambda *words: asked.append(words) or {})
    for masks, builder, enum in (
        (True, "mask_rcnn_resnet50_fpn", "MaskRCNN_ResNet50_FPN_Weights"),
        (False, "fasterrcnn_resnet50_fpn", "FasterRCNN_ResNet50_FPN_Weights"),
    ):
        begun = choose_initial_model("COCO_V1", None, {}, masks)
        assert begun.builder == builder
        assert asked.pop() == ("COCO_V1", enum)
        assert begun.options["norm_eps"] == 0
        assert begun.options["frozen_batch_norm"] is True
    assert BUILDERS[builder].training_settings["batch_size"] == 2


def test_resnet50_for_boxes_downloads_no_weights_of_its_body():
    """torchvision's builder would, by default."""
    assert choose_initial_model(None, "resnet50", {}, masks=False).weights is None
    assert no_download("fasterrcnn_resnet50_fpn") == {"weights_backbone": None}
    assert no_download("faster_rcnn_tiny") == {}


def test_boxes_without_masks_are_mirrored_and_clipped():
    image, target = ShapeScenes(1, size=(48, 64))[0]
    del target["masks"]
    from torchvision.transforms import v2  # noqa: PLC0415

    _, mirrored = Transformed([(image, target)], v2.RandomHorizontalFlip(1.0))[0]
    assert type(mirrored["boxes"]) is torch.Tensor
    assert torch.equal(mirrored["boxes"][:, 0], 64 - target["boxes"][:, 2])
    far = {**target, "boxes": target["boxes"].clone()}
    far["boxes"][0] += 500
    _, kept = Transformed([(image, far)], v2.Identity())[0]
    assert len(kept["boxes"]) == len(kept["labels"]) == len(target["boxes"]) - 1

"""`roilearn evaluate` measures what `roilearn.train.evaluate` does, by the names of classes."""

import json

import pytest
import torch
from tool_exports import open_export

from roilearn.cli import device, main
from roilearn.data import CocoFolder, Relabelled
from roilearn.models import mask_rcnn_tiny, save_model
from roilearn.train import evaluate

SMALL = {"num_classes": 3, "widths": (8, 16, 32), "channels": 16, "mask_layers": (16,)}


@pytest.fixture
def weights(tmp_path):
    """Weights of a model whose classes are in another order than those of the export."""
    torch.manual_seed(0)
    model = mask_rcnn_tiny(**SMALL)
    path = tmp_path / "model.safetensors"
    return save_model(model, path, "mask_rcnn_tiny", SMALL, ("plum", "pear")), model


def test_it_prints_and_writes_what_the_function_measures(tmp_path, weights, capsys):
    file, model = weights
    folder = open_export("coco_itself", tmp_path)
    words = ["--coco", folder, "--weights", file, "--workers", 0, "--output", tmp_path / "table"]
    assert main(["evaluate", *map(str, words)]) == 0
    printed = capsys.readouterr().out
    opened = CocoFolder(folder / "val2017", folder / "annotations" / "instances_val2017.json")
    expected = evaluate(model, Relabelled(opened, ("plum", "pear")), progress=False)
    assert printed == f"{expected}\n" == (tmp_path / "table").read_text(encoding="utf-8")
    assert printed.startswith("3 images\n")
    assert "-: the images have no object of that class and size" in printed


def test_a_class_that_the_model_lacks_is_named(tmp_path, weights, capsys):
    folder = open_export("fiftyone", tmp_path)
    text = (folder / "labels.json").read_text().replace('"pear"', '"quince"')
    (folder / "labels.json").write_text(text)
    words = ["--coco", folder, "--weights", weights[0]]
    assert main(["evaluate", *map(str, words)]) == 2
    assert "no other classes than the model; got quince, and the model has plum, pear" in (
        capsys.readouterr().err
    )


def test_the_images_that_a_run_held_out_are_measured_alone(tmp_path, weights, capsys):
    folder, run = open_export("fiftyone", tmp_path), tmp_path
    held_out = ["shelf-03.png", "shelf-07.png"]
    (run / "validation_images.txt").write_text("".join(f"{name}\n" for name in held_out), "utf-8")
    words = ["evaluate", "--coco", str(folder), "--weights", str(weights[0]), "--workers", "0"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("12 images\n")
    assert f"of these 12 images, the run in {run} held out 2 and was trained on" in printed.err
    assert main([*words, "--held-out", str(run)]) == 0
    printed = capsys.readouterr()
    assert "too high" not in printed.err
    opened = CocoFolder(None, folder / "labels.json")
    opened.items = [each for each in opened.items if each[0].path.name in held_out]
    expected = evaluate(weights[1], Relabelled(opened, ("plum", "pear")), progress=False)
    assert printed.out == f"{expected}\n"
    assert printed.out.startswith("2 images\n")
    (run / "validation_images.txt").write_text("shelf-03.png\nother.png\n", "utf-8")
    assert main([*words, "--held-out", str(run)]) == 2
    assert "0 of them are called other.png" in capsys.readouterr().err
    assert main([*words, "--held-out", str(folder)]) == 2
    assert "--held-out must be the folder of a run that held images out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("corners", "are likely xyxy"),
        ("resized", "100% have this: wrong image size"),
    ],
)
def test_it_stops_where_training_stops(tmp_path, weights, capsys, fault, said):
    folder = open_export("fiftyone", tmp_path)
    made = json.loads((folder / "labels.json").read_text("utf-8"))
    for record in made["annotations"]:
        x, y, width, height = record["bbox"]
        record["bbox"] = [x, y, x + width, y + height] if fault == "corners" else record["bbox"]
    for image in made["images"]:
        image["width"] *= 2 if fault == "resized" else 1
    (folder / "labels.json").write_text(json.dumps(made), "utf-8")
    words = ["--coco", str(folder), "--weights", str(weights[0]), "--workers", "0"]
    assert main(["evaluate", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (stopped,) = [line for line in printed.err.splitlines() if "error: " in line]
    assert said in stopped
    assert main(["train", str(tmp_path / "run"), "--coco", str(folder), "--steps", "1"]) == 2
    trained = capsys.readouterr().err.splitlines()
    assert stopped.replace("evaluate", "train") in trained
    if fault == "resized":
        assert "100%" in stopped
        assert main(["evaluate", *words, "--max-faults", "1"]) == 0


def test_a_wrong_path_ends_with_2(tmp_path, capsys):
    assert main(["evaluate", "--coco", str(tmp_path / "none"), "--weights", "SHAPES"]) == 2
    assert "there is none at" in capsys.readouterr().err
    folder = open_export("fiftyone", tmp_path)
    assert main(["evaluate", "--coco", str(folder), "--weights", "none.safetensors"]) == 2
    assert "none.safetensors" in capsys.readouterr().err


def test_bfloat16_is_advised_against_where_it_is_slow(monkeypatch):
    cpu = torch.device("cpu")
    for name in device.BFLOAT16_QUESTIONS:
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    assert "leave --precision out" in device.bfloat16_remark("bfloat16", cpu)
    assert device.bfloat16_remark("float32", cpu) is None
    assert device.bfloat16_remark("bfloat16", torch.device("cuda")) is None
    monkeypatch.setattr(torch.cpu, device.BFLOAT16_QUESTIONS[0], lambda: True)
    assert device.bfloat16_remark("bfloat16", cpu) is None

"""`roilearn evaluate` measures what `roilearn.train.evaluate` does, by the names of classes."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tool_exports import contents, open_export, save_pictures, write

from roilearn import train
from roilearn.cli import device, evaluate_command, main
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


class Guesses(torch.nn.Module):
    """Finds the objects of images that it knows, moved a little, and a few that are not there."""

    def __init__(self, folder, names):
        super().__init__()
        self.known = [Relabelled(folder, names)[index] for index in range(len(folder))]
        self.roi_heads = SimpleNamespace(has_masks=True)

    def forward(self, images):
        return [self.detect(image) for image in images]

    def detect(self, image):
        seen = [each.shape == image.shape and bool((each == image).all()) for each, _ in self.known]
        index = seen.index(True)
        random, target = torch.Generator().manual_seed(index), self.known[index][1]
        boxes = target["boxes"].repeat(4, 1)
        shift = 3 * torch.randn(len(boxes), 4, generator=random)
        wrong = torch.rand(len(boxes), generator=random) < 0.3
        labels = torch.randint(1, 4, (len(boxes),), generator=random)
        masks = [m.roll(index % 4 + k, 1) for k in range(4) for m in target["masks"].float()]
        found = {
            "boxes": boxes + shift,
            "labels": torch.where(wrong, labels, target["labels"].repeat(4)),
            "scores": torch.rand(len(boxes), generator=random),
            "masks": 0.8 * torch.stack(masks)[:, None],
        }
        return {name: each[: 0 if index == 5 else None] for name, each in found.items()}


def by_pycocotools(file, results, kind, image_ids):
    """COCO's twelve metrics of a results file, as pycocotools computes them on the user's file."""
    with redirect_stdout(StringIO()):
        truth = COCO(str(file))
        if kind == "segm":  # else pycocotools takes the areas of the boxes
            results = [{k: v for k, v in each.items() if k != "bbox"} for each in results]
        measure = COCOeval(truth, truth.loadRes(results), kind)
        measure.params.imgIds = image_ids
        measure.evaluate()
        measure.accumulate()
        measure.summarize()
    return [f"{value:.3f}" if value >= 0 else "-" for value in measure.stats]


@pytest.mark.parametrize("held_out", [(), (3, 5, 6, 10)])
def test_pycocotools_gets_the_printed_numbers_from_the_results(
    tmp_path, monkeypatch, capsys, held_out
):
    name = "shelf-{:02}.png".format
    made = contents(name, {"pear": 0, "plum": 7})
    for record in made["images"]:
        record["id"] = 1000 - 7 * record["id"]  # gaps, and another order than that of the list
    for record in made["annotations"]:
        record["image_id"] = 1000 - 7 * record["image_id"]
    save_pictures(tmp_path / "data", name)
    write(tmp_path / "labels.json", made)
    names = ("plum", "quince", "pear")
    model = Guesses(CocoFolder(None, tmp_path / "labels.json"), names)
    (tmp_path / "data" / name(8)).unlink()
    monkeypatch.setattr(evaluate_command, "named_model", lambda _weights: (model, names))
    (tmp_path / "validation_images.txt").write_text("".join(f"{name(n)}\n" for n in held_out))
    words = ["evaluate", "--coco", tmp_path, "--weights", "SHAPES", "--workers", "0"]
    words += ["--held-out", tmp_path] if held_out else []
    assert main([*map(str, words), "--coco-results", str(tmp_path / "found.json")]) == 0
    told = capsys.readouterr()
    results, image_ids = (
        json.loads((tmp_path / file).read_text("utf-8"))
        for file in ("found.json", "found.images.json")
    )
    assert f"holds {len(results)} detections with the ids of the COCO file" in told.err
    measured = held_out or [number for number in range(12) if number != 8]
    assert sorted(image_ids) == sorted(993 - 7 * number for number in measured)
    assert {each["category_id"] for each in results} == {0, 7}
    assert 993 - 7 * 5 in set(image_ids) - {each["image_id"] for each in results}
    assert min(each["score"] for each in results) < 0.2, "no threshold of scores"
    printed = {line.split()[0]: line.split()[1:] for line in told.out.splitlines()}
    for row, kind in (("boxes", "bbox"), ("masks", "segm")):
        expected = by_pycocotools(tmp_path / "labels.json", results, kind, image_ids)
        assert printed[row] == expected
        assert 0.05 < float(expected[0]) < 0.95


def test_the_programs_of_the_page_measure_what_a_run_held_out(tmp_path, weights, monkeypatch):
    page = (Path(__file__).parents[2] / "book" / "own_data.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    measure, check = (
        next(b for b in blocks if name in b) for name in ("held_out_part", "COCOeval")
    )
    opened = open_export("fiftyone", tmp_path).rename(tmp_path / "EXPORT")
    (opened / "labels.json").rename(opened / "annotations.json")
    (tmp_path / "mine").mkdir()
    weights[0].rename(tmp_path / "mine" / "best.safetensors")
    (tmp_path / "mine" / "validation_images.txt").write_text("shelf-03.png\nshelf-07.png\n")
    monkeypatch.chdir(tmp_path)
    names = ("plum", "pear")
    folder = CocoFolder(None, opened / "annotations.json")
    guesses = Guesses(folder, names)
    monkeypatch.setattr(train, "named_model", lambda _weights: (guesses, names))
    with redirect_stdout(StringIO()) as first:
        exec(measure, {})  # noqa: S102
    with redirect_stdout(StringIO()) as second:
        exec(check, {})  # noqa: S102
    assert first.getvalue().startswith("2 images\n")
    (row,) = (line.split() for line in first.getvalue().splitlines() if line.startswith("boxes"))
    assert 0.05 < float(row[1]) < 0.95
    assert re.search(rf"IoU=0.50:0.95 \| area=   all .* = {row[1]}\n", second.getvalue())


def test_a_folder_that_is_not_there_is_named_before_any_work(tmp_path, capsys):
    folder = open_export("fiftyone", tmp_path)
    words = ["evaluate", "--coco", str(folder), "--weights", "none", "--coco-results"]
    assert main([*words, str(tmp_path / "no" / "found.json")]) == 2
    assert "--coco-results must be a file in a folder; there is none" in capsys.readouterr().err


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

"""Predictions above a score, and the command: a line a detection, a picture an image."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from roilearn import cli
from roilearn.cli.predict_command import picture_paths
from roilearn.data import ShapeScenes, image_files
from roilearn.data.coco.export import save_image
from roilearn.models import mask_rcnn_resnet50_fpn, mask_rcnn_tiny, save_model
from roilearn.train import coco_names, named_model, predict

SMALL = {"num_classes": 4, "widths": (8, 16, 32), "channels": 16, "mask_layers": (16,)}


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
    both = predict(model, iter(images), threshold=0.599)
    assert [found["boxes"][0].tolist() for found in both] == [[0, 0, 7, 5], [0, 0, 4, 6]]
    assert both[0]["labels"].tolist() == [1, 4]
    assert both[0]["masks"].dtype == torch.uint8
    assert both[0]["masks"].sum((1, 2)).tolist() == [0, 7]
    (one,) = predict(model, images[:1], threshold=both[0]["scores"][1].item())
    assert {name: len(values) for name, values in one.items()} == {
        "boxes": 1, "labels": 1, "scores": 1, "masks": 1
    }  # fmt: skip
    (one,) = predict(model, images[:1], mask_threshold=0.4)
    assert one["masks"].sum((1, 2)).tolist() == [7, 7]
    assert model.training
    assert predict(model, []) == []


@pytest.mark.parametrize("name", ["threshold", "mask_threshold"])
def test_thresholds_are_shares(name):
    with pytest.raises(ValueError, match=f"{name} must lie from 0 to 1; got 1.5"):
        predict(Known(), [], **{name: 1.5})


def test_cocos_names_have_gaps_where_its_numbers_have():
    names = coco_names()
    assert (names[0], names[2], names[89]) == ("person", "car", "toothbrush")
    assert (len(names), sum(name == "" for name in names)) == (90, 10)


def test_cocos_weights_by_name(monkeypatch):
    state = mask_rcnn_resnet50_fpn(num_classes=91).state_dict()
    monkeypatch.setattr("roilearn.models.weights.pretrained._download", lambda _: state)
    model, names = named_model("COCO_V1")
    assert names == coco_names()
    assert not model.training
    name = "rpn.head.cls_logits.weight"
    assert torch.equal(model.state_dict()[name], state[name])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights that have learned nothing: every score is near 1/4."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    names = ("disc", "square", "traffic light")
    model = mask_rcnn_tiny(**SMALL, detections_per_image=3)
    return save_model(model, path, "mask_rcnn_tiny", {**SMALL, "detections_per_image": 3}, names)


@pytest.fixture
def photos(tmp_path):
    """A folder with an image, a file that is none, and a hidden one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    save_image(ShapeScenes(1, size=(48, 64))[0][0], folder / "scene.png")
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_text("not an image")
    return folder


def run(weights, tmp_path, *arguments, threshold=0.1):
    given = ["--weights", weights, "--output", tmp_path / "out", "--threshold", threshold]
    return cli.main(["predict", *map(str, (*arguments, *given))])


def test_a_line_a_detection_and_a_picture(weights, photos, tmp_path, capsys):
    before = (photos / "scene.png").read_bytes()
    assert run(weights, tmp_path, photos) == 0
    told, said = capsys.readouterr()
    assert f"1 of 1 pictures are in {tmp_path / 'out'}\n" in said
    lines = told.splitlines()
    assert len(lines) == 3
    for line in lines:
        path, _, told = line.rpartition(": ")
        assert path == str(photos / "scene.png")
        name, score, _, *box = told.replace("traffic light", "traffic-light").split()
        assert name in {"disc", "square", "traffic-light"}
        assert 0.1 < float(score.rstrip(",")) < 0.5
        assert len([float(edge) for edge in box]) == 4
    (picture,) = (tmp_path / "out").iterdir()
    assert picture.name == "scene.detections.png"
    with Image.open(picture) as drawn:
        width, height = drawn.size
        assert np.asarray(drawn.convert("RGB")).std() > 10
    assert abs(width / height - 64 / 48) < 0.05
    assert width >= 64
    assert (photos / "scene.png").read_bytes() == before


def test_a_large_image_keeps_its_pixels(weights, tmp_path):
    Image.new("RGB", (1200, 1000), "white").save(tmp_path / "large.png")
    assert run(weights, tmp_path, tmp_path / "large.png", threshold=1) == 0
    with Image.open(tmp_path / "out" / "large.detections.png") as drawn:
        assert all(0 <= a - b <= 4 for a, b in zip(drawn.size, (1200, 1000), strict=True))


@pytest.mark.parametrize("size", [(1, 1), (400, 1), (1, 400)])
def test_images_of_odd_sizes(weights, tmp_path, size, capsys):
    Image.new("RGB", size).save(tmp_path / "odd.png")
    assert run(weights, tmp_path, tmp_path / "odd.png", threshold=1) == 0
    assert "nothing with a score above 1" in capsys.readouterr().out
    assert (tmp_path / "out" / "odd.detections.png").is_file()


def test_missing_and_broken_images_are_named_and_the_rest_is_done(
    weights, photos, tmp_path, capsys
):
    whole = (photos / "scene.png").read_bytes()
    (photos / "broken.png").write_bytes(whole[: len(whole) // 2])
    (photos / "text.JPG").write_text("not an image")
    (tmp_path / "empty").mkdir()
    assert run(weights, tmp_path, tmp_path / "nothing.png", tmp_path / "empty", photos) == 1
    told, errors = capsys.readouterr()
    assert {line.rpartition(": ")[0] for line in told.splitlines()} == {str(photos / "scene.png")}
    for words in ("nothing.png: there is no such", "empty: no file in this folder"):
        assert words in errors
    for name in ("broken.png", "text.JPG"):
        assert f"{name}: cannot be read as an image" in errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scene.detections.png"]


def test_a_camera_held_sideways(weights, photos, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(photos / "turned.jpg", exif=exif)
    assert run(weights, tmp_path, photos / "turned.jpg", threshold=1) == 0
    with Image.open(tmp_path / "out" / "turned.detections.png") as drawn:
        assert drawn.height > 1.8 * drawn.width


def test_no_picture_is_in_the_way_of_an_image_or_of_another_picture(tmp_path):
    names = ("a/X.jpg", "b/x.png", "out/x.detections.png")
    files = [tmp_path / name for name in names]
    places = picture_paths(files, tmp_path / "out")
    assert [places[file].name for file in files] == [
        "X-2.detections.png", "x-3.detections.png", "x.detections.detections.png"
    ]  # fmt: skip


def test_images_of_one_name_are_told_apart(weights, tmp_path, capsys):
    files = [tmp_path / name / "x.png" for name in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        Image.new("RGB", (20, 20)).save(file)
    assert run(weights, tmp_path, *files, threshold=1) == 0
    told, said = capsys.readouterr()
    assert [line.rpartition(": ")[0] for line in told.splitlines()] == [*map(str, files)]
    assert f"{files[1]}: its picture is {tmp_path / 'out' / 'x-2.detections.png'}" in said
    assert "2 of 2 pictures" in said


def test_weights_that_are_no_numbers_are_refused(photos, tmp_path, capsys):
    model = mask_rcnn_tiny(**SMALL)
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    path = save_model(model, tmp_path / "nan.safetensors", "mask_rcnn_tiny", SMALL)
    assert run(path, tmp_path, photos) == 2
    assert "--weights have numbers that are not finite" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["--output", "--weights", "--device"])
def test_an_empty_word_is_refused(name, capsys):
    with pytest.raises(SystemExit):
        cli.main(["predict", "a.png", "--weights", "SHAPES", name, ""])
    assert f"{name}: must not be empty" in capsys.readouterr().err


def test_pictures_of_an_earlier_run_are_no_images_of_a_folder(weights, photos, capsys):
    """Even where they are put beside the images."""
    arguments = ["predict", photos, "--weights", weights, "--output", photos, "--threshold", 1]
    for _ in range(2):
        assert cli.main([*map(str, arguments)]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1
    assert len(image_files(photos)) == 2


def test_what_cannot_be_begun(weights, photos, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for arguments, words in (
        (["--weights", "no.safetensors"], "weights must be one of 'COCO_V1', 'SHAPES' or the path"),
        (["--weights", photos / "scene.png"], "--weights must be a whole safetensors file"),
        (["--weights", photos], "is a folder: name a file in it"),
        (["--weights", weights, "--threshold", 2], "threshold must lie from 0 to 1; got 2"),
        (["--weights", weights, "--device", "tea"], "device must be one that PyTorch finds"),
        (["--weights", weights, "--output", tmp_path / "file"], "output must be a folder"),
    ):
        assert cli.main([*map(str, ["predict", photos, *arguments])]) == 2
        told, errors = capsys.readouterr()
        assert words in errors
        assert not told
    with pytest.raises(SystemExit):
        cli.main(["predict", "a.png"])
    assert "--weights" in capsys.readouterr().err


def test_ctrl_c_leaves_what_is_done(weights, photos, tmp_path, monkeypatch, capsys):
    save_image(torch.rand(3, 20, 20), photos / "second.png")

    def interrupt(*_arguments):
        if list((tmp_path / "out").iterdir()):
            raise KeyboardInterrupt
        return predict(*_arguments)

    monkeypatch.setattr("roilearn.cli.predict_command.predict", interrupt)
    assert run(weights, tmp_path, photos) == 130
    assert "interrupted" in capsys.readouterr().err
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".png"]

"""``roilearn predict``: a line for each detection, a drawing for each image."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from roilearn import cli
from roilearn.cli import predict_command
from roilearn.cli.predict_command import drawing_paths
from roilearn.data import ShapeScenes, decode_segmentation, image_files
from roilearn.data.coco.export import save_image
from roilearn.models import mask_rcnn_tiny, save_model
from roilearn.train import predict

SMALL = {"num_classes": 4, "widths": (8, 16, 32), "channels": 16, "mask_layers": (16,)}


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


def run(weights, tmp_path, *arguments, score_threshold=0.1):
    given = [
        "--weights",
        weights,
        "--output",
        tmp_path / "out",
        "--score-threshold",
        score_threshold,
    ]
    return cli.main(["predict", *map(str, (*arguments, *given))])


def test_a_line_a_detection_and_a_picture(weights, photos, tmp_path, capsys):
    before = (photos / "scene.png").read_bytes()
    assert run(weights, tmp_path, photos) == 0
    told, said = capsys.readouterr()
    assert f"1 of 1 drawings are in {tmp_path / 'out'}\n" in said
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
    assert run(weights, tmp_path, tmp_path / "large.png", score_threshold=1) == 0
    with Image.open(tmp_path / "out" / "large.detections.png") as drawn:
        assert all(0 <= a - b <= 4 for a, b in zip(drawn.size, (1200, 1000), strict=True))


@pytest.mark.parametrize("size", [(1, 1), (400, 1), (1, 400)])
def test_images_of_odd_sizes(weights, tmp_path, size, capsys):
    Image.new("RGB", size).save(tmp_path / "odd.png")
    assert run(weights, tmp_path, tmp_path / "odd.png", score_threshold=1) == 0
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
    assert run(weights, tmp_path, photos / "turned.jpg", score_threshold=1) == 0
    with Image.open(tmp_path / "out" / "turned.detections.png") as drawn:
        assert drawn.height > 1.8 * drawn.width


def test_no_picture_is_in_the_way_of_an_image_or_of_another_picture(tmp_path):
    names = ("a/X.jpg", "b/x.png", "out/x.detections.png")
    files = [tmp_path / name for name in names]
    places = drawing_paths(files, tmp_path / "out")
    assert [places[file].name for file in files] == [
        "X-2.detections.png", "x-3.detections.png", "x.detections.detections.png"
    ]  # fmt: skip


def test_images_of_one_name_are_told_apart(weights, tmp_path, capsys):
    files = [tmp_path / name / "x.png" for name in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        Image.new("RGB", (20, 20)).save(file)
    assert run(weights, tmp_path, *files, score_threshold=1) == 0
    told, said = capsys.readouterr()
    assert [line.rpartition(": ")[0] for line in told.splitlines()] == [*map(str, files)]
    assert f"{files[1]}: drawn in {tmp_path / 'out' / 'x-2.detections.png'}" in said
    assert "2 of 2 drawings" in said


def test_weights_that_are_no_numbers_are_refused(photos, tmp_path, capsys):
    model = mask_rcnn_tiny(**SMALL)
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    path = save_model(model, tmp_path / "nan.safetensors", "mask_rcnn_tiny", SMALL)
    assert run(path, tmp_path, photos) == 2
    assert "--weights hold values that are not finite" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["--output", "--weights", "--device"])
def test_an_empty_word_is_refused(name, capsys):
    with pytest.raises(SystemExit):
        cli.main(["predict", "a.png", "--weights", "SHAPES", name, ""])
    assert f"{name}: must not be empty" in capsys.readouterr().err


def test_pictures_of_an_earlier_run_are_no_images_of_a_folder(weights, photos, capsys):
    """Even where they are put beside the images."""
    arguments = [
        "predict",
        photos,
        "--weights",
        weights,
        "--output",
        photos,
        "--score-threshold",
        1,
    ]
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
        (
            ["--weights", weights, "--score-threshold", 2],
            "--score-threshold must lie from 0 to 1; got 2",
        ),
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


def test_the_old_name_of_the_threshold_is_taken_and_the_new_one_said(weights, photos, capsys):
    arguments = ["predict", photos, "--weights", weights, "--output", photos, "--threshold", 1]
    assert cli.main([*map(str, arguments)]) == 0
    said = capsys.readouterr().err
    assert "roilearn predict: --threshold is now called --score-threshold" in said


def test_tables_results_and_masks_hold_what_is_printed(weights, photos, tmp_path, capsys):
    save_image(ShapeScenes(2, size=(40, 64))[1][0], photos / "000007.png")
    files = {"--csv": tmp_path / "found.csv", "--coco-results": tmp_path / "found.json"}
    words = [word for pair in files.items() for word in pair]
    assert run(weights, tmp_path, photos, *words, "--masks", tmp_path / "masks") == 0
    printed = capsys.readouterr().out.splitlines()
    with files["--csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    results = json.loads(files["--coco-results"].read_text(encoding="utf-8"))
    assert len(rows) == len(results) == len(printed) == 6
    assert {each["image_id"] for each in results} == {7, "scene.png"}
    for line, row, result in zip(printed, rows, results, strict=True):
        assert line.startswith(f"{row['file']}: {row['class']} {float(row['score']):.2f}, box ")
        corners = [float(row[name]) for name in ("x1", "y1", "x2", "y2")]
        x, y, width, height = result["bbox"]
        assert corners == pytest.approx([x, y, x + width, y + height], abs=0.01)
        with Image.open(tmp_path / "masks" / row["mask"]) as mask:
            inside = np.asarray(mask) == 255
        np.testing.assert_array_equal(decode_segmentation(result["segmentation"]), inside)
        assert inside.shape in {(48, 64), (40, 64)}


def test_one_image_that_fails_stops_no_other(weights, photos, tmp_path, capsys, monkeypatch):
    save_image(ShapeScenes(2, size=(40, 64))[1][0], photos / "another.png")
    plain = predict_command.save_drawing

    def failing(image, detections, names, path):
        if path.name.startswith("another"):
            raise RuntimeError("not enough memory")
        plain(image, detections, names, path)

    monkeypatch.setattr(predict_command, "save_drawing", failing)
    assert run(weights, tmp_path, photos) == 1
    told, said = capsys.readouterr()
    assert "another.png: failed (RuntimeError: not enough memory)" in said
    assert len(told.splitlines()) == 3
    assert "1 of 2 drawings" in said

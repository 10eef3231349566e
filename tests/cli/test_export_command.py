"""``roilearn export``: a file that is compared with its model, and the program that uses it."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import onnxruntime
import pytest
from PIL import Image

from roilearn import cli
from roilearn.cli import export_command
from roilearn.data import read_image
from roilearn.models import load_model
from roilearn.train import predict

ROOT = Path(__file__).parents[2]
SCENE = ROOT / "src" / "roilearn" / "explore" / "example_scene.jpg"


def program_of(page):
    """The program that a page of the documentation shows."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    (program,) = (block for block in blocks if "onnxruntime" in block)
    return program


def test_the_documented_program_finds_what_the_model_finds(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    shutil.copy(SCENE, tmp_path / "photo.jpg")
    file, photo = tmp_path / "mine" / "model.onnx", tmp_path / "photo.jpg"
    assert cli.main(["export", "SHAPES", "--output", str(file), "--images", str(photo)]) == 0
    said = capsys.readouterr().err
    assert re.search(r"onnxruntime gives the model's detections: [1-9]\d* in 1 image, boxes", said)
    assert f"{file} holds the model and the names of 3 classes" in said
    model, names = load_model("SHAPES")
    (wanted,) = predict(model, [read_image(photo)])
    program = program_of("book/own_data.md")
    assert program == program_of("README.md")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(wanted["labels"]) >= 3
    for line, label, score in zip(lines, wanted["labels"], wanted["scores"], strict=True):
        assert line.startswith(f"{names[label - 1]} {round(float(score), 2)} [")
        assert re.search(r" \[\d+\.\d(, \d+\.\d){3}\]$", line), "the box has one decimal"
    with Image.open(tmp_path / "found.png") as drawn, Image.open(SCENE) as scene:
        assert drawn.size == scene.size


def test_options_reach_the_file(tmp_path):
    file = tmp_path / "model.onnx"
    given = ["--score-threshold", "0.25", "--size", "96", "--opset-version", "17"]
    assert cli.main(["export", "SHAPES", "--output", str(file), *given]) == 0
    told = onnxruntime.InferenceSession(file).get_modelmeta().custom_metadata_map
    assert json.loads(told["names"]) == ["disc", "square", "triangle"]
    assert (told["score_threshold"], told["min_size"], told["max_size"]) == ("0.25", "96", "192")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.safetensors"], "--weights must be one of"),
        (["SHAPES", "--output", "."], "--output must be a file; . is a folder"),
        (["SHAPES", "--images", "nowhere.jpg"], "there is none at nowhere.jpg"),
        (["SHAPES", "--images", str(SCENE.parent)], "is a folder. Name files in it"),
        (["SHAPES", "--score-threshold", "2"], "--score-threshold must lie from 0 to 1"),
        (["SHAPES", "--size", "0"], "--size must be at least 1"),
        (["SHAPES", "--opset-version", "15"], "--opset-version must lie from 16 to 21"),
    ],
    ids=" ".join,
)
def test_bad_arguments_end_with_2_and_write_nothing(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_onnx_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("roilearn.cli.export.find_spec", lambda _: None)
    assert cli.main(["export", "SHAPES"]) == 2
    assert "pip install 'roilearn[onnx]'" in capsys.readouterr().err


def test_without_onnxruntime_it_says_that_nothing_was_compared(tmp_path, monkeypatch, capsys):
    there = {"onnxruntime": lambda _: None}
    monkeypatch.setattr(export_command, "find_spec", lambda name: there.get(name, find_spec)(name))
    assert cli.main(["export", "SHAPES", "--output", str(tmp_path / "model.onnx")]) == 0
    assert "not run, since onnxruntime is not installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("the file lacks one detection."), 1, "the file lacks one detection."),
        (Exception("the graph has a cycle."), 1, "the graph has a cycle."),  # as onnxruntime's are
        (KeyboardInterrupt(), 130, "interrupted;"),
    ],
)
def test_a_file_that_was_not_found_right_is_removed(
    tmp_path, monkeypatch, capsys, error, status, said
):
    def fails(*_):
        raise error

    monkeypatch.setattr(export_command, "check_onnx", fails)
    file = tmp_path / "model.onnx"
    assert cli.main(["export", "SHAPES", "--output", str(file)]) == status
    assert f"{said} {file} was removed." in capsys.readouterr().err
    assert not file.exists()

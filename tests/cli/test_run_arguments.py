"""What a command line asks for is refused before anything is written."""

from urllib.error import URLError

import pytest
import torch
from toy_command import tiny_command

from roilearn.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenes", "0"], "--scenes must lie from 1"),
        (["--scenes", "9" * 30], "--scenes must lie from 1"),
        (["--validation-scenes", "0"], "--validation-scenes must lie from 1"),
        (["--batch-size", "0"], "--batch-size must be at least 1"),
        (["--micro-batches", "3"], "--micro-batches must divide --batch-size"),
        (["--weight-decay", "inf"], "--weight-decay must be finite"),
        (["--precision", "float16", "--device", "cpu"], "--precision must be"),
        (["--validation-coco", "nowhere"], "--validation-coco must come with --coco"),
        (
            ["--coco", "nowhere", "--validation-scenes", "3"],
            "--validation-scenes must come with --scenes",
        ),
        (["--weights", "."], "is a folder"),
        (["--weights", __file__], "--weights must be a whole file of safetensors or a state dict"),
        (["--coco", "nowhere"], "there is none at nowhere"),
        (["--weights", "nowhere.pth"], "nowhere.pth"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--weights", "COCO_V1", "--model", "tiny"], "are for --model resnet50"),
        (["--model-options", '{"widths": [8]}'], "error"),
        (["--model-options", '{"depth": 8}'], "depth"),
        (["--device", "abacus"], "--device must be one that PyTorch finds on this machine, cpu"),
    ],
    ids=" ".join,
)
def test_bad_arguments_end_with_2_and_write_nothing(tmp_path, capsys, words, said):
    assert main(tiny_command(tmp_path / "run", *words)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--model-options", "{"],
        ["--model-options", "3"],
        ["--fast"],
        ["--coco", ""],
        ["--validation-coco", ""],
        ["--weights", ""],
    ],
)
def test_what_cannot_be_read_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "folder", *words])
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_an_empty_folder_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["train", ""])
    assert "FOLDER: must not be empty" in capsys.readouterr().err


def test_without_a_network_it_says_what_to_fetch(tmp_path, capsys, monkeypatch):
    def unreachable(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    assert main(tiny_command(tmp_path / "run", "--weights", "COCO_V1", options={})) == 2
    assert "On a machine with a network, download https://" in capsys.readouterr().err

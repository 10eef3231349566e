"""`roilearn train` as typed: what it writes, what it refuses, and how it ends."""

import json
import signal
from argparse import Namespace
from shutil import copytree
from urllib.error import URLError

import pytest
import torch

from roilearn import cli_train
from roilearn.cli import main
from roilearn.data import ShapeScenes, export_coco
from roilearn.models import load_model
from roilearn.train import Settings, command, held_out, read_record

TINY = {
    "widths": [8, 16, 16],
    "channels": 16,
    "representation_size": 16,
    "mask_layers": [16],
    "min_size": 64,
}


def typed(folder, *words, options=TINY):
    """Arguments of a run of two steps of a tiny model."""
    sizes = ["--steps", "2", "--batch-size", "2", "--evaluate", "2"]
    always = [*sizes, "--workers", "0", "--average", "0.5"]
    return ["train", str(folder), *always, "--model-options", json.dumps(options), *words]


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    return export_coco(ShapeScenes(4, size=64), tmp_path_factory.mktemp("coco"))


def test_scenes_become_a_model_a_table_and_a_picture(tmp_path, capsys):
    folder = tmp_path / "new" / "run"
    assert main(typed(folder, "--seed", "5", "--scenes", "3")) == 0
    printed = capsys.readouterr().out
    assert (folder / "evaluation.txt").read_text(encoding="utf-8").strip() in printed
    assert "triangle" in printed
    model, names = load_model(folder / "model.safetensors")
    assert names == ("disc", "square", "triangle")
    assert model.backbone.fpn.out_channels == 16
    assert (folder / "curves.png").is_file()
    assert read_record(folder / "losses.csv")["step"] == [1, 2]
    assert "torch" in (text := (folder / "command.txt").read_text(encoding="utf-8"))
    assert "processes: 1" in text


def test_a_coco_folder_gives_the_classes_and_weights_the_rest(tmp_path, coco, capsys):
    assert main(typed(tmp_path / "first", "--coco", str(coco))) == 0
    assert "1 images" in capsys.readouterr().out  # a tenth of four, and at least one
    file = tmp_path / "first" / "model.safetensors"
    words = ("--coco", str(coco.parent), "--validate", str(coco), "--weights", str(file))
    assert main(typed(tmp_path / "second", *words, options={"score_threshold": 0.2})) == 0
    assert "4 images" in capsys.readouterr().out
    first, names = load_model(file)
    second, _ = load_model(tmp_path / "second" / "model.safetensors")
    assert names == ("disc", "square", "triangle")
    assert second.roi_heads.options.score_threshold == 0.2
    moved = first.backbone.body.state_dict(), second.backbone.body.state_dict()
    assert all((moved[1][k] - v).abs().max() < 0.05 for k, v in moved[0].items() if v.ndim == 4)


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(tmp_path, capsys, monkeypatch):
    plain = command.MAKERS["mask_rcnn_tiny"]

    def interrupted(*args, **options):
        model = plain(*args, **options)
        model.rpn.register_forward_hook(lambda *_: signal.raise_signal(signal.SIGINT))
        return model

    monkeypatch.setitem(command.MAKERS, "mask_rcnn_tiny", interrupted)
    assert main(typed(tmp_path)) == 130
    assert "interrupted after step 1, which is saved" in capsys.readouterr().err
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.undo()
    assert main(typed(tmp_path)) == 0
    assert read_record(tmp_path / "losses.csv")["step"] == [1, 2]
    assert main(typed(tmp_path, "--seed", "1")) == 2
    assert "seed 0 then and 1 now" in capsys.readouterr().err
    assert main(typed(tmp_path, "--seed", "1", "--again")) == 0


def test_divergence_ends_with_1(tmp_path, capsys):
    words = ("--optimizer", "sgd", "--learning-rate", "1e30", "--clip", "inf", "--warm-up", "0")
    assert main(typed(tmp_path, *words)) == 1
    assert "diverged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenes", "0"], "count must be at least 1"),
        (["--batch-size", "0"], "batch_size must be at least 1"),
        (["--shares", "3"], "shares must divide"),
        (["--coco", "nowhere"], "there is none at nowhere"),
        (["--weights", "nowhere.pth"], "nowhere.pth"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--weights", "COCO_V1", "--model", "tiny"], "are for --model resnet50"),
        (["--model-options", '{"widths": [8]}'], "error"),
        (["--model-options", '{"depth": 8}'], "depth"),
        (["--device", "abacus"], "abacus"),
    ],
    ids=" ".join,
)
def test_bad_arguments_end_with_2_and_write_nothing(tmp_path, capsys, words, said):
    assert main(typed(tmp_path / "run", *words)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [["--model-options", "{"], ["--model-options", "3"], ["--fast"]])
def test_what_cannot_be_read_ends_with_2(words):
    with pytest.raises(SystemExit) as ended:
        main(["train", "folder", *words])
    assert ended.value.code == 2


def test_without_a_network_it_says_what_to_fetch(tmp_path, capsys, monkeypatch):
    def unreachable(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    assert main(typed(tmp_path / "run", "--weights", "COCO_V1", options={})) == 2
    assert "On a machine with a network, download https://" in capsys.readouterr().err


def test_a_folder_is_searched_for_its_annotations(tmp_path, coco):
    images = coco.parent / "images"
    assert held_out.find_coco(coco) == held_out.find_coco(coco.parent) == (images, coco)
    (tmp_path / "annotations").mkdir()
    file = tmp_path / "annotations" / "train.json"
    file.write_bytes(coco.read_bytes())
    assert held_out.find_coco(tmp_path) == (tmp_path / "annotations", file)
    (tmp_path / "images").mkdir()
    assert held_out.find_coco(tmp_path) == (tmp_path / "images", file)
    file.with_name("val.json").write_bytes(coco.read_bytes())
    with pytest.raises(ValueError, match=r"train\.json, val\.json"):
        held_out.find_coco(tmp_path)


def test_no_image_is_both_learned_and_measured(coco):
    material = held_out.coco_material(coco, None, seed=1)
    assert len(material.learn) == 3
    assert sorted([*material.learn.indices, *material.measure.indices]) == [0, 1, 2, 3]
    assert material.measure.indices != held_out.coco_material(coco, None, seed=2).measure.indices


def test_boxes_alone_are_not_enough(coco, tmp_path):
    contents = json.loads(coco.read_text(encoding="utf-8"))
    for each in contents["annotations"]:
        del each["segmentation"]
    copytree(coco.parent / "images", tmp_path / "images")
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps(contents), encoding="utf-8")
    with pytest.raises(ValueError, match="must have segmentations"):
        held_out.coco_material(file, None, 0)


def test_the_help_names_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    tiny = Settings(steps=1, **command.RECIPES["mask_rcnn_tiny"])
    resnet = command.RECIPES["mask_rcnn_resnet50_fpn"]
    for name in ("batch_size", "learning_rate", "average"):
        assert f"(default {getattr(tiny, name):g}; resnet50: {resnet[name]:g})" in said, name
    for name in ("warm_up", "weight_decay", "clip", "save_every", "seed"):
        words = said.partition("training: ")[2].partition(f"--{name.replace('_', '-')} ")[2]
        assert f"(default {getattr(tiny, name):g})" in words.partition(" --")[0], name
    assert cli_train.EXAMPLES.splitlines()[0] in said


@pytest.mark.parametrize("weights", ["COCO_V1", "other.pth", "own.safetensors"])
@pytest.mark.parametrize("said", [{}, {"frozen": False}], ids=["silent", "said"])
def test_a_resnet50_that_begins_with_weights_is_described_as_it_is_built(
    monkeypatch, weights, said
):
    header = {"maker": "mask_rcnn_resnet50_fpn", "options": {"num_classes": 3, "frozen": None}}
    monkeypatch.setattr(command, "read_tensors", lambda _: (header, {"any": torch.zeros(1)}))
    options = Namespace(weights=weights, model="resnet50", model_options=said)
    if weights == "COCO_V1":
        options.model = None
    maker, _, described = command.choose_model(options)
    assert maker == "mask_rcnn_resnet50_fpn"
    assert described["frozen"] is said.get("frozen", True)
    assert described["trainable_layers"] == 3
    assert described.get("norm_eps") == (0.0 if weights == "COCO_V1" else None)

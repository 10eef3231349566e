"""The initial model of a run, and what is refused before anything is built."""

from inspect import signature

import pytest
import torch

from roilearn.cli import initial_model
from roilearn.cli.initial_model import InitialModel, allowed_options, choose_initial_model
from roilearn.models import mask_rcnn_tiny
from roilearn.models.rcnn.assembly import box_parts, mask_rcnn
from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.roi_heads.head_options import HeadOptions

RESNET = "mask_rcnn_resnet50_fpn"


@pytest.mark.parametrize("weights", ["COCO_V1", "other.pth", "own.safetensors"])
@pytest.mark.parametrize("said", [{}, {"frozen_batch_norm": False}], ids=["silent", "said"])
def test_a_resnet50_that_begins_with_weights_is_described_as_it_is_built(
    monkeypatch, tmp_path, weights, said
):
    (tmp_path / weights).write_text("any")
    monkeypatch.chdir(tmp_path)
    config = {"builder": RESNET, "options": {"num_classes": 3, "frozen_batch_norm": None}}
    state = {"any": torch.zeros(1)}
    monkeypatch.setattr(initial_model, "read_model_file", lambda _: (config, state))
    monkeypatch.setattr(initial_model, "load_weights", lambda *_: state)
    model = None if weights == "COCO_V1" else "resnet50"
    begun = choose_initial_model(weights, model, said)
    assert begun.builder == RESNET
    assert begun.options["frozen_batch_norm"] is said.get("frozen_batch_norm", True)
    assert begun.options["trainable_backbone_layers"] == 3
    assert begun.options.get("norm_eps") == (0.0 if weights == "COCO_V1" else None)
    assert begun.source.split()[0] == weights


def test_a_file_is_known_by_what_is_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(initial_model, "load_weights", lambda *_: {})
    file, sources = tmp_path / "any.pth", []
    for text in ("one", "other", "one"):
        file.write_text(text)
        sources.append(choose_initial_model(str(file), None, {}).source)
    assert sources[0] == sources[2] != sources[1]


def test_it_says_when_the_layers_of_the_classes_start_from_random_numbers():
    state = mask_rcnn_tiny(4, widths=(8, 16, 16), channels=16).state_dict()
    begun = InitialModel("mask_rcnn_tiny", {}, state, "any")
    assert begun.class_mismatch(3) is None
    assert "the weights have 3 classes and the data 5" in begun.class_mismatch(5)
    assert InitialModel("mask_rcnn_tiny", {}, None, "any").class_mismatch(5) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_classes": 9}, "must not hold num_classes: it follows from the data"),
        ({"weights": "SHAPES"}, "must not hold weights: pass --weights"),
        ({"fold": True}, "must not hold fold"),
        ({"depth": 8}, r"options of mask_rcnn_tiny; got 'depth'\. Near it are depths"),
    ],
    ids=str,
)
def test_options_that_no_model_takes(options, said):
    with pytest.raises(ValueError, match=said):
        choose_initial_model(None, "tiny", options)


def test_every_option_that_is_allowed_is_taken():
    """Each alone, with its default, under torchvision's name or ours."""
    allowed = allowed_options("mask_rcnn_tiny")
    ours = {"channels", "widths", "backbone_options", "rpn_options", "score_threshold"}
    assert ours | {"min_size", "box_score_thresh", "rpn_pre_nms_top_n_test"} <= {*allowed}
    defaults = {
        name: each.default
        for taker in (HeadOptions, FasterRCNN, box_parts, mask_rcnn, mask_rcnn_tiny)
        for name, each in signature(taker).parameters.items()
    }
    with torch.device("meta"):
        for name in allowed:
            assert mask_rcnn_tiny(2, **{name: defaults.get(name)}), name


@pytest.mark.parametrize("name", ["nope", "."])
def test_what_is_no_file_is_refused_with_all_names(name):
    with pytest.raises(FileNotFoundError, match=r"'COCO_V1', 'SHAPES' or the path.*'") as error:
        choose_initial_model(name, None, {})
    assert ("is a folder" in str(error.value)) == (name == ".")

"""Weights from files and by name, of other numbers of classes, under older names; clear errors."""

from importlib import import_module
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file

from roilearn.models import load_weights, mask_rcnn_resnet50_fpn, mask_rcnn_tiny
from roilearn.models.weights.state_dict import count_classes, reset_class_layers

OLD_NAMES = {
    "backbone.fpn.inner_blocks.0.0.weight": "backbone.fpn.inner_blocks.0.weight",
    "backbone.fpn.layer_blocks.1.0.bias": "backbone.fpn.layer_blocks.1.bias",
    "rpn.head.conv.0.0.weight": "rpn.head.conv.weight",
    "roi_heads.mask_head.0.0.weight": "roi_heads.mask_head.mask_fcn1.weight",
    "roi_heads.mask_head.3.0.bias": "roi_heads.mask_head.mask_fcn4.bias",
}


def plain_model(num_classes, **options):
    """Two layers in the box head and no normalisation but the body's."""
    plain = {"batch_norm": False, "box_layers": (), "mask_layers": (8, 8, 8, 8)}
    return mask_rcnn_tiny(num_classes, **{**plain, **options})


@pytest.fixture(scope="module")
def state():
    """Weights with the names of torchvision's first version: two layers, no normalisation."""
    torch.manual_seed(0)
    return plain_model(3).state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_files_of_both_kinds_are_read(state, tmp_path):
    torch.save(state, tmp_path / "weights.pth")
    save_file(state, tmp_path / "weights.safetensors")
    for name in ("weights.pth", "weights.safetensors"):
        assert same(load_weights(tmp_path / name), state)
        assert same(plain_model(3, weights=str(tmp_path / name)).state_dict(), state)


def test_older_names_become_those_of_today(state, tmp_path):
    old = {OLD_NAMES.get(name, name): value for name, value in state.items()}
    assert len(old.keys() - state.keys()) == len(OLD_NAMES)
    torch.save(old, tmp_path / "old.pth")
    assert same(load_weights(tmp_path / "old.pth"), state)


def test_with_other_classes_only_what_names_them_begins_anew(state):
    model = plain_model(7, weights=state)
    changed = {name for name, value in model.state_dict().items() if name in state
               and not torch.equal(value, state[name])}  # fmt: skip
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in changed} == {
        "cls_score", "bbox_pred", "mask_fcn_logits"
    }  # fmt: skip
    assert count_classes(model.state_dict()) == 7


@pytest.mark.parametrize(
    ("weights", "eps", "fixed"), [(None, 1e-5, 0), ("other.pth", 1e-5, 2), ("COCO_V1", 0.0, 2)]
)
def test_what_weights_say_of_variances_and_of_layers_that_learn(monkeypatch, weights, eps, fixed):
    """On the device without numbers: shapes alone are built and loaded."""
    with torch.device("meta"):
        state = mask_rcnn_resnet50_fpn(num_classes=3).state_dict()
        module = import_module("roilearn.models.weights.pretrained")
        monkeypatch.setattr(module, "load_weights", lambda *_, **__: state)
        model = mask_rcnn_resnet50_fpn(num_classes=3, weights=weights)
    assert {m.eps for m in model.modules() if hasattr(m, "running_var")} == {eps}
    names = [name for name, p in model.backbone.named_parameters() if not p.requires_grad]
    assert {name.split(".")[1] for name in names} == {*("conv1", "layer1")[:fixed]}


def test_weights_of_another_shape_are_refused(state):
    with pytest.raises(RuntimeError, match=r"of another shape\. Build the model"):
        plain_model(3, channels=32, weights=state)
    missing = {name: value for name, value in state.items() if "fc6" not in name}
    with pytest.raises(RuntimeError, match=r"2 \(\S*fc6\S*weight, .*\) are missing"):
        plain_model(3, weights=missing)
    model = plain_model(3)
    assert reset_class_layers(model, missing).keys() == missing.keys()


def test_weights_of_something_else_are_named():
    with pytest.raises(ValueError, match="weights must be a state dict of a detector"):
        count_classes({"fc.weight": torch.zeros(2, 2)})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'COCO_V1' or the path of a file; got '.*nothing"):
        load_weights(tmp_path / "nothing.pth")


def test_without_a_network_the_message_says_what_to_do(monkeypatch, tmp_path):
    def no_network(*_, **__):
        raise URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    monkeypatch.setattr("torch.hub._hub_dir", str(tmp_path))
    with pytest.raises(ConnectionError) as error:
        load_weights("COCO_V1")
    for words in ("COCO_V1", "download.pytorch.org", str(tmp_path), "weights=None"):
        assert words in str(error.value)

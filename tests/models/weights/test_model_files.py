"""Model files: the same model comes back, and every damaged or foreign file is named."""

import copy
import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from roilearn.models import (
    COORDINATES,
    load_model,
    mask_rcnn_resnet50_fpn,
    mask_rcnn_tiny,
    save_model,
)
from roilearn.models.weights.model_files import read_model_file

SMALL = {
    "num_classes": 3,
    "coordinates": replace(COORDINATES["torchvision"], paste="aligned"),
    "widths": (8, 16, 32),
    "channels": 16,
    "representation_size": 32,
    "mask_layers": (16, 16),
    "anchor_sizes": ((12, 16), (24, 32), (48, 64), (96, 112)),
    "rpn_options": {"nms_threshold": 0.6},
    "score_threshold": 0.0,
}


@pytest.fixture(scope="module")
def model():
    """A small model whose statistics have been trained away from what they begin with."""
    torch.manual_seed(0)
    made = mask_rcnn_tiny(**SMALL)
    for name, buffer in made.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(1e-9, 2)
    return made.eval()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new folder" / "model.safetensors"


def contents(path):
    with safe_open(path, framework="pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_the_same_model_comes_back(model, path):
    assert save_model(model, path, "mask_rcnn_tiny", SMALL, ("disc", "square")) == path
    again, names = load_model(path)
    assert names == ("disc", "square")
    assert not again.training
    state = model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())
    image = torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        (ours,), (theirs,) = model([image]), again([image])
    assert len(ours["boxes"])
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_options_survive_json(model, path):
    """Tuples in tuples, dictionaries, and coordinates of one's own; weights in another layout."""
    model = copy.deepcopy(model).to(memory_format=torch.channels_last)
    save_model(model, path, "mask_rcnn_tiny", SMALL)
    again, names = load_model(path)
    assert names == ()
    for part in ("sizes", "offset", "rounded"):
        old, new = (getattr(each.rpn.anchor_generator, part) for each in (model, again))
        assert old == new
    assert again.rpn.propose.keywords == model.rpn.propose.keywords
    assert again.transform.paste == "aligned"
    assert not again.roi_heads.options.mask_target_aligned
    described = json.loads(contents(path)[0]["roilearn"])
    assert described.keys() == {"builder", "options", "names"}


def test_loading_draws_no_random_number(model, path):
    save_model(model, path, "mask_rcnn_tiny", SMALL)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    load_model(path)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_halves_parameters_and_keeps_statistics(model, path, dtype):
    save_model(model, path, "mask_rcnn_tiny", SMALL, dtype=dtype)
    stored = contents(path)[1]
    again, _ = load_model(path)
    parameters = dict(model.named_parameters())
    for name, value in again.state_dict().items():
        true = model.state_dict()[name]
        assert value.dtype == true.dtype
        if name in parameters:
            assert stored[name].dtype == dtype
            assert torch.equal(value, true.to(dtype).float())
        else:
            assert torch.equal(value, true)


def test_torchvisions_model_with_frozen_normalisation_comes_back(path):
    options = {
        "num_classes": 4,
        "frozen_batch_norm": True,
        "norm_eps": 0.0,
        "trainable_backbone_layers": 3,
    }
    model = mask_rcnn_resnet50_fpn(**options)
    save_model(model, path, "mask_rcnn_resnet50_fpn", options, dtype=torch.float16)
    again = load_model(path)[0]
    assert again.backbone.body.bn1.eps == 0
    trained = [name for name, value in again.named_parameters() if value.requires_grad]
    assert trained == [name for name, value in model.named_parameters() if value.requires_grad]
    wrong = {**options, "norm_eps": 1e-5}
    with pytest.raises(ValueError, match=r"eps is 1e-05, and it is 0\.0"):
        save_model(model, path, "mask_rcnn_resnet50_fpn", wrong)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"num_classes": 4}, ValueError, r"options must make the model that is saved.*\(4, 32\)"),
        ({"weights": "x.pth"}, ValueError, "options must not hold weights"),
        (
            {"backbone_options": {"norm": torch.nn.BatchNorm2d}},
            TypeError,
            "what JSON can; got backbone_",
        ),
        ({"score_threshold": float("nan")}, TypeError, "what JSON can; got score_threshold=nan"),
        ({"mask_size": 3}, TypeError, "mask_size"),
    ],
)
def test_options_that_cannot_be_written(model, path, wrong, error, said):
    with pytest.raises(error, match=said):
        save_model(model, path, "mask_rcnn_tiny", {**SMALL, **wrong})
    assert not path.exists()


def test_a_folder_is_no_file_to_write(model, tmp_path):
    with pytest.raises(IsADirectoryError, match=r"path must be a file; .* is a folder\. Name a"):
        save_model(model, tmp_path, "mask_rcnn_tiny", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_other_arguments_that_cannot_be(model, path):
    with pytest.raises(ValueError, match="builder must be one of 'mask_rcnn_resnet50_fpn'"):
        save_model(model, path, "print", SMALL)
    with pytest.raises(ValueError, match="names must be one for each class but background, 2"):
        save_model(model, path, "mask_rcnn_tiny", SMALL, ("disc",))
    with pytest.raises(ValueError, match="dtype must be a floating type"):
        save_model(model, path, "mask_rcnn_tiny", SMALL, dtype=torch.int8)
    large = mask_rcnn_tiny(**SMALL)
    torch.nn.init.constant_(large.rpn.head.bbox_pred.bias, 1e5)
    with pytest.raises(ValueError, match=r"dtype must hold .* rpn\.head\.bbox_pred\.bias"):
        save_model(large, path, "mask_rcnn_tiny", SMALL, dtype=torch.float16)


def test_a_failure_leaves_the_older_file_and_nothing_else(model, path, monkeypatch):
    save_model(model, path, "mask_rcnn_tiny", SMALL)
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_model(mask_rcnn_tiny(**SMALL), path, "mask_rcnn_tiny", SMALL)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_files_that_are_none(model, path):
    with pytest.raises(FileNotFoundError, match="there is none at"):
        load_model(path)
    save_model(model, path, "mask_rcnn_tiny", SMALL)
    with pytest.raises(FileNotFoundError, match="there is none at"):
        load_model(path.parent)
    whole = path.read_bytes()
    for torn in (b"", whole[:1000], whole[:-1], b"no weights at all" * 9):
        path.write_bytes(torn)
        with pytest.raises(ValueError, match="path must be a whole safetensors file"):
            load_model(path)


@pytest.mark.parametrize("header", [None, {"roilearn": "[]"}, {"roilearn": '{"maker": "x"'}])
def test_files_of_others(model, path, header):
    path.parent.mkdir()
    save_file(model.state_dict(), path, header)
    with pytest.raises(ValueError, match="path must be a file that save_model wrote"):
        load_model(path)
    best = path.with_name("best.safetensors")
    save_model(model, best, "mask_rcnn_tiny", SMALL)
    with pytest.raises(ValueError, match=r"Give .*best\.safetensors, which lies beside it"):
        load_model(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"builder": "print"}, "builder must be one of"),
        ({"options": {"num_classes": 3}}, "size mismatch"),
        ({"options": {"num_classes": 3, "colour": "red"}}, "colour"),
        ({"options": {"num_classes": 3, "weights": "other.pth"}}, "must not hold weights"),
        ({"options": {"num_classes": 3, "coordinates": {"paste": "aligned"}}}, "aligned"),
    ],
)
def test_headers_that_do_not_fit(model, path, change, said):
    save_model(model, path, "mask_rcnn_tiny", SMALL)
    header, tensors = contents(path)
    described = json.loads(header["roilearn"]) | change
    save_file(tensors, path, {"roilearn": json.dumps(described)})
    with pytest.raises(ValueError, match=f"(?s)path must be a file whose weights fit.*{said}"):
        load_model(path)


def test_missing_and_surplus_weights_are_refused(model, path):
    save_model(model, path, "mask_rcnn_tiny", SMALL)
    header, tensors = contents(path)
    first = next(iter(tensors))
    for changed in (
        {name: value for name, value in tensors.items() if name != first},
        {**tensors, "another": torch.zeros(1)},
    ):
        save_file(changed, path, header)
        with pytest.raises(ValueError, match=r"(Missing|Unexpected) key\(s\)"):
            load_model(path)


def test_a_file_says_what_was_not_said_so_that_later_defaults_change_nothing(tmp_path):
    save_model(mask_rcnn_tiny(**SMALL), tmp_path / "a.safetensors", "mask_rcnn_tiny", SMALL)
    described, _ = read_model_file(tmp_path / "a.safetensors")
    assert described["options"]["canonical_scale"] == 112
    assert described["options"]["rpn_batch_size_per_image"] == 64
    assert not {"weights", "fold"} & described["options"].keys()

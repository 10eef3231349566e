"""Older model files load: the shipped one, and files with all options under their old names."""

import json

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from roilearn.models import TRAINED, load_model, mask_rcnn_resnet50_fpn, mask_rcnn_tiny

OLD = {
    "num_classes": 3,
    "coordinates": {
        "half_cell": True,
        "target_half_cell": False,
        "paste": "aligned",
        "anchor_offset": 0.5,
        "anchor_rounded": False,
    },
    "widths": [8, 16, 32],
    "depths": [1, 1, 1],
    "channels": 16,
    "normalised": False,
    "before": {"training": 6, "testing": 5},
    "after": {"training": 4, "testing": 3},
    "anchors_sampled": 12,
    "sampled": 7,
    "box_cells": 5,
    "mask_cells": 6,
    "per_image": 2,
    "body": {"stem_size": 5},
    "rpn": {"iou_threshold": 0.6, "high": 0.8, "low": 0.2},
}


def write_old(path, model, maker, options, names=()):
    """Write a file with a header as ``save_model`` wrote it before."""
    header = {"maker": maker, "options": options, "names": list(names)}
    save_file(model.state_dict(), path, {"roilearn": json.dumps(header)})
    return path


def test_the_shipped_file_has_an_old_header_and_loads():
    with safe_open(TRAINED["SHAPES"], framework="pt") as file:
        header = json.loads(file.metadata()["roilearn"])
    assert {"maker", "options"} <= header.keys()
    assert {"sampled", "anchors_sampled", "before", "normalised"} <= header["options"].keys()
    model, names = load_model("SHAPES")
    assert names == ("disc", "square", "triangle")
    assert model.roi_heads.options.batch_size_per_image == header["options"]["sampled"] == 32
    assert model.rpn.pre_nms_top_n == header["options"]["before"]


def test_every_old_name_of_an_option_means_what_it_meant(tmp_path):
    torch.manual_seed(0)
    model = mask_rcnn_tiny(
        3, widths=(8, 16, 32), depths=(1, 1, 1), channels=16, batch_norm=False,
        box_pooler_resolution=5, mask_pooler_resolution=6, backbone_options={"stem_size": 5},
    )  # fmt: skip
    path = write_old(tmp_path / "old.safetensors", model, "mask_rcnn_tiny", OLD, ("disc", "square"))
    again, names = load_model(path)
    assert names == ("disc", "square")
    state = model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())
    options = again.roi_heads.options
    assert (options.batch_size_per_image, options.detections_per_image) == (7, 2)
    assert again.roi_heads.box_roi_pool.aligned
    assert not options.mask_target_aligned
    assert (again.rpn.pre_nms_top_n, again.rpn.post_nms_top_n) == (OLD["before"], OLD["after"])
    assert again.rpn.propose.keywords["nms_threshold"] == 0.6
    losses = again.rpn.losses.keywords
    assert losses["batch_size_per_image"] == 12
    assert (losses["positive_iou"], losses["negative_iou"]) == (0.8, 0.2)


def test_an_old_file_of_the_large_model_loads(tmp_path):
    options = {"num_classes": 2, "frozen": True, "trainable_layers": 1, "norm_eps": 0.0}
    model = mask_rcnn_resnet50_fpn(num_classes=2, frozen_batch_norm=True, norm_eps=0.0)
    path = write_old(tmp_path / "large.safetensors", model, "mask_rcnn_resnet50_fpn", options)
    body = load_model(path)[0].backbone.body
    trained = {name.split(".")[0] for name, p in body.named_parameters() if p.requires_grad}
    assert trained == {"layer4"}

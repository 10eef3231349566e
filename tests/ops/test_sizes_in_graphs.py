"""Sizes of images and maps stay sizes in a recorded graph: it serves others than the example's."""

import onnxruntime
import pytest
import torch
from onnx_files import EXPECTED_WARNINGS
from torch import nn

from roilearn import ops

pytestmark = [
    *EXPECTED_WARNINGS,
    pytest.mark.filterwarnings("ignore:.*torch.jit.trace"),  # a FutureWarning since PyTorch 2.14
]

IMAGES = torch.rand(1, 3, 96, 128), torch.rand(1, 3, 160, 192)
MAPS = torch.rand(1, 4, 12, 16), torch.rand(1, 4, 20, 24)
BOXES = torch.tensor([[-3.0, 2, 400, 90], [5, 6, 40, 500]]), torch.tensor([[9.0, 4, 170, 150]])
POOL = ops.MultiScaleRoIAlign(["0", "1"], 3, 2, canonical_scale=40)
MASKS = torch.rand(2, 1, 5, 5)


def strides(image, features):
    return [a // b for a, b in zip(image.shape[-2:], features.shape[-2:], strict=True)]


FUNCTIONS = {
    "clip": lambda image, _, b: ops.clip_boxes_to_image(b, image.shape[-2:]),
    "clip whole numbers": lambda image, _, b: ops.clip_boxes_to_image(b.long(), image.shape[-2:]),
    "clip halves": lambda image, _, b: ops.clip_boxes_to_image(b.half(), image.shape[-2:]),
    "anchors": lambda image, x, _: ops.generate_anchors(x.shape[-2:], strides(image, x), (16, 32)),
    "pyramid of anchors": lambda _, x, __: torch.cat(
        ops.pyramid_anchors([x.shape[-2:], x[..., ::2, ::2].shape[-2:]], (8, 16), (16, 32))
    ),
    "module": lambda image, x, b: POOL({"0": x, "1": x[..., ::2, ::2]}, [b], [image.shape[-2:]]),
    "pyramid": lambda _, x, b: ops.multi_scale_roi_align(
        [x, x[..., ::2, ::2]], [b], 3, [1 / 8, 1 / 16], 2, False, 40
    ),
    "paste": lambda image, _, b: ops.paste_masks_in_image(
        MASKS[: b.shape[0]], b, image.shape[-2:], coordinates="aligned"
    ),
}


class Model(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, image, x, b):
        return FUNCTIONS[self.name](image, x, b)


def inputs(number, name):
    boxes = BOXES[number]
    if name == "paste":  # as many masks as in the example
        boxes = boxes.expand(2, 4)
    return IMAGES[number], MAPS[number], boxes


@pytest.mark.parametrize("name", FUNCTIONS)
def test_traced_for_one_size_and_run_for_another(name):
    model = Model(name)
    traced = torch.jit.trace(model, inputs(0, name), check_trace=False)
    for number in (0, 1):
        torch.testing.assert_close(traced(*inputs(number, name)), model(*inputs(number, name)))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "clip halves"])
def test_a_file_for_any_size(name, tmp_path):
    names, model = ["x0", "x1", "x2"], Model(name)
    sizes = {"x0": {2: "a", 3: "b"}, "x1": {2: "c", 3: "d"}, "x2": {0: "e"}}
    path = tmp_path / "model.onnx"
    settings = {"input_names": names, "dynamic_axes": sizes, "opset_version": 18}
    torch.onnx.export(model, inputs(0, name), path, dynamo=False, **settings)
    found = run_file(path, dict(zip(names, inputs(1, name), strict=True)))
    torch.testing.assert_close(found, model(*inputs(1, name)), rtol=1e-4, atol=1e-4)


def run_file(path, named):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    used = {each.name for each in session.get_inputs()}
    arrays = {name: value.numpy() for name, value in named.items() if name in used}
    return torch.tensor(session.run(None, arrays)[0])

"""Dispatch between kernels and PyTorch, for devices and dtypes that need not be present."""

import pytest
import torch

from roilearn import ops
from roilearn.ops import dispatch

FLOAT, DOUBLE = {torch.float32}, {torch.float64}


@pytest.mark.parametrize("dtype", dispatch.KERNEL_DTYPES)
def test_tensors_on_a_gpu_go_to_the_kernels(dtype):
    assert dispatch.kernels_support({"cuda"}, {dtype}, FLOAT)
    assert dispatch.kernels_support({"cuda"}, {dtype}, {torch.float16, torch.float32}, 5, 32)


@pytest.mark.parametrize(
    "arguments",
    [
        ({"cpu"}, FLOAT, FLOAT),
        ({"cuda", "cpu"}, FLOAT, FLOAT),
        ({"mps"}, FLOAT, FLOAT),
        ({"cuda"}, DOUBLE, FLOAT),
        ({"cuda"}, FLOAT, DOUBLE),
        ({"cuda"}, {torch.float32, torch.float16}, FLOAT),
        ({"cuda"}, {torch.int64}, FLOAT),
        ({"cuda"}, FLOAT, FLOAT, 6),
        ({"cuda"}, FLOAT, FLOAT, 1, 33),
    ],
)
def test_all_else_stays(arguments):
    assert not dispatch.kernels_support(*arguments)


def test_on_the_cpu_nobody_looks_for_the_kernels(monkeypatch):
    monkeypatch.setattr(dispatch, "import_module", None)
    boxes = torch.tensor([[0.0, 1, 1, 5, 5]])
    features = torch.arange(36.0).view(1, 1, 6, 6)
    assert dispatch.kernels_for([features], boxes) is None
    assert dispatch.kernels_for([features], [boxes[:, 1:]]) is None
    assert ops.roi_align(features, boxes, 1).shape == (1, 1, 1, 1)


@pytest.mark.parametrize("installed", [True, False])
def test_the_module_is_found_by_name_where_triton_is(monkeypatch, installed):
    monkeypatch.setattr(dispatch, "has_triton", lambda: installed)
    monkeypatch.setattr(dispatch, "kernels_support", lambda *_: True)
    monkeypatch.setattr(dispatch, "import_module", lambda name: name)
    found = dispatch.kernels_for([torch.zeros(1)], torch.zeros(1))
    assert found == ("roilearn.kernels" if installed else None)

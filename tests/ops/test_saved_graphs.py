"""Saved graphs load in a new process, once one import has registered our operators.

Each graph holds a node of ours. The new process imports nothing else of the package.
"""

import subprocess
import sys

import pytest
import torch
from torch import nn

from roilearn import ops

MAP = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
ROIS = torch.tensor([[0.0, 1, 1, 6, 5], [0, 2, 3, 4, 8]])
LOAD = {
    "pt2": "torch.export.load({path!r}).module()",
    "pt": "torch.jit.load({path!r})",
}


class Head(nn.Module):
    """Adaptive pooling, rotated pooling and NMS: three nodes whose sizes depend on values."""

    def forward(self, features, rois):
        pooled = ops.roi_align(features, rois, 2) + ops.ps_roi_pool(features, rois, 2)
        kept = ops.nms(rois[:, 1:], rois[:, 1], 0.9)
        return pooled.sum() + kept.sum()


def save(kind, path):
    if kind == "pt2":
        torch.export.save(torch.export.export(Head(), (MAP, ROIS)), path)
    else:
        torch.jit.save(torch.jit.trace(Head(), (MAP, ROIS), check_trace=False), path)


def answer_of_a_new_process(kind, path, first_line):
    inputs = path.with_suffix(".inputs")
    torch.save((MAP, ROIS), inputs)
    script = (
        f"import torch; {first_line}; model = {LOAD[kind].format(path=str(path))}; "
        f"print(model(*torch.load({str(inputs)!r})).item())"
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


@pytest.mark.filterwarnings(
    "ignore::torch.jit.TracerWarning",
    "ignore:.torch.jit:DeprecationWarning",
    "ignore:.torch.jit:FutureWarning",  # since PyTorch 2.14
)
@pytest.mark.parametrize("kind", LOAD)
def test_one_import_makes_a_saved_graph_load(kind, tmp_path):
    path = tmp_path / f"graph.{kind}"
    save(kind, path)
    done = answer_of_a_new_process(kind, path, "import roilearn.ops.custom_ops")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) == pytest.approx(Head()(MAP, ROIS).item(), rel=1e-5)
    without = answer_of_a_new_process(kind, path, "import roilearn.ops")
    assert without.returncode != 0
    assert "roilearn" in without.stderr


def test_every_operator_of_values_is_registered_by_the_import():
    script = "import torch, roilearn.ops.custom_ops; print(*dir(torch.ops.roilearn))"
    names = {f"{name}_of_values" for name in ops.__all__ if name.endswith(("_pool", "_rotated"))}
    names |= {"roi_align_of_values", "ps_roi_align_of_values", "multi_scale_roi_align_of_values"}
    script += f"; [getattr(torch.ops.roilearn, name) for name in {sorted({*names, 'nms'})!r}]"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

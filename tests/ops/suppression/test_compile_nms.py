"""NMS in traced graphs: one node, whose output has an unknown length."""

import pytest
import torch

from roilearn import ops


@pytest.fixture(autouse=True)
def _outputs_of_unknown_length():
    """torch 2.9 compiles them where it is told to, and says how; 2.14 without being told."""
    if torch.__version__ >= (2, 14):
        yield
        return
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        yield


class Keep(torch.nn.Module):
    def forward(self, boxes, scores, idxs):
        kept = ops.nms(boxes, scores, 0.5)
        in_groups = ops.batched_nms(boxes, scores, idxs, 0.5)
        return boxes[kept] * 2, scores[in_groups]


def inputs(count):
    generator = torch.Generator().manual_seed(count)
    corner = torch.rand(count, 2, generator=generator) * 30
    boxes = torch.cat([corner, corner + 9], 1)
    return boxes, torch.rand(count, generator=generator), torch.arange(count) % 3


def check(program, count):
    for ours, eager in zip(program(*inputs(count)), Keep()(*inputs(count)), strict=True):
        assert torch.equal(ours, eager)


def test_compiled_as_one_graph():
    torch._dynamo.reset()
    compiled = torch.compile(Keep(), fullgraph=True, dynamic=True, backend="aot_eager")
    for count in (40, 7, 300):
        check(compiled, count)


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_program_serves_any_number_of_boxes(strict):
    boxes = torch.export.Dim("boxes", min=2)
    program = torch.export.export(
        Keep(), inputs(40), dynamic_shapes=({0: boxes}, {0: boxes}, {0: boxes}), strict=strict
    )
    assert "roilearn.nms" in str(program.graph)
    for count in (40, 7, 300):
        check(program.module(), count)


def test_gradients_pass_by_the_node():
    torch._dynamo.reset()
    compiled = torch.compile(Keep(), fullgraph=True, dynamic=True, backend="aot_eager")
    boxes, scores, idxs = inputs(40)
    boxes.requires_grad_()
    compiled(boxes, scores, idxs)[0].sum().backward()
    expected = torch.zeros(40).index_fill(0, ops.nms(boxes, scores, 0.5), 2.0)
    assert torch.equal(boxes.grad, expected[:, None].expand(40, 4))


def test_bad_values_are_told_in_a_graph_too():
    torch._dynamo.reset()
    compiled = torch.compile(Keep(), fullgraph=True, dynamic=True, backend="aot_eager")
    boxes, scores, idxs = inputs(40)
    boxes[3, 1] = torch.nan
    with pytest.raises(ValueError, match=r"boxes must be finite; got .* in row 3"):
        compiled(boxes, scores, idxs)


def test_the_operator_keeps_pytorchs_rules():
    torch.library.opcheck(torch.ops.roilearn.nms.default, (*inputs(30), 0.5))
    boxes, scores, _ = inputs(30)
    torch.library.opcheck(torch.ops.roilearn.nms.default, (boxes, scores, None, 0.5))

"""NMS in ONNX files: the node of the engine keeps the same boxes, in the same order.

Exported with 12 boxes and run with 200, with 1 and with none. Scores are in steps, so that there
are ties; some boxes are inverted or have no area.
"""

import pytest
import torch
from onnx_files import EXPECTED_WARNINGS, EXPORTERS, export, kinds_of_nodes, run

from roilearn import ops

pytestmark = EXPECTED_WARNINGS


def draw(count):
    """Boxes with ties among the scores, in groups that may be negative."""
    source = torch.Generator().manual_seed(count)
    corner, size = torch.rand(count, 2, generator=source), torch.rand(count, 2, generator=source)
    boxes = torch.cat([40 * corner, 40 * corner + 30 * size - 3], 1)
    scores = (8 * torch.rand(count, generator=source)).round() / 8 - 0.5
    return boxes, scores, torch.randint(-1, 4, (count,), generator=source)


OPERATORS = {
    "nms": lambda boxes, scores, idxs: ops.nms(boxes, scores, 0.3) + 0 * idxs.sum(),
    "batched_nms": lambda boxes, scores, idxs: ops.batched_nms(boxes, scores, idxs, 0.3),
}


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("name", OPERATORS)
def test_the_file_keeps_the_same_boxes_in_the_same_order(name, dynamo):
    model = export(OPERATORS[name], draw(12), dynamo)
    assert "NonMaxSuppression" in kinds_of_nodes(model)
    for count in (200, 12, 1, 0):
        kept = OPERATORS[name](*draw(count))
        assert run(model, *draw(count)).tolist() == kept.tolist()
        assert len(kept) < count or count < 200


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_a_threshold_that_a_float_rounds_up_is_not_passed(dynamo):
    """An IoU of exactly 0.3 in float32 is above 0.3, for the float lies above it."""
    boxes = torch.tensor([[0.0, 0, 13, 10], [7, 0, 20, 10], [0, 0, 13, 10]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    for threshold in (0.3, 0.30000001):
        model = export(
            lambda b, s, threshold=threshold: ops.nms(b, s, threshold), (boxes, scores), dynamo
        )
        kept = ops.nms(boxes, scores, threshold)
        assert run(model, boxes, scores).tolist() == kept.tolist()

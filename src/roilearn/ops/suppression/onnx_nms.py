"""NMS in an ONNX file: the node NonMaxSuppression, with a row of scores for each group of boxes.

The node suppresses within each row of scores on its own, which is what ``batched_nms`` wants: a box
has its score in the row of its group, and minus infinity in the others. The node returns the kept
boxes row by row; they are sorted by score afterwards.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from roilearn.ops.onnx.nodes import OnnxNode

NO_LIMIT = 2**31 - 1
"""Number of boxes that each row may keep."""
VERSION = 11
"""Opset in which NonMaxSuppression got its present meaning."""


def nms_node(
    suppress: Callable[..., Tensor], threshold_in_dtype: Callable[[type, float], float]
) -> Callable[..., Tensor]:
    """Return the function that records NMS for an ONNX file.

    Parameters
    ----------
    suppress : function of (boxes, scores, idxs, iou_threshold), which runs on the example.
    threshold_in_dtype : rounds a threshold down to a number of a dtype.

    Returns
    -------
    Function of the same arguments. Boxes and scores are compared in float32, as engines do.
    """

    def run(
        boxes: Tensor, scores: Tensor, limit: Tensor, iou_threshold: Tensor, least: Tensor
    ) -> Tensor:
        del limit
        found = [boxes.new_zeros(0, 3, dtype=torch.int64)]
        for row, of_row in enumerate(scores[0]):
            members = (of_row > least).nonzero()[:, 0]
            kept = suppress(boxes[0, members], of_row[members], None, float(iou_threshold))
            batch_and_row = torch.tensor([0, row], device=boxes.device).expand(len(kept), 2)
            found.append(torch.cat([batch_and_row, members[kept, None]], 1))
        return torch.cat(found)

    node = OnnxNode("onnx_nms", run, "NonMaxSuppression", nms_attributes, VERSION)

    def record(
        boxes: Float[Tensor, "N 4"],
        scores: Float[Tensor, " N"],
        idxs: Int[Tensor, " N"] | None,
        iou_threshold: float,
    ) -> Int64[Tensor, " kept"]:
        # The node would swap the corners of an inverted box, which overlaps nothing here.
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1, keepdim=True)
        corners = torch.where(solid, boxes.float(), 0)
        rows = rows_of_groups(scores.float(), idxs)  # [groups, N]
        numbers = (
            torch.tensor([value], dtype=dtype, device=boxes.device)
            for value, dtype in (
                (NO_LIMIT, torch.int64),
                (threshold_in_dtype(np.float32, iou_threshold), torch.float32),
                (-torch.inf, torch.float32),
            )
        )
        unknown = scores.isfinite().nonzero().shape[0]  # stands for the number of kept boxes
        operands = (corners[None], rows[None], *numbers)
        kept = node.record(operands, (), torch.int64, (unknown, 3))[:, 2].sort()[0]
        return kept[scores[kept].sort(descending=True)[1]]  # in a file ties keep their order

    return record


def nms_attributes() -> dict[str, Any]:
    """Attributes of NonMaxSuppression: boxes are two corners."""
    return {"center_point_box": 0}


def rows_of_groups(
    scores: Float[Tensor, " N"], idxs: Int[Tensor, " N"] | None
) -> Float[Tensor, "groups N"]:
    """Scores in a row for each group: minus infinity for the boxes of other groups."""
    scores = scores.clamp(min=torch.finfo(scores.dtype).min)  # the node drops minus infinity
    if idxs is None:
        return scores[None]
    numbers = torch.cat([idxs.long(), idxs.new_zeros(1, dtype=torch.int64)])  # one box at least
    first, last = numbers.min(), numbers.max()
    groups: Any = last - first + 1  # a tensor, for the older exporter
    if torch.compiler.is_compiling():
        groups = groups.item()
    row = first + torch.arange(groups, device=idxs.device)
    return torch.where(idxs.long() == row[:, None], scores, -torch.inf)

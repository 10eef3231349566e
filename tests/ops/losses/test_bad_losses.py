"""Wrong arguments of the losses: both implementations raise the same error."""

import numpy as np
import pytest

from roilearn import ops

BOXES = np.array([[1.0, 2.0, 4.0, 6.0], [0.0, 0.0, 9.0, 3.0]])
LOGITS = np.zeros((2, 3))
IOU_LOSSES = ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"]


@pytest.mark.parametrize("name", IOU_LOSSES)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((BOXES, BOXES[:1]), r"boxes2 must have the shape of boxes1, .* \(1, 4\) and \(2, 4\)"),
        ((BOXES[:, :3], BOXES[:, :3]), r"boxes1 must hold 4 numbers for each box"),
        ((BOXES, BOXES * np.nan), r"boxes2 must be finite; got \[nan"),
        ((BOXES + np.inf, BOXES), r"boxes1 must be finite"),
        ((BOXES, BOXES, "average"), r"reduction must be one of 'none', 'mean', 'sum'; got 'ave"),
        ((BOXES, BOXES, "none", -1e-7), r"eps must be at least 0; got -1e-07"),
        ((BOXES, BOXES, "none", np.nan), r"eps must be at least 0; got nan"),
    ],
)
def test_iou_losses(call_by_name, name, arguments, message):
    with pytest.raises(ValueError, match=message):
        call_by_name(name, *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LOGITS, LOGITS[:1]), r"targets must have the shape of inputs, .* \(1, 3\) and \(2, 3\)"),
        ((LOGITS, LOGITS, 1.5), r"alpha must lie from 0 to 1, or be -1 for no weights; got 1\.5"),
        ((LOGITS, LOGITS, -0.5), r"alpha must lie from 0 to 1"),
        ((LOGITS, LOGITS, 0.25, -1), r"gamma must be at least 0; got -1"),
        ((LOGITS, LOGITS, 0.25, np.nan), r"gamma must be at least 0; got nan"),
        ((LOGITS, LOGITS, 0.25, 2, None), r"reduction must be one of .* got None"),
    ],
)
def test_focal_loss(call_by_name, arguments, message):
    with pytest.raises(ValueError, match=message):
        call_by_name("sigmoid_focal_loss", *arguments)
    with pytest.raises(TypeError, match=r"inputs must be floating point; got .*int64"):
        call_by_name("sigmoid_focal_loss", LOGITS.astype(int), LOGITS)


@pytest.mark.parametrize("name", [*IOU_LOSSES, "sigmoid_focal_loss"])
def test_arrays_where_tensors_are_wanted(name):
    with pytest.raises(TypeError, match=r"must be a torch tensor; got ndarray"):
        getattr(ops, name)(BOXES, BOXES)

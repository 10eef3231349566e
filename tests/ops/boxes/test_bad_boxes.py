"""Invalid boxes, deltas and anchors: both implementations raise the same error."""

import numpy as np
import pytest
import torch

from roilearn import ops

BOXES = np.array([[1.0, 2.0, 4.0, 6.0], [0.0, 0.0, 9.0, 3.0]])
WIDER = np.ones((2, 5))
NAN = np.array([[1.0, 2.0, 4.0, 6.0], [np.nan, 0.0, 9.0, 3.0]])
FLAT = np.array([[1.0, 2.0, 4.0, 6.0], [3.0, 0.0, 3.0, 3.0]])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("box_area", (WIDER,), r"boxes must have shape \(K, 4\).* got shape \(2, 5\)"),
        ("box_area", (BOXES[0],), r"boxes must have shape \(K, 4\).* got shape \(4,\)"),
        ("box_area", (BOXES, "yxyx"), r"fmt must be one of 'xyxy', 'xywh', 'cxcywh'; got 'yxyx'"),
        ("box_convert", (WIDER, "xyxy", "xywh"), r"4 numbers for each box .* got shape \(2, 5\)"),
        ("box_convert", (NAN, "xyxy", "xywh"), r"boxes must be finite; got \[nan, .* in row 1"),
        ("box_convert", (BOXES, "xyhw", "xywh"), r"in_fmt must be one of .* got 'xyhw'"),
        ("box_convert", (WIDER, "xywhr", "xywh"), r"out_fmt must be .*'xyxyxyxy', as .*'xywh', a"),
        ("box_convert", (BOXES, "xywh", "xywhr"), r"out_fmt must be one of .* got 'xywhr', a form"),
        ("box_convert", (BOXES, "xywhr", "cxcywhr"), r"5 numbers for each box .* shape \(2, 4\)"),
        ("box_convert", (WIDER, "xyxyxyxy", "xywhr"), r"8 numbers for each .* shape \(2, 5\)"),
        ("box_convert", (WIDER * np.nan, "xywhr", "cxcywhr"), r"boxes must be finite"),
        ("clip_boxes_to_image", (NAN, (3, 4)), r"boxes must be finite"),
        ("clip_boxes_to_image", (BOXES, (3, 0)), r"size must be at least 1 along both axes"),
        ("clip_boxes_to_image", (BOXES, (1, 2, 3)), r"size must be a whole number or a pair"),
        ("remove_small_boxes", (NAN, 1), r"boxes must be finite"),
        ("generalized_box_iou", (BOXES, NAN), r"boxes2 must be finite"),
        ("encode_boxes", (BOXES, BOXES[:1]), r"anchors must have a row for each of boxes; got 1 "),
        ("encode_boxes", (FLAT, BOXES), r"boxes must have a width and .*\[3, 0, 3, 3\].* row 1"),
        ("encode_boxes", (BOXES, FLAT), r"anchors must have a width and a height above 0"),
        ("encode_boxes", (BOXES, BOXES, (1, 1)), r"weights must be 4 numbers.* got 2"),
        ("encode_boxes", (BOXES, BOXES, (1, 1, 0, 1)), r"weights must be finite and positive"),
        ("decode_boxes", (np.ones((2, 8)), BOXES), r"reshape\(len\(deltas\), -1, 4\)"),
        ("decode_boxes", (np.ones((3, 4)), BOXES), r"anchors must have a row for each of deltas"),
        ("decode_boxes", (NAN, BOXES), r"deltas must be finite"),
        ("decode_boxes", (BOXES, NAN), r"anchors must be finite"),
        *(
            ("decode_boxes", (BOXES, BOXES, (1, 1, 1, 1), log), r"scale_clamp must be at least 0")
            for log in (np.nan, -1, -np.inf)
        ),
        ("generate_anchors", ((1, 2), 16, 8, 1.0, np.nan), r"offset must be a finite number; got"),
        ("remove_small_boxes", (BOXES, np.nan), r"min_size must be a finite number; got nan"),
    ],
)
def test_bad_values(call_by_name, name, arguments, message):
    with pytest.raises(ValueError, match=message):
        call_by_name(name, *arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("decode_boxes", (np.ones((2, 4), int), BOXES), r"deltas must be floating point"),
        ("decode_boxes", (BOXES, BOXES, (1, 1, 1, 1), "0"), r"scale_clamp must be a number"),
        ("generate_anchors", ((2, 2.5), 8, 4), r"feature_size must be a whole number; got 2\.5"),
        ("generate_anchors", ((2, 2), "8", 4), r"stride must be a number; got '8'"),
        ("base_anchors", (4, 1.0, "no"), r"rounded must be True or False"),
        ("remove_small_boxes", (BOXES, "4"), r"min_size must be a number; got '4'"),
        ("encode_boxes", (BOXES, BOXES, np.ones(4)), r"weights must be a list .* weights\.tolist"),
        ("box_area", (BOXES.astype(complex),), r"boxes must hold real numbers .* got .*complex128"),
        ("assign_levels", (BOXES, "2"), r"min_level must be a whole number; got '2'"),
        ("assign_levels", (BOXES, 2, 4.5), r"max_level must be a whole number; got 4\.5"),
        ("assign_levels", (BOXES, 2, 5, "224"), r"canonical_scale must be a number; got '224'"),
        ("assign_levels", (BOXES, 2, 5, 224, "4"), r"canonical_level must be a whole number"),
    ],
)
def test_bad_kinds(call_by_name, name, arguments, message):
    with pytest.raises(TypeError, match=message):
        call_by_name(name, *arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("box_convert", (BOXES, "xyxy", "xywh")),
        ("clip_boxes_to_image", (BOXES, (3, 4))),
        ("remove_small_boxes", (BOXES, 1)),
        ("encode_boxes", (BOXES, BOXES)),
        ("decode_boxes", (BOXES, BOXES)),
    ],
)
def test_arrays_where_tensors_are_wanted(name, arguments):
    with pytest.raises(TypeError, match=r"must be a torch tensor; got ndarray"):
        getattr(ops, name)(*arguments)


def test_whole_numbers_are_served(call_by_name):
    whole = np.array([[0, 0, 200, 100]], np.uint8)
    assert call_by_name("box_convert", whole, "xyxy", "cxcywh").tolist() == [[100, 50, 200, 100]]
    assert call_by_name("box_convert", whole, "xywh", "xyxy").tolist() == [[0, 0, 200, 100]]
    right = np.array([[200, 10, 100, 30]], np.uint8)
    assert call_by_name("box_convert", right, "xywh", "xyxy").tolist() == [[200, 10, 300, 40]]
    assert call_by_name("clip_boxes_to_image", whole, (50, 60)).tolist() == [[0, 0, 60, 50]]
    assert call_by_name("encode_boxes", whole, whole).tolist() == [[0, 0, 0, 0]]


def test_anchors_in_a_dtype_that_cannot_hold_them():
    for dtype in (torch.int64, torch.bool):
        with pytest.raises(TypeError, match=r"dtype must be floating point; got torch\."):
            ops.generate_anchors((1, 2), 16, 8, dtype=dtype)
    with pytest.raises(ValueError, match=r"dtype must hold .* up to 80000; got torch\.float16"):
        ops.generate_anchors((1, 5000), 16, 8, dtype=torch.float16)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.float16])
def test_images_larger_than_the_dtype_of_the_boxes_are_served(call_by_name, dtype):
    boxes = np.array([[0, 1, 100, 120]], dtype)
    assert call_by_name("clip_boxes_to_image", boxes, (100_000, 90)).tolist() == [[0, 1, 90, 120]]

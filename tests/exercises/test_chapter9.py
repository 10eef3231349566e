"""The answers of chapter 9 are right by another road: the package's anchors and box coding."""

import numpy as np
import pytest
import torch

from roilearn import exercises, ops, reference
from roilearn.exercises import chapter9


def test_deltas_by_hand_are_the_package_s():
    deltas = reference.encode_boxes([[30, 24, 50, 64]], [[10, 20, 50, 100]])
    np.testing.assert_allclose(deltas[0], chapter9.DELTAS.answer, atol=1e-12)


def test_the_number_of_anchors_is_the_package_s():
    cells, strides = [(60, 80), (30, 40), (15, 20)], (8, 16, 32)
    levels = ops.pyramid_anchors(cells, strides, [(32, 64)] * 3)
    assert sum(map(len, levels)) == chapter9.COUNT.answer
    assert all(480 // s * s == 480 and 640 // s * s == 640 for s in strides)


@pytest.mark.parametrize("call", chapter9.ENCODE.calls)
def test_encoded_boxes_are_the_package_s(call):
    box, anchor = (torch.tensor([one], dtype=torch.float64) for one in call)
    expected = ops.encode_boxes(box, anchor)[0]
    np.testing.assert_allclose(chapter9.encode_box(*call), expected, atol=1e-12)


@pytest.mark.parametrize("call", chapter9.DECODE.calls)
def test_decoded_boxes_are_the_package_s(call):
    deltas, anchors = (torch.tensor(rows, dtype=torch.float64) for rows in call[:2])
    expected = ops.decode_boxes(deltas, anchors, scale_clamp=call[2])
    np.testing.assert_allclose(chapter9.decode_boxes(*call), expected, atol=1e-9)


@pytest.mark.parametrize("call", chapter9.ANCHORS.calls)
def test_anchors_are_the_package_s(call):
    rows, columns, *others = call
    expected = ops.generate_anchors((rows, columns), *others, dtype=torch.float64)
    np.testing.assert_allclose(chapter9.generate_anchors(*call), expected, atol=1e-9)


def test_a_vectorised_answer_passes():
    def vectorised(rows, columns, stride, sizes, ratios, offset):
        height = np.outer(np.sqrt(ratios), sizes).ravel()
        width = np.outer(1 / np.sqrt(ratios), sizes).ravel()
        shapes = np.stack([-width, -height, width, height], axis=1) / 2
        y, x = (np.indices((rows, columns)).reshape(2, -1) + offset) * stride
        centres = np.stack([x, y, x, y], axis=1)
        return (centres[:, None] + shapes).reshape(-1, 4)

    assert exercises.check("9.5", vectorised)


def test_the_package_s_own_functions_pass_in_float32():
    def encode(box, anchor):
        return ops.encode_boxes(torch.tensor([box]), torch.tensor([anchor]))[0]

    def decode(deltas, anchors, limit):
        return ops.decode_boxes(torch.tensor(deltas), torch.tensor(anchors), scale_clamp=limit)

    def anchors(rows, columns, *others):
        return ops.generate_anchors((rows, columns), *others)

    assert encode((0.0, 0, 4, 4), (0.0, 0, 4, 4)).dtype == torch.float32
    for number, function in {"9.3": encode, "9.4": decode, "9.5": anchors}.items():
        assert exercises.check(number, function)


def test_boxes_clipped_at_a_large_coordinate_are_wrong():
    def clipped(deltas, anchors, limit):
        return np.minimum(chapter9.decode_boxes(deltas, anchors, limit), 1000)

    assert exercises.check("9.4", clipped).failed == ("moved far",)

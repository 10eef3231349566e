"""The answers of chapter 2 are right by another road: torchvision's kernel, or pen and paper."""

import math

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import chapter2
from roilearn.exercises.operators.cells_read import CELLS, cells_read

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")


def columns_read(x1, x2, stride):
    """First and last column that torchvision reads, found by the largest and smallest index."""
    index = torch.arange(64.0)
    maps = torch.stack([index, -index]).reshape(1, 2, 1, 64)
    box = torch.tensor([[0.0, x1, 0, x2, 0]])
    last, first = torchvision.ops.roi_pool(maps, box, 1, 1 / stride).flatten().tolist()
    return int(-first), int(last)


def test_cells_read_are_those_of_the_kernel():
    first, last = columns_read(40, 665, 16)
    assert chapter2.CELLS_READ.answer == (first, last, last - first + 1)


def test_the_cells_of_a_box_are_those_that_the_kernel_reads():
    index = torch.arange(64.0)
    maps = torch.stack([index, -index]).reshape(1, 2, 1, 64)
    for box, scale in CELLS.calls:
        inside = np.maximum(box, 0)
        corners = torch.tensor([[0.0, inside[0], 0, inside[2], 0]], dtype=torch.float32)
        last, first = torchvision.ops.roi_pool(maps, corners, 1, scale).flatten().tolist()
        left, _, right, _ = cells_read(inside, scale)
        assert (left, right) == (int(-first), int(last) + 1)


def test_the_mean_move_at_stride_8_is_2_pixels():
    places = (np.arange(8000) + 0.5) / 1000
    moves = np.minimum(places, 8 - places)
    assert moves.mean() == pytest.approx(chapter2.MEAN_MOVE.answer)


@pytest.mark.parametrize("written", [2.3, 2.31, 2.309])
def test_the_spread_of_a_move_is_known_however_it_is_rounded(written):
    places = (np.arange(8000) + 0.5) / 1000
    spread = (np.where(places < 4, -places, 8 - places)).std()
    assert spread == pytest.approx(written, abs=0.01)
    assert exercises.check("2.2", written).mistake == "spread"


@pytest.mark.parametrize("x", [0.5, 1.5, 2.5, 3.5, 20.78125, 0.49999999999999994, 0.0, 7.0])
def test_rounding_is_odd_and_halves_leave_zero(x):
    wanted = math.ceil(x) if x - math.floor(x) >= 0.5 else math.floor(x)
    assert chapter2.half_away(x) == wanted
    assert chapter2.half_away(-x) == -wanted


@pytest.mark.parametrize(("size", "stride"), [(40, 16), (100, 32), (24, 8)])
def test_mean_iou_counts_the_pixels_of_every_touched_cell(size, stride):
    ious = []
    for x1 in range(stride):
        touched = {x // stride for x in range(x1, x1 + size)}
        ious.append(size / (len(touched) * stride))
    assert chapter2.EXPECTED_IOU.answer(size, stride) == pytest.approx(np.mean(ious))


def test_the_folded_answer_and_the_praise_compare_touched_cells_with_roi_pool_truly():
    read, rounded = [], []
    for x1 in range(16):
        first, last = columns_read(x1, x1 + 40, 16)
        for ious, end in (read, last + 1), (rounded, last):
            start, stop = first * 16, end * 16
            shared = min(stop, x1 + 40) - max(start, x1)
            ious.append(shared / (40 + stop - start - shared))
    assert round(chapter2.EXPECTED_IOU.answer(40, 16), 2) == 0.74
    assert round(np.mean(read), 2) == 0.65
    assert round(np.mean(rounded), 2) == 0.82


def square_iou(side, stride):
    """Mean IoU of a square over every whole-pixel position, pixel by pixel along each axis."""
    shared, read = [], []
    for x1 in range(stride):
        first, last = columns_read(x1, x1 + side, stride)
        pixels = set(range(first * stride, (last + 1) * stride))
        shared.append(len(pixels & set(range(x1, x1 + side))))
        read.append(len(pixels))
    area = np.outer(shared, shared)
    return (area / (side**2 + np.outer(read, read) - area)).mean()


def test_stride_8_is_the_largest_that_keeps_seven_tenths_of_a_64_px_square():
    kept = [stride for stride in (4, 8, 16, 32) if square_iou(64, stride) >= 0.7]
    assert max(kept) == chapter2.LARGEST_STRIDE.answer


def test_the_messages_about_the_strides_print_true_numbers():
    said = {stride: round(square_iou(64, stride), 2) for stride in (4, 8, 16, 32)}
    assert said == {4: 0.85, 8: 0.74, 16: 0.57, 32: 0.37}


def test_half_a_cell_makes_the_moves_of_both_edges_mirror():
    d, places = chapter2.SYMMETRIC_SHIFT.answer, np.arange(0, 64, 0.25)
    cells = [columns_read(x, x, 16)[0] for x in places.tolist()]
    left = np.array(cells) * 16 - d - places
    right = (np.array(cells) + 1) * 16 - d - places
    assert (left.min(), left.max()) == (-15.75, 0)
    assert (right.min(), right.max()) == (0.25, 16)


def test_a_rounding_that_forgets_the_sign_is_not_taken_for_a_known_mistake():
    verdict = exercises.check("2.3", lambda x: math.floor(abs(x)))
    assert not verdict
    assert verdict.mistake is None

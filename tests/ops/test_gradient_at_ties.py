"""Where a slope jumps, the operators take one side of it, whatever version of PyTorch runs them.

A position on a cell's centre has the slope to its right. A coordinate on a bound counts as inside,
and passes its gradient on.
"""

import math

import numpy as np
import pytest
import torch

from roilearn import ops, reference

CELLS = 6
LINE = torch.tensor([3.0, -1.0, 4.0, 1.0, -5.0, 9.0], dtype=torch.float64)
MAP = LINE.expand(1, 1, 5, CELLS)
TIES = [-2.0, -1.0, 0.0, 1.0, 4.0, CELLS - 1.0, float(CELLS), CELLS + 1.0]


def gradient(function, *values):
    leaf = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    function(leaf).sum().backward()
    return leaf.grad.tolist()


def slope(position):
    """Slope to the right at a position in the band, by the loops; 0 beyond it."""
    return float(reference.linear_gradient(LINE.numpy(), position))


POINTS = {  # one sample at the centre of a box, in index coordinates
    "roi_align": lambda box: ops.roi_align(MAP, box, 1, 1.0, 1, aligned=True),
    "ps_roi_align": lambda box: ops.ps_roi_align(MAP, box, 1, 1.0, 1),
    "multi_scale_roi_align": lambda box: ops.multi_scale_roi_align(
        [MAP], box, 1, [1.0], 1, aligned=True
    ),
    "crop_and_resize": lambda box: ops.crop_and_resize(MAP, box, 1, aligned=True),
}


@pytest.mark.parametrize("position", TIES)
@pytest.mark.parametrize("name", POINTS)
def test_a_sample_on_a_cell_has_the_slope_to_its_right(name, position):
    centre = position + 0.5
    box = (0, centre - 1, 1, centre + 1, 3)
    found = gradient(lambda leaf: POINTS[name](leaf[None]), *box)
    assert found[1] == found[3] == slope(position) / 2


@pytest.mark.parametrize("position", TIES)
def test_a_sample_of_a_rotated_box_has_the_slope_to_its_right(position):
    box = (0, position + 0.5, 2, 2, 2, 0)
    found = gradient(lambda leaf: ops.roi_align_rotated(MAP, leaf[None], 1, 1.0, 1), *box)
    assert found[1] == slope(position)


@pytest.mark.parametrize("position", TIES)
def test_a_line_has_the_slope_to_the_right(position):
    assert gradient(lambda leaf: ops.linear(LINE, leaf), position) == [slope(position)]
    row = torch.zeros(1, dtype=torch.float64)
    found = gradient(lambda leaf: ops.bilinear(MAP[0, 0], row, leaf), position)
    assert found == [slope(position)]


@pytest.mark.parametrize(("width", "share"), [(0.5, (1, 0)), (1.0, (0.5, 0.5)), (2.0, (0.5, 0.5))])
def test_a_side_of_exactly_one_cell_moves_with_both_edges(width, share):
    ramp = torch.arange(8.0, dtype=torch.float64).expand(1, 1, 8, 8)
    box = (0, 3.25, 2, 3.25 + width, 5)
    found = gradient(lambda leaf: ops.roi_align(ramp, leaf[None], 1, 1.0, 1), *box)
    assert (found[1], found[3]) == share


@pytest.mark.parametrize("edge", [0.0, 1.0, 3.0])
def test_the_edge_of_a_bin_on_a_cell_counts_the_hat_once(edge):
    box = np.array([[0.0, edge, 1, edge + 2, 3]])
    weights = np.ones((1, 1, 1, 1))
    expected = reference.prroi_pool_box_gradient(weights, MAP.numpy(), box)
    found = gradient(lambda leaf: ops.prroi_pool(MAP, leaf[None], 1), *box[0])
    np.testing.assert_allclose(found[1:], expected[0], atol=1e-12)


def test_a_corner_on_the_edge_of_the_image_passes_its_gradient_on():
    found = gradient(lambda box: ops.clip_boxes_to_image(box, (10, 20)), 0, 0, 20, 10)
    assert found == [1, 1, 1, 1]
    found = gradient(lambda box: ops.clip_boxes_to_image(box, (10, 20)), -1, -1, 21, 11)
    assert found == [0, 0, 0, 0]


def test_a_delta_of_exactly_the_limit_passes_its_gradient_on():
    anchors = torch.tensor([[0.0, 0, 2, 2]], dtype=torch.float64)
    for beyond, slope_of_side in ((0.0, 62.5 * 2), (1e-9, 0.0)):
        deltas = torch.zeros(1, 4, dtype=torch.float64)
        deltas[0, 2:] = math.log(62.5) + beyond
        deltas.requires_grad_()
        x1, y1, x2, y2 = ops.decode_boxes(deltas, anchors)[0]
        (x2 - x1 + y2 - y1).backward()
        torch.testing.assert_close(
            deltas.grad[0, 2:], torch.full_like(deltas[0, 2:], slope_of_side)
        )


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou", "distance_box_iou"])
@pytest.mark.parametrize("columns", [(0, 1, 2, 3), (1, 0, 3, 2)])
def test_boxes_that_touch_have_the_slopes_of_boxes_apart(name, columns):
    square = torch.tensor([[0.0, 0, 2, 2]], dtype=torch.float64)
    touching, apart = (
        gradient(
            lambda box: getattr(ops, name)(square, box[None, columns]),
            *(2 + gap, 0.25, 3 + gap, 1.5),
        )
        for gap in (0, 1e-9)
    )
    assert touching == pytest.approx(apart, abs=1e-6)


def test_edges_that_coincide_share_the_gradient_of_iou():
    boxes = torch.tensor([[0.0, 0, 2, 2]], dtype=torch.float64)
    first, second = boxes.clone().requires_grad_(), boxes.clone().requires_grad_()
    ops.box_iou(first, second).sum().backward()
    torch.testing.assert_close(first.grad, second.grad)
    assert not (first.grad + second.grad).any()

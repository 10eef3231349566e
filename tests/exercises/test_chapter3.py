"""The answers of chapter 3 are right by another road: torchvision's kernel, or integers."""

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import chapter3
from roilearn.exercises.operators.roi_pool import ROI_POOL, roi_pool

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")


@pytest.mark.parametrize(("features", "box", "size", "scale"), ROI_POOL.calls)
def test_the_whole_operator_is_torchvision_s(features, box, size, scale):
    rois = torch.tensor([[0, *box]], dtype=torch.float64)
    output = torchvision.ops.roi_pool(torch.from_numpy(features)[None], rois, size, scale)
    assert roi_pool(features, box, size, scale) == pytest.approx(output[0].numpy())


def by_integers(first, last, bins):
    cells = max(last - first + 1, 1)
    return [(first + i * cells // bins, first - (-(i + 1) * cells // bins)) for i in range(bins)]


def test_bins_cut_by_whole_numbers_pass():
    assert exercises.check("3.2", by_integers)


def test_the_bins_by_hand_are_those_of_whole_numbers():
    sizes = tuple(stop - start for start, stop in by_integers(3, 7, 3))
    assert chapter3.BY_HAND.answer == sizes


@pytest.mark.parametrize("arguments", chapter3.LEARNING_CELLS.calls)
def test_the_learning_cells_are_those_of_max_pooling_by_autograd(arguments):
    values, edges_y, edges_x = arguments
    cells = torch.tensor(values, requires_grad=True)
    for top, bottom in edges_y:
        for left, right in edges_x:
            block = cells[top:bottom, left:right]
            torch.nn.functional.max_pool2d(block[None, None], block.shape).sum().backward()
    assert chapter3.learning_cells(*arguments) == np.count_nonzero(cells.grad)

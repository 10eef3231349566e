"""The answers of chapter 6 are right by another road: PyTorch's own bag, and counting."""

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import chapter6

torch = pytest.importorskip("torch")


def test_the_row_is_where_a_table_of_numbered_cells_has_the_cell():
    numbered = np.arange(2 * 8 * 10).reshape(2, 8, 10)
    assert numbered[1, 3, 5] == chapter6.ROW.answer


def test_the_entries_are_those_that_the_operator_lists():
    from roilearn.ops.pooling.roi_align import sample_bag  # noqa: PLC0415

    box = torch.tensor([[0.0, 3, 4, 21, 30]])
    bag = sample_bag(box, (14, 14), 2, (40, 50))
    assert bag.index.numel() * 100 == chapter6.ENTRIES.answer


def test_the_gather_is_as_large_as_a_gathered_row_times_the_entries():
    row = torch.zeros(2, 256)[[0]]
    size = row.numel() * row.element_size() * chapter6.ENTRIES.answer / 1e6
    assert size == pytest.approx(chapter6.GATHER.answer)


@pytest.fixture
def differentiable():
    def bags(table, index, weight, offsets):
        table, index, weight, offsets = map(torch.from_numpy, (table, index, weight, offsets))
        table.requires_grad_()
        call = {"mode": "sum", "per_sample_weights": weight}
        return table, torch.nn.functional.embedding_bag(index, table, offsets, **call)

    return bags


@pytest.mark.parametrize("arguments", chapter6.SUM.calls)
def test_the_sum_is_embedding_bag_s(differentiable, arguments):
    _, summed = differentiable(*arguments)
    assert chapter6.bag_sum(*arguments) == pytest.approx(summed.detach().numpy())


@pytest.mark.parametrize("arguments", chapter6.TABLE_GRADIENT.calls)
def test_the_table_s_gradient_is_embedding_bag_s(differentiable, arguments):
    gradient, index, weight, offsets, cells = arguments
    table, summed = differentiable(np.ones((cells, gradient.shape[1])), index, weight, offsets)
    summed.backward(torch.from_numpy(gradient))
    assert chapter6.table_gradient(*arguments) == pytest.approx(table.grad.numpy())


def test_a_dense_matrix_passes_both():
    def dense(index, weight, offsets, cells):
        matrix = np.zeros((len(offsets), cells))
        stops = [*offsets[1:], len(index)]
        for bag, (start, stop) in enumerate(zip(offsets, stops, strict=True)):
            for entry in range(start, stop):
                matrix[bag, index[entry]] += weight[entry]
        return matrix

    assert exercises.check("6.4", lambda table, *bag: dense(*bag, len(table)) @ table)
    assert exercises.check("6.5", lambda gradient, *bag: dense(*bag).T @ gradient)

"""Deformable convolution in a traced graph: any size, and values that are not checked."""

import torch

from roilearn import ops


def draw(*shape, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=random, dtype=torch.float64).to(dtype)


def test_one_graph_for_any_size():
    compiled = torch.compile(ops.deform_conv2d, backend="aot_eager", fullgraph=True, dynamic=True)
    for height in (8, 11):
        tensors = draw(2, 4, height, 9), draw(2, 8, height - 1, 8), draw(3, 4, 2, 2), draw(3)
        torch.testing.assert_close(compiled(*tensors), ops.deform_conv2d(*tensors))


def test_a_nan_that_is_not_checked_reads_nothing():
    def convolve(*tensors):
        return ops.deform_conv2d(*tensors)

    tensors = draw(1, 2, 5, 6), draw(1, 2, 5, 6), torch.ones(1, 2, 1, 1, dtype=torch.float64)
    tensors[1][0, 1, 2, 3] = torch.nan
    traced = torch.compile(convolve, backend="eager", fullgraph=True)
    found = traced(*tensors)
    assert found[0, 0, 2, 3] == 0
    assert found.isfinite().all()

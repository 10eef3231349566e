"""Few cells of large maps are read where they lie: no table of the others is made."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from roilearn import ops
from roilearn.ops.embedding_bags.layout import read_cells, whole_table

RANDOM = torch.Generator().manual_seed(0)
MAP = torch.randn(8, 8, 6, 9, generator=RANDOM)
WIDE = torch.randn(3, 10, 8, 20, generator=RANDOM)
MAPS = {
    "contiguous": [MAP],
    "channels last": [MAP.contiguous(memory_format=torch.channels_last)],
    "rows and columns exchanged": [MAP.transpose(2, 3)],
    "images and channels exchanged": [MAP.transpose(0, 1)],
    "part of a map": [WIDE[1:, 2:, 1:7, 3:12]],
    "every second column": [WIDE[..., ::2]],
    "one image for all": [MAP[:1].expand(4, 8, 6, 9)],
    "halves": [MAP.half()],
    "double precision": [MAP.double()],
    "two levels": [MAP, MAP[..., ::2, ::3]],
    "three levels of halves": [MAP.half(), MAP[:1].half(), MAP[..., :1, :1].half()],
}

LEVELS = {str(k): torch.randn(2, 64, 96 >> k, 128 >> k, generator=RANDOM) for k in range(3)}
LARGE = LEVELS["0"]
BOXES = torch.tensor([[1.0, 20.3, 30.2, 34.1, 41.9], [0, 90, 70, 99, 83]])
POOLS = {
    "roi_align": lambda x, b: ops.roi_align(x, b, 7, 1.0, 2, True),
    "roi_align, adaptive": lambda x, b: ops.roi_align(x, b, 7, 1.0, -1, True),
    "roi_align_rotated": lambda x, b: ops.roi_align_rotated(
        x, torch.cat([b, torch.full((2, 1), 20.0)], 1), 7, 1.0, 2
    ),
    "prroi_pool": lambda x, b: ops.prroi_pool(x, b, 5, 1.0),
    "roi_pool": lambda x, b: ops.roi_pool(x, b, 7, 1.0),
    "roi_pool, average": lambda x, b: ops.roi_pool(x, b, 7, 1.0, "average"),
    "ps_roi_align": lambda x, b: ops.ps_roi_align(x, b, 2, 1.0, 2),
    "ps_roi_pool": lambda x, b: ops.ps_roi_pool(x, b, 2, 1.0),
}


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that an operation has made."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        if isinstance(result, torch.Tensor) and not function.is_view:
            self.numbers = max(self.numbers, result.numel())
        return result


@pytest.mark.parametrize("channels", [slice(0, 8), slice(3, 5)])
@pytest.mark.parametrize("name", MAPS)
def test_they_are_rows_of_the_table(name, channels):
    table = whole_table(MAPS[name])
    for index in (torch.arange(len(table)).flip(0), torch.tensor([5, 0, 5]), torch.arange(0)):
        rows = read_cells(MAPS[name], index.int(), channels)
        assert rows.dtype == table.dtype
        assert torch.equal(rows, table[index][:, channels])


@pytest.mark.parametrize("name", POOLS)
def test_no_operation_makes_as_many_numbers_as_the_map_has(name):
    with torch.inference_mode(), Largest() as largest:
        POOLS[name](LARGE, BOXES)
    assert largest.numbers < LARGE.numel() / 8


def test_nor_as_many_as_the_largest_level_has():
    with torch.inference_mode(), Largest() as largest:
        found = pool_levels(LEVELS)
    assert largest.numbers < LARGE.numel() / 8
    last = {k: x.contiguous(memory_format=torch.channels_last) for k, x in LEVELS.items()}
    assert torch.equal(found, pool_levels(last))


def pool_levels(levels):
    pooler = ops.MultiScaleRoIAlign(list(levels), 7, 2)
    boxes = [BOXES[BOXES[:, 0] == image, 1:] for image in range(2)]
    return pooler(levels, boxes, [(96, 128)] * 2)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", POOLS)
def test_results_and_gradients_are_those_of_a_table(monkeypatch, name, threads):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    found = answers(name)
    monkeypatch.setattr("roilearn.ops.embedding_bags.layout.ENTRY_COST", math.inf)
    for each, expected in zip(found, answers(name), strict=True):
        assert torch.equal(each, expected)


def answers(name):
    """Output without and with a recording for gradients, and the gradient of the latter."""
    features = LARGE.clone().requires_grad_()
    output = POOLS[name](features, BOXES)
    weights = torch.rand(output.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(output, features, weights)
    return POOLS[name](LARGE, BOXES), output.detach(), gradient


def test_a_maximum_is_the_first_of_equal_ones_and_passes_over_nan():
    features = torch.zeros(1, 64, 64, 80)
    features[..., 20, 30] = torch.nan
    features.requires_grad_()
    box = torch.tensor([[0.0, 30, 20, 33, 22]])
    output = ops.roi_pool(features, box, 1)
    assert torch.equal(output, torch.zeros(1, 64, 1, 1))
    output.sum().backward()
    assert features.grad.nonzero()[:, 2:].unique(dim=0).tolist() == [[20, 31]]


def test_a_bin_outside_the_map_has_no_cell_and_no_gradient():
    features = torch.ones(1, 64, 64, 80, requires_grad=True)
    outside = ops.roi_pool(features, torch.tensor([[0.0, 200, 200, 220, 210]]), 2)
    assert torch.equal(outside, torch.zeros(1, 64, 2, 2))
    outside.sum().backward()
    assert not features.grad.any()

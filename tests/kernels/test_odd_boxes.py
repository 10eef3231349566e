"""The kernels' answers to the table of odd boxes, and to bad boxes whose values are not checked."""

import numpy as np
import pytest
import torch

from roilearn import kernels, ops, reference
from roilearn.odd_boxes import ODD_BOXES

MAPS = np.random.RandomState(0).randn(1, 12, 6, 8).astype(np.float32)
CHANNELS = {"roi_align": 2, "roi_pool": 2, "ps_roi_align": 12}
ROWS = [row for row in ODD_BOXES if row.operator in CHANNELS]
RATIOS = {"fixed": 2, "adaptive": -1}


def answer(implementation, row, array, **validate):
    features, rois = (array(a) for a in (MAPS[:, : CHANNELS[row.operator]], [[0.0, *row.box]]))
    options = {} if row.aligned is None else {"aligned": row.aligned}
    if row.sampling:
        options["sampling_ratio"] = RATIOS[row.sampling]
    return getattr(implementation, row.operator)(features, rois, (2, 3), **options, **validate)


def by_name(row):
    return "-".join(filter(None, (row.operator, row.kind, str(row.aligned), row.sampling)))


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_the_answer_is_the_one_in_the_table(device, row):
    def tensor(values):
        return torch.tensor(np.asarray(values), dtype=torch.float32, device=device)

    if row.answer == "error":
        assert not answer(kernels, row, tensor, validate=False).any()
        with pytest.raises(ValueError, match="boxes must"):
            answer(kernels, row, tensor, validate=True)
        return
    loop = answer(reference, row, np.array)
    np.testing.assert_allclose(answer(kernels, row, tensor).cpu(), loop, atol=1e-5)


BAD = [[0, 1, 1, 4, 4], [-1, 1, 1, 4, 4], [1, 1, 1, 4, 4], [0.5, 1, 1, 4, 4], [np.nan, 1, 1, 4, 4]]


@pytest.mark.parametrize("name", ["roi_align", "roi_pool"])
def test_a_row_that_names_no_image_reads_nothing_and_gets_no_gradient(device, name):
    features = torch.tensor(MAPS[:, :2], device=device).requires_grad_()
    boxes = torch.tensor(BAD, device=device)
    pooled = getattr(kernels, name)(features, boxes, 2, validate=False)
    assert pooled[0].all()
    assert not pooled[1:].any()
    (grad,) = torch.autograd.grad(pooled.sum(), features)
    assert grad.sum().item() == pytest.approx(pooled[0].numel(), rel=1e-5)
    with pytest.raises(ValueError, match="boxes must"):
        getattr(kernels, name)(features, boxes, 2, validate=True)


def as_boxes(boxes, device):
    return boxes if isinstance(boxes, torch.Tensor) else torch.tensor(boxes, device=device)


@pytest.mark.parametrize(
    "arguments",
    [
        (MAPS[0], [[0.0, 1, 1, 4, 4]], 2),
        (MAPS.astype(int), [[0.0, 1, 1, 4, 4]], 2),
        (MAPS, [[1.0, 1, 4, 4]], 2),
        (MAPS, [[0.0, 1, 1, 4, 4]], 0),
        (MAPS, [[0.0, 1, 1, 4, 4]], 2, -1.0),
        (MAPS, [[0.0, 1, 1, 4, 4]], 2, 1.0, 2.5),
        (MAPS, torch.zeros(1, 5, device="meta"), 2),
    ],
)
def test_errors_are_worded_as_in_ops(device, arguments):
    features, boxes, *options = arguments
    features, boxes = torch.tensor(features, device=device), as_boxes(boxes, device)
    words = []
    for implementation in (ops, kernels):
        with pytest.raises((ValueError, TypeError)) as caught:
            implementation.roi_align(features, boxes, *options)
        words.append((caught.type, str(caught.value)))
    assert words[0] == words[1]

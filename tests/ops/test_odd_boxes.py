"""Every row of the table of odd boxes, in every telling: the word in its column is what happens."""

import numpy as np
import pytest
import torch

from roilearn import ops, reference
from roilearn.odd_boxes import ANSWERS, ODD_BOXES

FEATURES = np.random.RandomState(0).randn(1, 2, 6, 8)
RATIOS = {"fixed": 2, "adaptive": -1}


def in_numpy(row, box):
    rois = np.array([[0, *box]])
    if row.operator == "roi_pool":
        return reference.roi_pool(FEATURES, rois, (2, 3))
    return reference.roi_align(FEATURES, rois, (2, 3), 1, RATIOS[row.sampling], row.aligned)


def in_torch(row, box, validate=None):
    features, rois = torch.tensor(FEATURES), torch.tensor([[0, *box]])
    if row.operator == "roi_pool":
        return ops.roi_pool(features, rois, (2, 3), validate=validate).numpy()
    options = (1, RATIOS[row.sampling], row.aligned)
    return ops.roi_align(features, rois, (2, 3), *options, validate=validate).numpy()


def grown(answer, row):
    x1, y1, x2, y2 = row.box
    return answer(row, (x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)))


def point(_, row):
    x1, y1, *_ = row.box
    values = reference.bilinear(FEATURES[0], y1 - 0.5, x1 - 0.5)
    return np.broadcast_to(values[:, None, None], (1, 2, 2, 3))


def mirrored(answer, row):
    x1, y1, x2, y2 = row.box
    upright = answer(row, (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)))
    flipped = [axis for axis, turned in ((-1, x2 < x1), (-2, y2 < y1)) if turned]
    return np.flip(upright, flipped)


def first_cell(_, row):
    column, row_ = (int(reference.quantize(side)) for side in row.box[:2])
    return np.broadcast_to(FEATURES[:, :, row_ : row_ + 1, column : column + 1], (1, 2, 2, 3))


def zeros(*_):
    return np.zeros((1, 2, 2, 3))


EXPECTED = {
    "grown": grown,
    "point": point,
    "mirrored": mirrored,
    "first cell": first_cell,
    "zeros": zeros,
}


def by_name(row):
    return "-".join(filter(None, (row.operator, row.kind, str(row.aligned), row.sampling)))


@pytest.mark.parametrize("answer", [in_numpy, in_torch])
@pytest.mark.parametrize("row", ODD_BOXES, ids=by_name)
def test_the_answer_is_the_one_in_the_table(row, answer):
    if row.answer == "error":
        with pytest.raises(ValueError, match="boxes must"):
            answer(row, row.box)
    else:
        expected = EXPECTED[row.answer](answer, row)
        np.testing.assert_allclose(answer(row, row.box), expected, atol=1e-12)


def test_every_word_of_the_table_is_explained_and_used():
    assert set(ANSWERS) == {row.answer for row in ODD_BOXES}


UNREAL = [row for row in ODD_BOXES if row.kind in ("NaN", "infinite")]


@pytest.mark.parametrize("row", UNREAL, ids=by_name)
def test_where_values_are_not_read_back_a_bad_box_gives_zeros(row):
    assert not in_torch(row, row.box, validate=False).any()

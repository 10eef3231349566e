"""Every row of the table of odd boxes, in every implementation: its column says what happens."""

import numpy as np
import pytest
import torch

from roilearn import ops, reference
from roilearn.odd_boxes import ANSWERS, ODD_BOXES

FEATURES = np.random.RandomState(0).randn(1, 2, 6, 8)
EACH_BIN = FEATURES.repeat(6, axis=1)  # for position-sensitive operators: one copy a bin
RATIOS = {"fixed": 2, "adaptive": -1}


def roi_align(implementation, array, row, box, **options):
    ratio = RATIOS[row.sampling]
    return implementation.roi_align(*arguments(array, box), 1, ratio, row.aligned, **options)


def roi_pool(implementation, array, row, box, **options):
    del row
    return implementation.roi_pool(*arguments(array, box), **options)


def arguments(array, box):
    return array(FEATURES), array([[0, *box]]), (2, 3)


def ps_roi_align(implementation, array, row, box, **options):
    _, rois, bins = arguments(array, box)
    return implementation.ps_roi_align(
        array(EACH_BIN), rois, bins, 1, RATIOS[row.sampling], **options
    )


def ps_roi_pool(implementation, array, row, box, **options):
    del row
    _, rois, bins = arguments(array, box)
    return implementation.ps_roi_pool(array(EACH_BIN), rois, bins, **options)


def prroi_pool(implementation, array, row, box, **options):
    return implementation.prroi_pool(*arguments(array, box), 1, row.aligned, **options)


def roi_align_rotated(implementation, array, row, box, **options):
    """The box in its other form: centre, width, height, and no turn."""
    x1, y1, x2, y2 = box
    features, _, bins = arguments(array, box)
    rois = array([[0, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0]])
    return implementation.roi_align_rotated(
        features, rois, bins, 1, RATIOS[row.sampling], **options
    )


def crop_and_resize(implementation, array, row, box, **options):
    return implementation.crop_and_resize(*arguments(array, box), aligned=row.aligned, **options)


CALLS = {
    "roi_align": roi_align,
    "roi_pool": roi_pool,
    "ps_roi_align": ps_roi_align,
    "ps_roi_pool": ps_roi_pool,
    "prroi_pool": prroi_pool,
    "roi_align_rotated": roi_align_rotated,
    "crop_and_resize": crop_and_resize,
}
"""How to call each operator: ``implementation`` is its module, ``array`` makes its arrays.

Each answers 2 x 3 bins of the two channels of ``FEATURES``, one box: (1, 2, 2, 3).
"""


def in_numpy(row, box):
    return CALLS[row.operator](reference, np.array, row, box)


def in_torch(row, box, **options):
    return CALLS[row.operator](ops, torch.tensor, row, box, **options).numpy()


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

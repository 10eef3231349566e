"""Polygons and run lengths to masks, masks back to polygons, and what is neither."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as run_lengths

from roilearn.data import (
    FaultError,
    decode_segmentation,
    encode_segmentation,
    mask_to_polygons,
    mask_to_rle,
)

MASKS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: st.lists(
        st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]
    ).map(lambda bits: np.array(bits).reshape(size))
)


def filled(segmentation, size):
    return decode_segmentation(encode_segmentation(segmentation, *size)).astype(bool)


def runs(mask):
    """Lengths of runs down the columns, from a run of zeros on."""
    pixels = mask.T.ravel().astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], pixels]))).tolist()
    return np.diff([0, *edges, len(pixels)]).tolist()


@given(MASKS.filter(np.any))
def test_every_form_of_a_mask_is_that_mask_again(mask):
    for form in (
        mask_to_polygons(mask),
        mask_to_rle(mask),
        {**mask_to_rle(mask), "counts": mask_to_rle(mask)["counts"].encode()},
        {"size": list(mask.shape), "counts": runs(mask)},
    ):
        np.testing.assert_array_equal(filled(form, mask.shape), mask)


def test_large_masks_with_long_runs():
    mask = np.zeros((300, 400), bool)
    mask[7:290, 20:380] = True
    mask[100:200, 100:101] = False
    for form in (mask_to_polygons(mask), mask_to_rle(mask)):
        np.testing.assert_array_equal(filled(form, mask.shape), mask)


def test_parts_are_polygons_and_a_hole_is_cut_open():
    mask = np.zeros((9, 12), bool)
    mask[1:4, 1:4] = mask[5:8, 6:11] = True
    assert len(mask_to_polygons(mask)) == 2
    mask[2, 2] = False
    assert len(mask_to_polygons(mask)) == 1
    assert mask_to_polygons(mask[:1]) == []


def test_polygons_are_filled_where_pycocotools_fills_them():
    polygons = [[0.3, 1.2, 7.9, 2.2, 5.1, 8.8], [5, 5, 11, 5, 11.5, 9, 4, 9.5]]
    theirs = run_lengths.decode(run_lengths.frPyObjects(polygons, 10, 12)).any(2)
    np.testing.assert_array_equal(filled(polygons, (10, 12)), theirs)


@pytest.mark.parametrize(
    ("segmentation", "fault", "reason"),
    [
        ([], "bad polygon", "list of polygons"),
        ("1,2,3", "bad polygon", "list of polygons"),
        (7, "bad polygon", "list of polygons"),
        ([[1, 1, 3, 3]], "bad polygon", "three or more points in one list; got 4 numbers"),
        ([[1, 1, 3, 1, 3, 3, 1]], "bad polygon", "got 7 numbers"),
        ([1, 1, 3, 1, 3, 3], "bad polygon", "got 1 in place of one: put a single polygon into"),
        ([[[1, 1], [3, 1], [3, 3]]], "bad polygon", r"got shape \(3, 2\)"),
        ([[1, 1, 3, 1, 3, None]], "bad polygon", "not finite"),
        ([[1, 1, 3, 1, "a", 3]], "bad polygon", "holds"),
        ([[1, 1, 3, 1, 3, 1e300]], "bad polygon", "huge"),
        ([[50, 50, 60, 50, 60, 60]], "bad polygon", "no pixel"),
        ([[1, 1, 1, 1, 1, 1]], "bad polygon", "no pixel"),
        ({"size": [4, 5]}, "bad RLE", "whole numbers"),
        ({"size": [5, 4], "counts": [20]}, "bad RLE", r"size must be \[4, 5\]; got \[5, 4\]"),
        ({"size": 20, "counts": [20]}, "bad RLE", "size must be"),
        ({"counts": [20]}, "bad RLE", "size must be"),
        ({"size": [4, 5], "counts": [3, 4]}, "bad RLE", "sum to 4 x 5 pixels; got 7"),
        ({"size": [4, 5], "counts": [3, 40]}, "bad RLE", "sum to 4 x 5 pixels; got 43"),
        ({"size": [4, 5], "counts": [25, -5]}, "bad RLE", "none negative"),
        ({"size": [4, 5], "counts": [3.5, 16.5]}, "bad RLE", "whole numbers"),
        ({"size": [4, 5], "counts": [[3], [17]]}, "bad RLE", "whole numbers"),
        ({"size": [4, 5], "counts": ["a", 17]}, "bad RLE", "whole numbers"),
        ({"size": [4, 5], "counts": [20]}, "bad RLE", "no pixel"),
        ({"size": [4, 5], "counts": "34"}, "bad RLE", "sum to"),
        ({"size": [4, 5], "counts": "P"}, "bad RLE", "middle of a number"),
        ({"size": [4, 5], "counts": "3 4"}, "bad RLE", "the character ' '"),
        ({"size": [4, 5], "counts": "3\u00e94"}, "bad RLE", "the character"),
    ],
)
def test_what_is_no_mask_is_named(segmentation, fault, reason):
    with pytest.raises(FaultError, match=reason) as caught:
        encode_segmentation(segmentation, 4, 5)
    assert caught.value.fault == fault


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8))
def test_no_string_of_counts_is_taken_for_another_mask(counts):
    """Either it is refused, or pycocotools finds in it as many pixels as the image has."""
    try:
        rle = encode_segmentation({"size": [4, 5], "counts": counts}, 4, 5)
    except FaultError:
        return
    whole = {"size": [4, 5], "counts": counts.encode()}
    np.testing.assert_array_equal(run_lengths.decode(whole), decode_segmentation(rle))

"""Masks in NumPy: the box around a mask, and the values of a pasted one."""

import numpy as np
import pytest

from roilearn import reference

FULL = np.ones((1, 1, 28, 28))


def paste(masks, box, size=(12, 12), **options):
    return reference.paste_masks_in_image(masks, [box], size, **options)[0, 0]


def block(x1, y1, x2, y2, size=(12, 12)):
    image = np.zeros(size)
    image[y1:y2, x1:x2] = 1
    return image


def test_the_box_around_one_pixel_has_no_area_unless_its_end_is_exclusive():
    mask = block(5, 3, 6, 4)[None]
    assert reference.masks_to_boxes(mask).tolist() == [[5, 3, 5, 3]]
    assert reference.masks_to_boxes(mask, exclusive=True).tolist() == [[5, 3, 6, 4]]


def test_a_box_pasted_and_found_again_is_the_same_box():
    for box in ([2, 3, 9, 7], [0, 0, 12, 12], [11, 11, 12, 12]):
        image = paste(FULL, box, padding=0, coordinates="aligned", threshold=0.5)
        assert reference.masks_to_boxes(image[None], exclusive=True).tolist() == [box]


def test_empty_masks_and_no_masks():
    for exclusive in (False, True):
        assert reference.masks_to_boxes(np.zeros((2, 3, 4)), exclusive).tolist() == [[0] * 4] * 2
        assert reference.masks_to_boxes(np.zeros((0, 3, 4)), exclusive).shape == (0, 4)
    assert reference.paste_masks_in_image(FULL[:0], np.zeros((0, 4)), (5, 6)).shape == (0, 1, 5, 6)


@pytest.mark.parametrize("box", [(2, 3, 9, 7), (0, 0, 12, 12), (4, 4, 5, 5), (-3, 5, 4, 15)])
def test_a_full_mask_fills_its_box_and_nothing_else(box):
    expected = block(*np.clip(box, 0, 12))
    np.testing.assert_allclose(
        paste(FULL, box, padding=0, coordinates="aligned"), expected, rtol=0, atol=1e-12
    )


def test_torchvisions_rule_adds_a_row_and_a_column():
    image = paste(FULL, (2, 3, 9, 7), padding=0)
    np.testing.assert_allclose(image, block(2, 3, 10, 8), rtol=0, atol=1e-12)


def test_with_a_ring_of_padding_values_fall_through_one_half_at_the_edge():
    """Cells of four pixels: from 1 in the middle of a cell to 0 in that of the ring."""
    image = paste(FULL[..., :2, :2], (2, 2, 10, 10), coordinates="aligned")
    row = [0.375, 0.625, 0.875, 1, 1, 1, 1, 0.875, 0.625, 0.375]
    np.testing.assert_allclose(image[6, 1:11], row, rtol=0, atol=1e-12)
    cut = paste(FULL[..., :2, :2], (2, 2, 10, 10), coordinates="aligned", threshold=0.5)
    assert not cut[:, :2].any()
    assert not cut[:2].any()
    assert cut[6].tolist() == [False, False, *[True] * 8, False, False]


def test_a_ramp_is_read_at_the_centres_of_pixels():
    """A mask of four columns 0, 1, 2, 3 over eight pixels: two pixels a cell, ends held."""
    ramp = np.broadcast_to(np.arange(4.0), (1, 1, 4, 4))
    image = paste(ramp, (2, 2, 10, 10), padding=0, coordinates="aligned")
    row = [0, 0, 0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3, 0, 0]
    np.testing.assert_allclose(image[5], row, rtol=0, atol=1e-12)


def test_a_mask_moves_with_its_box():
    mask = np.random.RandomState(0).rand(1, 1, 7, 7)
    for rule in ("aligned", "torchvision"):
        one = paste(mask, (2, 2, 6, 7), coordinates=rule)
        other = paste(mask, (4, 3, 8, 8), coordinates=rule)
        np.testing.assert_allclose(other[1:, 2:], one[:-1, :-2], rtol=0, atol=1e-12)


def test_boxes_without_area_paste_nothing_when_aligned():
    for box in ((4, 4, 4, 9), (6, 4, 3, 9), (20, 20, 30, 30), (-9, 2, -4, 5)):
        assert not paste(FULL, box, coordinates="aligned").any()

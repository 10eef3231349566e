"""Further numbers of objects must have the shape that a head predicts, and be finite."""

import pytest
import torch

from roilearn.models.roi_heads.target_numbers import check_target_numbers


def test_a_shape_that_is_not_predicted_is_named():
    right, wrong = torch.zeros(2, 3), torch.zeros(1, 2)
    check_target_numbers("attributes", [right, right[:0]], (3,))
    with pytest.raises(ValueError, match=r"image 1 must have shape \(1, 3\).*got \(1, 2\)"):
        check_target_numbers("attributes", [right, wrong], (3,))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_number_that_is_not_finite_is_named_with_its_row(value):
    numbers = torch.zeros(3, 2, 3)
    numbers[1, 1, 0] = value
    with pytest.raises(ValueError, match=r"keypoints of image 0 must be finite.*row 1"):
        check_target_numbers("keypoints", [numbers], (2, 3))

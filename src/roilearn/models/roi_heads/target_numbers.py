"""The check of further numbers in targets, such as keypoints, against what a head predicts."""

import math
from collections.abc import Sequence

from torch import Tensor

from roilearn.arguments.arrays import first_row
from roilearn.ops.tracing import may_read_values


def check_target_numbers(name: str, numbers: Sequence[Tensor], shape: Sequence[int]) -> None:
    """Raise unless all objects have finite numbers of the shape that a head predicts.

    Parameters
    ----------
    name : of the entry of targets, for errors.
    numbers : of each image, (n, *shape) for its n objects.
    shape : of the predictions for one object.

    Examples
    --------
    >>> import torch
    >>> check_target_numbers("attributes", [torch.zeros(2, 3)], (1,))
    Traceback (most recent call last):
    ValueError: attributes of image 0 must have shape (2, 1), as the head predicts; got (2, 3).
    """
    for image, its in enumerate(numbers):
        wanted = (len(its), *shape)
        if tuple(its.shape) != wanted:
            raise ValueError(
                f"{name} of image {image} must have shape {wanted}, as the head predicts; got "
                f"{tuple(its.shape)}."
            )
        finite = abs(its) < math.inf
        if may_read_values(its) and not bool(finite.all()):
            row = first_row(~finite.flatten(1).all(1))
            raise ValueError(
                f"{name} of image {image} must be finite; got {its[row].tolist()} in row {row}. "
                "Set to 0 what is not known, where an entry can say so, or drop the object."
            )

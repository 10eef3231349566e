"""How far the tensors of two layers are apart, and what that says about the layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SAME, MADE_HERE, MADE_INSIDE, INPUT_DIFFERS = "same", "made here", "made inside", "input differs"
"""What a comparison says of a layer: its output is the same; its input is the same and its output
is not; likewise, and a layer inside it has made the difference; its input is different already."""


@dataclass(frozen=True)
class LayerDifference:
    """One call of a layer in both models.

    Parameters
    ----------
    name : of the layer in the first model; from its second call on with the number of the call.
    shape, their_shape : of the output; of several tensors the shape of the first and the number of
        the others.
    input_difference, difference : largest difference of an input and of an output, as a fraction of
        the largest value; infinite where the numbers of values differ, or where one is no number.
    verdict : one of ``"same"``, ``"made here"``, ``"made inside"`` and ``"input differs"``.
    """

    name: str
    shape: str
    their_shape: str
    input_difference: float
    difference: float
    verdict: str

    @property
    def shapes(self) -> str:
        """The shape of the output, and the other model's where the numbers of values differ."""
        differ = math.isinf(self.difference) and self.their_shape != self.shape
        return f"{self.shape} / {self.their_shape}" if differ else self.shape


def verdict_of(
    input_difference: float, difference: float, tolerance: float, made_inside: bool
) -> str:
    """Say where the difference of a layer's output comes from.

    Parameters
    ----------
    input_difference, difference : of the layer's input and of its output.
    tolerance : differences up to this count as rounding.
    made_inside : whether a layer inside this one has made a difference.

    Examples
    --------
    >>> verdict_of(0, 0.3, 1e-4, made_inside=False), verdict_of(0.2, 0.3, 1e-4, made_inside=False)
    ('made here', 'input differs')
    """
    if difference <= tolerance:
        return SAME
    if input_difference > tolerance:
        return INPUT_DIFFERS
    return MADE_INSIDE if made_inside else MADE_HERE


def relative_difference(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """Largest difference of two lists of tensors as a fraction of a tensor's largest value.

    Each pair of tensors has a fraction of its own, so that scores are not measured by the size of
    boxes, and the largest one counts. Where the shapes differ, all values are put in one row, so
    that anchors of all levels in one tensor can be compared with one tensor for each.

    Returns
    -------
    0 for no values, and where all are equal; infinite where the numbers of values differ, or where
    a value that is infinite or no number stands in one of them alone.

    Examples
    --------
    >>> relative_difference([torch.tensor([1.0, 4.0])], [torch.tensor([1.0, 3.0])])
    0.25
    >>> relative_difference([torch.zeros(2)], [torch.zeros(3)])
    inf
    >>> boxes, scores = torch.tensor([100.0]), torch.tensor([0.5])
    >>> relative_difference([boxes, scores], [boxes, scores / 2])
    0.5
    """
    if [each.shape for each in ours] != [each.shape for each in theirs]:
        ours, theirs = (
            [torch.cat([torch.zeros(0), *(each.flatten() for each in tensors)])]
            for tensors in (ours, theirs)
        )
        if ours[0].shape != theirs[0].shape:
            return math.inf
    pairs = zip(ours, theirs, strict=True)
    return max((fraction(one, other.to(one.device)) for one, other in pairs), default=0.0)


def fraction(one: Tensor, other: Tensor) -> float:
    """Largest difference of two tensors of one shape, divided by the largest value in them."""
    apart = largest_difference(one, other)
    if apart in {0, math.inf}:
        return apart
    return apart / max(largest_value(one), largest_value(other))


def largest_difference(one: Tensor, other: Tensor) -> float:
    """Largest difference of two tensors of one shape; infinite if it is no number."""
    if torch.equal(one, other):
        return 0.0
    one, other = comparable(one), comparable(other)
    equal = (one == other) | (one.isnan() & other.isnan())
    apart = (one - other).abs().masked_fill(equal, 0)
    return apart.nan_to_num(nan=math.inf, posinf=math.inf).max().item()


def largest_value(tensor: Tensor) -> float:
    """Largest absolute value that is a finite number; 0 if there is none."""
    values = comparable(tensor).abs()
    return values.masked_fill(~values.isfinite(), 0).max().item() if values.numel() else 0.0


def comparable(tensor: Tensor) -> Tensor:
    """Give a tensor a dtype in which differences can be computed; two numbers for a complex one."""
    tensor = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
    exact = tensor.dtype in {torch.float32, torch.float64}
    return tensor.detach() if exact else tensor.detach().double()


def shape_text(tensors: Sequence[Tensor]) -> str:
    """Write the shape of the first tensor, and the number of the others.

    Examples
    --------
    >>> shape_text([torch.zeros(1, 3, 8, 8), torch.zeros(4)])
    '1x3x8x8 +1'
    """
    if not tensors:
        return "no tensor"
    shape = "x".join(map(str, tensors[0].shape)) or "1"
    return shape if len(tensors) == 1 else f"{shape} +{len(tensors) - 1}"

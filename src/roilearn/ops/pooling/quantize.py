"""Quantization: rounding of continuous coordinates to whole cells, and its error."""

from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_choice, check_spatial_scale

ROUNDING_RULES = ("floor", "half_away", "half_even")


def quantize(values: Float[Tensor, "*P"], rule: str = "half_away") -> Float[Tensor, "*P"]:
    """Round ``values`` to whole numbers.

    Parameters
    ----------
    values : numbers of any shape, in cells.
    rule : one of ``ROUNDING_RULES``, which differ at halves and below 0:

        ``floor``      2.9 -> 2, -0.5 -> -1   slides and tutorials
        ``half_away``  2.5 -> 3, -0.5 -> -1   C's ``round``: the RoIPool kernels
        ``half_even``  2.5 -> 2, -0.5 -> -0   Python's, NumPy's and PyTorch's ``round``

    Returns
    -------
    Tensor of whole numbers, still floating. Its gradient is 0.

    Examples
    --------
    >>> import torch
    >>> quantize(torch.tensor([0.5, 1.5, 2.5, -0.5]), "half_away")
    tensor([ 1.,  2.,  3., -1.])
    >>> quantize(torch.tensor([0.5, 1.5, 2.5, -0.5]), "half_even")
    tensor([0., 2., 2., -0.])
    """
    check_choice("rule", rule, ROUNDING_RULES)
    if rule == "floor":
        return values.floor()
    if rule == "half_even":
        return values.round()
    whole = values.sign() * values.abs().floor()
    return whole + values.sign() * ((values - whole).abs() >= 0.5)


def quantization_error(values: Float[Tensor, "*P"], rule: str = "half_away") -> Float[Tensor, "*P"]:
    """Error of rounding each value, in the unit of the values: rounded minus exact.

    Examples
    --------
    >>> import torch
    >>> quantization_error(torch.tensor([20.78125]), "floor")
    tensor([-0.7812])
    """
    return quantize(values, rule) - values


def quantize_box(
    box: Float[Tensor, "*K 4"], spatial_scale: float, rule: str = "half_away"
) -> tuple[Float[Tensor, "*K"], Float[Tensor, "*K"], Float[Tensor, "*K"], Float[Tensor, "*K"]]:
    """First and last cell of each box after rounding its coordinates, both inclusive.

    Parameters
    ----------
    box : x1, y1, x2, y2 in image pixels; one box or many.
    spatial_scale : cells per pixel, 1 / stride.
    rule : one of ``ROUNDING_RULES``.

    Returns
    -------
    (first column, first row, last column, last row): whole numbers, still floating, so that far
    boxes do not overflow. RoIPool reads last - first + 1 cells.

    Examples
    --------
    >>> import torch
    >>> [int(side) for side in quantize_box(torch.tensor([0.0, 0, 665, 665]), 1 / 32)]
    [0, 0, 21, 21]
    """
    x1, y1, x2, y2 = quantize(box * check_spatial_scale(spatial_scale), rule).unbind(-1)
    return x1, y1, x2, y2

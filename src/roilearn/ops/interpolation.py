"""Linear and bilinear interpolation, their gradients and their adjoints, at many positions at once.

Positions are *index coordinates*: the value of index i lies at position i. A continuous coordinate
x, in which that value lies at the pixel's centre i + 0.5, becomes a position by x - 0.5. A position
beyond the first or last value is clamped to it. Positions of any shape P are read in one call, and
everything is differentiable in the values and in the positions.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from roilearn.arguments import check_floating, check_not_empty, check_tensor
from roilearn.ops.clamping import clamp
from roilearn.ops.tracing import may_read_values


def neighbours(
    position: Float[Tensor, "*P"], size: int | Int[Tensor, "..."]
) -> tuple[Int[Tensor, "*P"], Int[Tensor, "*P"], Float[Tensor, "*P"]]:
    """Index below, index above, and the fraction of the way between them, of each position.

    Parameters
    ----------
    position : index coordinates of any shape, clamped to [0, size - 1].
    size : number of values along the axis, or one for each position.

    Returns
    -------
    (low, high, fraction) with 0 <= fraction < 1; at the last value low == high. The gradient of the
    fraction is 1 from the first position to the last, and 0 beyond: what is read with it has the
    slope to its right.

    Examples
    --------
    >>> neighbours(torch.tensor([1.25, 9.0]), 4)
    (tensor([1, 3]), tensor([2, 3]), tensor([0.2500, 0.0000]))
    """
    position = clamp(position, 0, size - 1)
    low = position.detach().floor()
    fraction = position - low
    low = low.long()
    return low, (low + 1).clamp(max=size - 1), fraction


def linear(
    values: Float[Tensor, " L"], position: Float[Tensor, "*P"] | float
) -> Float[Tensor, "*P"]:
    """Value at each position on the straight line between its two neighbours.

    Parameters
    ----------
    values : (L,) numbers, one at each whole position.
    position : index coordinates of any shape, clamped to [0, L - 1].

    Raises
    ------
    ValueError: ``values`` empty or not one-dimensional; a NaN or infinite position.

    Examples
    --------
    >>> linear(torch.tensor([10.0, 20.0, 40.0]), torch.tensor([1.25, 1.5]))
    tensor([25., 30.])
    """
    _check("values", values, dimensions=1)
    low, high, fraction = neighbours(_finite("position", position, values), len(values))
    return (1 - fraction) * values[low] + fraction * values[high]


def linear_gradient(
    values: Float[Tensor, " L"], position: Float[Tensor, "*P"] | float
) -> Float[Tensor, "*P"]:
    """Slope of ``linear`` at each position: d value / d position, taken from the right.

    Between two values the slope is their difference; at and beyond the last value, and before
    the first, the clamped line is flat and the slope 0.

    Examples
    --------
    >>> linear_gradient(torch.tensor([10.0, 20.0, 40.0]), torch.tensor([1.25, -3.0]))
    tensor([20.,  0.])
    """
    _check("values", values, dimensions=1)
    position = _finite("position", position, values)
    low, high, _ = neighbours(position, len(values))
    return (values[high] - values[low]) * (position >= 0)


def linear_adjoint(
    gradient: Float[Tensor, "*P"] | float, position: Float[Tensor, "*P"] | float, size: int
) -> Float[Tensor, " size"]:
    """Distribute each gradient to the ``size`` values that ``linear`` read, by the same weights.

    Interpolation gathers and its adjoint scatters: for all values v and gradients g
    ``(linear(v, p) * g).sum() == (v * linear_adjoint(g, p, len(v))).sum()``.

    Examples
    --------
    >>> linear_adjoint(torch.tensor([1.0, 1.0]), torch.tensor([1.25, 0.5]), 3)
    tensor([0.5000, 1.2500, 0.2500])
    """
    gradient = _beside(gradient, position)
    low, high, fraction = neighbours(_finite("position", position, gradient), size)
    spread = gradient.new_zeros(size)
    spread = spread.index_add(0, low.flatten(), ((1 - fraction) * gradient).flatten())
    return spread.index_add(0, high.flatten(), (fraction * gradient).flatten())


def bilinear_weights(
    row: Float[Tensor, "*P"] | float, column: Float[Tensor, "*P"] | float, height: int, width: int
) -> list[tuple[Int[Tensor, "*P"], Int[Tensor, "*P"], Float[Tensor, "*P"]]]:
    """Four cells around each position and the weight of each: the area opposite to it.

    The point divides the square between the four cell centres into four rectangles. The weight of a
    cell is the area of the rectangle farthest from it, so that the nearest cell has most weight.

    Returns
    -------
    Four (row index, column index, weight) in row-major order; the weights sum to 1.

    Examples
    --------
    >>> [round(float(weight), 3) for _, _, weight in bilinear_weights(0.25, 1.5, 4, 4)]
    [0.375, 0.375, 0.125, 0.125]
    """
    top, bottom, down = neighbours(_finite("row", row), height)
    left, right, across = neighbours(_finite("column", column), width)
    return [
        (top, left, (1 - down) * (1 - across)),
        (top, right, (1 - down) * across),
        (bottom, left, down * (1 - across)),
        (bottom, right, down * across),
    ]


def bilinear(
    image: Float[Tensor, "*batch H W"],
    row: Float[Tensor, "*P"] | float,
    column: Float[Tensor, "*P"] | float,
) -> Float[Tensor, "..."]:
    """Values of ``image`` between its cells: three linear interpolations, or four weights.

    Parameters
    ----------
    image : (..., H, W) tensor; leading axes (channels) are read at the same positions.
    row, column : index coordinates of one shape P, clamped to the image.

    Returns
    -------
    (..., *P) tensor.

    Raises
    ------
    ValueError: ``image`` with fewer than two dimensions or empty; a NaN or infinite position.

    Examples
    --------
    >>> image = torch.tensor([[0.0, 10.0], [20.0, 30.0]])
    >>> bilinear(image, torch.tensor([0.5, 0.0]), torch.tensor([0.25, 1.0]))
    tensor([12.5000, 10.0000])
    """
    _check("image", image, dimensions=2)
    row, column = _finite("row", row, image), _finite("column", column, image)
    weights = bilinear_weights(row, column, *image.shape[-2:])
    return torch.stack([weight * image[..., i, j] for i, j, weight in weights]).sum(0)


def bilinear_gradient(
    image: Float[Tensor, "*batch H W"],
    row: Float[Tensor, "*P"] | float,
    column: Float[Tensor, "*P"] | float,
) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    """Gradient of each value to its position: (d value / d row, d value / d column).

    Along each axis it is the difference of the two neighbours, interpolated along the other.

    Examples
    --------
    >>> image = torch.tensor([[0.0, 10.0], [20.0, 30.0]])
    >>> bilinear_gradient(image, 0.5, 0.25)
    (tensor(20.), tensor(10.))
    """
    _check("image", image, dimensions=2)
    row, column = _finite("row", row, image), _finite("column", column, image)
    top, bottom, down = neighbours(row, image.shape[-2])
    left, right, across = neighbours(column, image.shape[-1])
    down_left = image[..., bottom, left] - image[..., top, left]
    down_right = image[..., bottom, right] - image[..., top, right]
    across_top = image[..., top, right] - image[..., top, left]
    across_bottom = image[..., bottom, right] - image[..., bottom, left]
    by_row = torch.lerp(down_left, down_right, across)
    by_column = torch.lerp(across_top, across_bottom, down)
    return by_row * (row >= 0), by_column * (column >= 0)


def bilinear_adjoint(
    gradient: Float[Tensor, "..."] | float,
    row: Float[Tensor, "*P"] | float,
    column: Float[Tensor, "*P"] | float,
    height: int,
    width: int,
) -> Float[Tensor, "... height width"]:
    """Distribute each gradient to the four cells that ``bilinear`` read, by the same weights.

    Parameters
    ----------
    gradient : (..., *P) numbers, one for each value that ``bilinear`` returned.

    Returns
    -------
    (..., height, width) tensor.

    Examples
    --------
    >>> bilinear_adjoint(1.0, 0.25, 0.5, 2, 2)
    tensor([[0.3750, 0.3750],
            [0.1250, 0.1250]])
    """
    gradient = _beside(gradient, row, column)
    row, column = _finite("row", row, gradient), _finite("column", column, gradient)
    leading = gradient.shape[: gradient.ndim - row.ndim]
    spread = gradient.new_zeros(*leading, height * width)
    for i, j, weight in bilinear_weights(row, column, height, width):
        share = (weight * gradient).reshape(*leading, -1)
        spread = spread.index_add(-1, (i * width + j).flatten(), share)
    return spread.view(*leading, height, width)


def _check(name: str, values: Tensor, dimensions: int) -> None:
    check_tensor(name, values)
    check_not_empty(name, values, dimensions)
    check_floating(name, values)


def _beside(number: Tensor | float, *others: Tensor | float) -> Tensor:
    """Return ``number`` as a tensor; a plain number on the device of the tensors among others."""
    if isinstance(number, Tensor):
        return number
    devices = [other.device for other in others if isinstance(other, Tensor)]
    return torch.as_tensor(number, device=devices[0] if devices else None)


def _finite(name: str, position: Tensor | float, like: Tensor | None = None) -> Tensor:
    """Positions as a tensor; raise if values are checked and one is NaN or infinite."""
    if not isinstance(position, Tensor):
        like = torch.empty(0) if like is None else like
        # In half precision a position would be rounded: 256.5 is 256 in bfloat16.
        dtype = torch.promote_types(like.dtype, torch.float32)
        position = torch.as_tensor(position, dtype=dtype, device=like.device)
    if may_read_values(position) and not bool(position.isfinite().all()):
        raise ValueError(f"{name} must be finite index coordinates; got {position}.")
    return position

"""Maxima of rectangles from maxima of windows, for few channels: four numbers for each bin.

The maxima of all windows of 2^a x 2^b cells follow from those of half the size: each window is two
of these. A rectangle of cells is covered by four windows whose sides are the largest powers of two
that fit, one in each of its corners. They overlap, which does not change the maximum. So a bin
reads four numbers, however many cells it has, and the windows take as many steps as the map has
cells, once for each size.
"""

from functools import partial

import torch
from jaxtyping import Float, Int32, Integer, Num
from torch import Tensor

from roilearn.ops.embedding_bags.planes import channel_planes
from roilearn.ops.embedding_bags.threads import thread_team


def doublings(length: Int32[Tensor, "*bins"]) -> Int32[Tensor, "*bins"]:
    """Exponent of the largest power of two that is not above each length; 0 for no length."""
    return torch.frexp(length.clamp(min=1).double())[1] - 1


def range_maxima(
    features: Float[Tensor, "N C H W"],
    first: Integer[Tensor, " bins"],
    tall: Int32[Tensor, " bins"],
    wide: Int32[Tensor, " bins"],
    shape: tuple[int, int, int],
) -> Float[Tensor, "K C PH PW"]:
    """Maximum of each bin, as ``max_pool_bins`` gives it; autograd does not record this."""
    output = features.new_empty(shape[0], features.shape[1], shape[1] * shape[2])
    with thread_team(features, first) as team:
        width, rows = features.shape[3], features[:, 0].numel()
        down, across = doublings(tall), doublings(wide)
        sizes = (int(down.max()) + 1, int(across.max()) + 1)
        empty = (tall < 1) | (wide < 1)
        corner = (down * sizes[1] + across).long() * rows + first.long().masked_fill(empty, 0)
        below = (tall - 2**down).long().masked_fill(empty, 0) * width
        beside = (wide - 2**across).long().masked_fill(empty, 0)
        corners = [corner, corner + beside, corner + below, corner + below + beside]
        planes = channel_planes([features])
        options = {"sizes": sizes, "width": width, "corners": corners, "empty": empty}
        tasks = [
            partial(_write_maxima, plane, place=place, **options)
            for plane, place in zip(planes, output.unbind(1), strict=True)
        ]
        team.run(tasks)
    return output.unflatten(2, shape[1:])


def windows(
    plane: Float[Tensor, " rows"], sizes: tuple[int, int], width: int
) -> Float[Tensor, "a b rows"]:
    """Maximum of the window of 2^a x 2^b cells from each cell on, ignoring NaN.

    Windows that reach beyond a row or the last cell are not maxima of anything, and are not read.
    """
    table = plane.expand(*sizes, -1).clone()
    for a in range(sizes[0]):
        if a:
            _join(table[a - 1, 0], 2 ** (a - 1) * width, table[a, 0])
        for b in range(1, sizes[1]):
            _join(table[a, b - 1], 2 ** (b - 1), table[a, b])
    return table


def _join(half: Tensor, step: int, into: Tensor) -> None:
    """Maximum of each window and of that ``step`` cells after it."""
    torch.fmax(half[:-step], half[step:], out=into[:-step])


def _write_maxima(
    plane: Float[Tensor, " rows"],
    sizes: tuple[int, int],
    width: int,
    corners: list[Integer[Tensor, " bins"]],
    empty: Tensor,
    place: Num[Tensor, "K cells"],
) -> None:
    """Write the maxima of the bins over one channel; 0 for a bin without cells."""
    table = windows(plane, sizes, width).flatten()
    best = table.index_select(0, corners[0])
    for corner in corners[1:]:
        best = torch.fmax(best, table.index_select(0, corner))
    place.copy_(best.masked_fill_(empty, 0).view(place.shape))


def reads_more_than_windows(
    features: Float[Tensor, "N C H W"], tall: Int32[Tensor, " bins"], wide: Int32[Tensor, " bins"]
) -> bool:
    """Whether the bins have more cells together than there are windows of all sizes."""
    if not tall.numel():
        return False
    sizes = [int(doublings(side.amax())) + 1 for side in (tall, wide)]
    return sizes[0] * sizes[1] * features[:, 0].numel() < int((tall.long() * wide).sum())

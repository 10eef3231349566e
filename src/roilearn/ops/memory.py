"""How much is laid out at once: a few boxes at a time, so that memory does not grow with them."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.ops.eager import reads_values

ENTRIES_AT_ONCE = 2**22
"""Entries of bags that exist at one time, beside those of a single box.

An entry takes about 50 bytes while its bag is being built: 200 MB beside the features, their
table and the output. While gradients are recorded the bags of all boxes must stay, at 12 bytes an
entry, and they are built at once.
"""


def pool_in_pieces(
    pool: Callable[[Float[Tensor, "N C H W"], Float[Tensor, "k 5"]], Float[Tensor, "k C PH PW"]],
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K 5"],
    entries: Num[Tensor, " K"],
) -> Float[Tensor, "K C PH PW"]:
    """Pool all boxes, a few at a time.

    Parameters
    ----------
    pool : pools the rows of ``rois`` that it is given.
    entries : about how many entries each box needs.
    """
    recorded = torch.is_grad_enabled() and (input.requires_grad or rois.requires_grad)
    if recorded or not reads_values(rois) or entries.sum() <= ENTRIES_AT_ONCE:
        return pool(input, rois)
    number = entries.cumsum(0) // ENTRIES_AT_ONCE  # [K] 0 0 0 1 1 2 ...: the piece of each box
    pieces = rois.split(number.unique_consecutive(return_counts=True)[1].tolist())
    features = input.contiguous(memory_format=torch.channels_last)  # one table for all pieces
    return torch.cat([pool(features, piece) for piece in pieces])

"""Bags: which cells each output cell reads, and with which weights.

Write the features as a table with one row of C channels for each of the N * H * W cells. A pooling
operator then only lists, for each of its output cells, which rows to read and with which weights: a
*bag*. One call sums all bags: ``embedding_bag``, which PyTorch made for bags of words.

A pyramid has several maps. Their cells are numbered consecutively, one map after the other, and one
list of bags reads them all.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn.functional import embedding_bag


class Bag(NamedTuple):
    """What each output cell reads: the entries of all bags, one bag after the other."""

    index: Integer[Tensor, " entries"]  # row of the table
    weight: Float[Tensor, " entries"]
    offsets: Integer[Tensor, " bags"]  # first entry of each bag


def concatenate_bags(bags: Sequence[Bag]) -> Bag:
    """Concatenate lists of bags."""
    if len(bags) == 1:
        return bags[0]
    before = accumulate((bag.index.numel() for bag in bags[:-1]), initial=0)
    index, weight, _ = (torch.cat(parts) for parts in zip(*bags, strict=True))
    offsets = [bag.offsets + first for bag, first in zip(bags, before, strict=True)]
    return Bag(index, weight, torch.cat(offsets))


def bag_of_entries(offsets: Integer[Tensor, " bags"], entries: int) -> Integer[Tensor, " entries"]:
    """Bag that each entry belongs to, by its number."""
    bags = torch.arange(offsets.numel(), dtype=offsets.dtype, device=offsets.device)
    sizes = torch.diff(offsets, append=offsets.new_tensor([entries]))
    return bags.repeat_interleave(sizes, output_size=entries)


def sum_bags(table: Float[Tensor, "rows c"], bag: Bag) -> Float[Tensor, "bags c"]:
    """Sum every bag, in one call of PyTorch."""
    weight = bag.weight
    return embedding_bag(bag.index, table, bag.offsets, mode="sum", per_sample_weights=weight)

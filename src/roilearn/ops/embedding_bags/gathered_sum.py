"""Weighted sums in operators that ONNX has, for files of operators without a node of their own."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import Grid, whole_table


def gathered_sum(
    maps: Sequence[Float[Tensor, "_ C _ _"]], bag: Bag, shape: Grid
) -> Float[Tensor, "K C PH PW"]:
    """``weighted_sum`` in operators that ONNX has: each entry is gathered, and added to its bag.

    There ``embedding_bag`` becomes a loop, and what is written into a view is lost.
    """
    table = whole_table(maps)  # [rows, C]
    entries = table.index_select(0, bag.index.long()) * bag.weight[:, None]
    begins = table.new_zeros(bag.index.shape[0] + 1, dtype=torch.int64)
    begins = begins.scatter_add(0, bag.offsets.long(), torch.ones_like(bag.offsets).long())
    owner = begins.cumsum(0)[:-1, None] - 1  # bag of each entry
    sums = table.new_zeros(bag.offsets.shape[0], table.shape[1])
    sums = sums.scatter_add(0, owner.expand(-1, table.shape[1]), entries)  # [bags, C]
    return sums.unflatten(0, (-1, *shape[1:])).permute(0, 3, 1, 2).to(maps[0].dtype)

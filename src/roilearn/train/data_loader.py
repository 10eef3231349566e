"""Which items a step sees, and with which random numbers: both follow from numbers known before.

Nothing random is remembered from one step to the next. So a resumed run sees what an uninterrupted
one would have seen, and so do several processes that divide the steps among them.
"""

import random
import signal
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from roilearn.data.transforms import collate
from roilearn.train.distributed import Processes
from roilearn.train.settings import Settings

Draw = tuple[int, int]
"""The number of a draw, counted from the first step on, and the item that is drawn."""


def draw_item(draw: int, items: int, seed: int) -> int:
    """Item of a draw: every epoch goes once through all, in an order of its own.

    Examples
    --------
    >>> sorted(draw_item(draw, items=5, seed=0) for draw in range(5, 10))
    [0, 1, 2, 3, 4]
    """
    epoch, place = divmod(draw, items)
    return int(_order(items, seed, epoch)[place])


@lru_cache(maxsize=2)
def _order(items: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(items)


def seed_all(*numbers: int) -> None:
    """Begin the generators of Python, NumPy and PyTorch anew, from numbers that say what is next.

    Examples
    --------
    >>> seed_all(0, 7)
    >>> first = torch.rand(1)
    >>> seed_all(0, 7)
    >>> bool(first == torch.rand(1))
    True
    """
    state = int(np.random.SeedSequence(numbers).generate_state(1)[0])
    random.seed(state)
    np.random.seed(state)  # noqa: NPY002  transforms of other libraries draw from it
    torch.manual_seed(state)


class Parts(Sampler[list[Draw]]):
    """The draws of every part of a batch that falls to this process, step after step.

    Parameters
    ----------
    items : number of items in the data.
    settings : of the run.
    first : step to begin with.
    processes : who shares the work.
    """

    def __init__(self, items: int, settings: Settings, first: int, processes: Processes) -> None:
        self.items, self.settings, self.first = items, settings, first
        self.shares = processes.own(settings.shares)

    def __len__(self) -> int:
        """Count the parts."""
        return len(self.shares) * (self.settings.steps - self.first)

    def __iter__(self) -> Iterator[list[Draw]]:
        """Go through the steps, and in each through the shares of this process."""
        size = self.settings.batch_size // self.settings.shares
        for step in range(self.first, self.settings.steps):
            for share in self.shares:
                start = step * self.settings.batch_size + share * size
                draws = range(start, start + size)
                yield [(d, draw_item(d, self.items, self.settings.seed)) for d in draws]


class Drawn(Dataset):
    """A dataset asked for draws: what is random in an item depends on the seed and the draw."""

    def __init__(self, items: Any, seed: int) -> None:
        self.items, self.seed = items, seed

    def __getitem__(self, draw: Draw) -> Any:
        """Item of a draw."""
        number, item = draw
        seed_all(self.seed, number)
        return self.items[item]


def load_parts(items: Any, settings: Settings, first: int, processes: Processes) -> DataLoader:
    """Load parts of batches, lists of images and of targets, in the order of ``Parts``."""
    return DataLoader(
        Drawn(items, settings.seed),
        batch_sampler=Parts(len(items), settings, first, processes),
        num_workers=settings.workers,
        collate_fn=collate,
        prefetch_factor=4 if settings.workers else None,
        worker_init_fn=_leave_interrupts_to_the_loop if settings.workers else None,
    )


def _leave_interrupts_to_the_loop(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)

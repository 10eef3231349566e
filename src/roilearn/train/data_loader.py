"""The data loader: which items each micro-batch holds, and the random numbers of each item.

Both follow from the seed and the step alone, and no random state is carried from step to step. So
a resumed run sees what an uninterrupted one would have seen, and so do several processes that
divide the micro-batches among them.
"""

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from roilearn.data.transforms import collate
from roilearn.train.distributed import ProcessGroup
from roilearn.train.loading_processes import start_loading_process
from roilearn.train.settings import Settings

SampleIndex = tuple[int, int]
"""The position of a sample in the run, counted from the first step on, and its index in the data
set."""


def sample_index(position: int, dataset_size: int, seed: int) -> int:
    """Index in the data set of a sample: every epoch is another random order of all items.

    Examples
    --------
    >>> sorted(sample_index(position, dataset_size=5, seed=0) for position in range(5, 10))
    [0, 1, 2, 3, 4]
    """
    epoch, place = divmod(position, dataset_size)
    return int(_order(dataset_size, seed, epoch)[place])


@lru_cache(maxsize=2)
def _order(dataset_size: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(dataset_size)


def seed_all(*numbers: int) -> None:
    """Seed the random generators of Python, NumPy and PyTorch from several numbers.

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


class MicroBatchSampler(Sampler[list[SampleIndex]]):
    """The samples of every micro-batch that this process computes, step after step.

    Parameters
    ----------
    dataset_size : number of items in the data set.
    settings : settings of the run.
    first_step : step to begin with, counted from 0.
    processes : the processes that divide the micro-batches of a step.
    """

    def __init__(
        self, dataset_size: int, settings: Settings, first_step: int, processes: ProcessGroup
    ) -> None:
        self.dataset_size, self.settings, self.first_step = dataset_size, settings, first_step
        self.micro_batches = processes.micro_batches_of_rank(settings.micro_batches)

    def __len__(self) -> int:
        """Count the micro-batches."""
        return len(self.micro_batches) * (self.settings.steps - self.first_step)

    def __iter__(self) -> Iterator[list[SampleIndex]]:
        """Go through the steps, and in each through the micro-batches of this process."""
        settings = self.settings
        size = settings.batch_size // settings.micro_batches
        for step in range(self.first_step, settings.steps):
            for number in self.micro_batches:
                start = step * settings.batch_size + number * size
                positions = range(start, start + size)
                yield [(p, sample_index(p, self.dataset_size, settings.seed)) for p in positions]


class SeededDataset(Dataset):
    """A data set whose items are loaded with random numbers that depend on seed and position."""

    def __init__(self, dataset: Any, seed: int) -> None:
        self.dataset, self.seed = dataset, seed

    def __getitem__(self, sample: SampleIndex) -> Any:
        """Load the item of a sample, with random transforms seeded by its position in the run."""
        position, index = sample
        seed_all(self.seed, position)
        return self.dataset[index]


def make_data_loader(
    dataset: Any, settings: Settings, first_step: int, processes: ProcessGroup
) -> DataLoader:
    """Load the micro-batches of ``MicroBatchSampler``: lists of images and of targets."""
    return DataLoader(
        SeededDataset(dataset, settings.seed),
        batch_sampler=MicroBatchSampler(len(dataset), settings, first_step, processes),
        num_workers=settings.workers,
        collate_fn=collate,
        prefetch_factor=4 if settings.workers else None,
        worker_init_fn=start_loading_process if settings.workers else None,
    )

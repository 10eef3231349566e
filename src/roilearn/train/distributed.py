"""Several processes that train one model, each with its share of every batch.

Each computes gradients of its own images; before a step all take the mean. Started by
``torchrun --nproc-per-node=2 ...``, which tells each process its number.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """Who trains: ``count`` processes, of which this one is number ``rank``, from 0."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    def own(self, shares: int) -> range:
        """Shares of a batch that fall to this process.

        Examples
        --------
        >>> Processes(rank=1, count=2).own(shares=4)
        range(2, 4)
        """
        if shares % self.count:
            raise ValueError(
                f"shares must be a multiple of the number of processes; got {shares} for "
                f"{self.count} processes."
            )
        each = shares // self.count
        return range(self.rank * each, (self.rank + 1) * each)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Let gradients of the model become means over all processes.

        Running statistics of ``nn.BatchNorm2d`` are not exchanged: the first process's are kept.
        """
        if self.count == 1:
            return model
        # of a kernel of one cell both strides are the same order of numbers
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        return DistributedDataParallel(model, broadcast_buffers=False)

    def alone(self, model: nn.Module) -> AbstractContextManager[None]:
        """For a backward pass that another one of the same step follows: no exchange yet."""
        return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()

    def mean(self, values: Tensor) -> Tensor:
        """Mean of each value over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)
            values /= self.count
        return values


def present_processes() -> Processes:
    """Ask PyTorch who takes part: this process alone, unless a group was formed."""
    if distributed.is_available() and distributed.is_initialized():
        return Processes(distributed.get_rank(), distributed.get_world_size())
    return Processes()


@contextmanager
def joined_processes(device: str | torch.device = "cpu") -> Iterator[Processes]:
    """Form the group that ``torchrun`` describes, for the time of the block; without it, of one.

    On CUDA each process takes the GPU of its number, over NCCL; on CPU they speak by gloo.

    An error in one of several processes ends it at once, with its traceback and status 1: an
    orderly farewell may wait for the others, which wait for this one's gradients. Gloo then tells
    them that it is gone, and ``torchrun`` ends those whom nobody tells.

    Examples
    --------
    >>> with joined_processes() as processes:
    ...     processes.count
    1
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield present_processes()
        return
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    processes = present_processes()
    try:
        yield processes
    except Exception:
        if processes.count > 1:
            traceback.print_exc()
            sys.stdout.flush()
            os._exit(1)
        raise
    finally:
        distributed.destroy_process_group()

"""Distributed data-parallel training: ranks, world size, and means over all processes.

Each process computes the gradients of its own micro-batches; before an optimizer step all of them
take the mean. ``torchrun --nproc-per-node=2 ...`` starts the processes and tells each its rank.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

LOST_PEER = "by peer"
"""Words of gloo's errors about a process that is gone: connection closed, or reset, by peer."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one model: ``world_size`` of them, of which this one is ``rank``."""

    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process of rank 0, which writes and prints."""
        return self.rank == 0

    def micro_batches_of_rank(self, micro_batches: int) -> range:
        """Numbers of the micro-batches of a batch that this process computes.

        Raises
        ------
        ValueError: ``micro_batches`` is not a multiple of the world size.

        Examples
        --------
        >>> ProcessGroup(rank=1, world_size=2).micro_batches_of_rank(4)
        range(2, 4)
        """
        if micro_batches % self.world_size:
            raise ValueError(
                "micro_batches must be a multiple of the number of processes; got "
                f"{micro_batches} for {self.world_size} processes."
            )
        each = micro_batches // self.world_size
        return range(self.rank * each, (self.rank + 1) * each)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Wrap a model in ``DistributedDataParallel``, which averages gradients over all processes.

        The running statistics of ``nn.BatchNorm2d`` are not exchanged: those of rank 0 are kept.
        """
        if self.world_size == 1:
            return model
        # The kernel of a 1 x 1 convolution has the same memory layout under both strides.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        return DistributedDataParallel(model, broadcast_buffers=False)

    def no_sync(self, model: nn.Module) -> AbstractContextManager[None]:
        """Context of a backward pass after which gradients are not yet averaged over processes."""
        return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()

    def all_reduce_mean(self, values: Tensor) -> Tensor:
        """Mean of each value over all processes."""
        if self.world_size > 1:
            distributed.all_reduce(values)
            values /= self.world_size
        return values


def current_process_group() -> ProcessGroup:
    """Return PyTorch's default process group, or a group of this process alone if there is none."""
    if distributed.is_available() and distributed.is_initialized():
        return ProcessGroup(distributed.get_rank(), distributed.get_world_size())
    return ProcessGroup()


class PeerError(RuntimeError):
    """Another of the processes that train together has failed."""


@contextmanager
def named_peer_failures(processes: ProcessGroup) -> Iterator[None]:
    """Raise ``PeerError`` where a process waits in vain for one that has failed."""
    try:
        yield
    except RuntimeError as error:
        if processes.world_size > 1 and LOST_PEER in str(error):
            raise PeerError(
                "another of the processes that train together has failed; what it has printed says "
                "why."
            ) from error
        raise


def leave_at_once(status: int) -> NoReturn:
    """End this process without leaving the group, which could wait for the other processes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@contextmanager
def process_group(device: str | torch.device = "cpu") -> Iterator[ProcessGroup]:
    """Join the process group that ``torchrun`` describes, and leave it at the end of the block.

    Without ``torchrun`` the group is this process alone. On CUDA each process takes the GPU of its
    local rank and the backend is NCCL; on the CPU it is gloo.

    If one of several processes raises an error, it prints the traceback and ends at once with
    status 1. Leaving the group in order could wait for the other processes, which wait for this
    one's gradients. Gloo then tells the others that it is gone, and ``torchrun`` ends the rest.

    Examples
    --------
    >>> with process_group() as processes:
    ...     processes.world_size
    1
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield current_process_group()
        return
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    processes = current_process_group()
    try:
        yield processes
    except Exception:
        if processes.world_size > 1:
            traceback.print_exc()
            leave_at_once(1)
        raise
    finally:
        distributed.destroy_process_group()

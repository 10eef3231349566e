"""The byte floor of RoIAlign: the time of moving the necessary bytes at the rate of a plain copy.

Pooling with embedding bags must write the output, read every row of the table that some sample
needs, and read the list of what each bin reads. So no such implementation takes less time.
"""

from collections.abc import Iterator, Sequence

import torch

from roilearn.bench.operators.implementations import CHANNELS_LAST_BOTH, OURS, REUSED
from roilearn.bench.operators.pooling import pooling_implementations
from roilearn.bench.timing import Timing, interleave, ratios
from roilearn.bench.workloads import ROI_ALIGN, PoolingWorkload, make_inputs
from roilearn.ops.pooling.roi_align import region, sample_bag

FLOOR = "byte floor"
COMPARED = (OURS, CHANNELS_LAST_BOTH, REUSED)
COPIED = 2**26
"""Bytes of the block whose copy is timed: more than the caches of a processor hold."""


def measure_byte_floor(
    rounds: int, names: Sequence[str]
) -> Iterator[tuple[PoolingWorkload, dict[str, Timing]]]:
    """Time RoIAlign, forward, beside the byte floor of each of its workloads.

    The copy is timed in every round, beside the implementations.

    Parameters
    ----------
    rounds : timed rounds.
    names : names of the workloads.
    """
    source = torch.zeros(COPIED // 4)
    target = torch.empty_like(source)
    for workload in (each for each in ROI_ALIGN if each.name in names):
        implementations = pooling_implementations("roi_align", workload, backward=False)
        share = bytes_moved(workload) / (2 * COPIED)
        seconds = interleave(
            {FLOOR: lambda: target.copy_(source)}
            | {name: implementations[name] for name in COMPARED},
            rounds,
        )
        seconds[FLOOR] = [share * each for each in seconds[FLOOR]]
        yield workload, ratios(seconds, FLOOR)


def bytes_moved(workload: PoolingWorkload) -> int:
    """Count the bytes of the output, of each row of the table that is read, and of the bags.

    Examples
    --------
    >>> bytes_moved(ROI_ALIGN[3])
    2688256
    """
    features, boxes = (torch.from_numpy(array) for array in make_inputs(workload))
    bins = (workload.output_size, workload.output_size)
    regions = torch.stack([boxes[:, 0], *region(boxes, 1.0, aligned=True)], 1)
    size = (features.shape[2], features.shape[3])
    bag = sample_bag(regions, bins, workload.sampling_ratio, size)
    row = 4 * features.shape[1]
    lists = sum(part.numel() * part.element_size() for part in bag)
    return len(bag.offsets) * row + len(bag.index.unique()) * row + lists

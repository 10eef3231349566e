"""The byte floor: the time that moving the bytes alone would take, and how near RoIAlign comes.

No way to pool can do without writing the output, reading every row of the table that some sample
needs, and reading the list of what each bin reads. Bytes at the rate of a plain copy give a time.
"""

from collections.abc import Iterator, Sequence

import torch

from roilearn.bench.operators.implementations import CHANNELS_LAST_BOTH, OURS, REUSED
from roilearn.bench.operators.pooling import pooling_contestants
from roilearn.bench.timing import Timing, interleave, ratios
from roilearn.bench.workloads import ROI_ALIGN, Shape, make_inputs
from roilearn.ops.pooling.roi_align import region, sample_bag

FLOOR = "byte floor"
COMPARED = (OURS, CHANNELS_LAST_BOTH, REUSED)
COPIED = 2**26
"""Bytes of the block whose copy is timed: more than the caches of a processor hold."""


def measured(rounds: int, names: Sequence[str]) -> Iterator[tuple[Shape, dict[str, Timing]]]:
    """Compare RoIAlign, forward, with the floor of each of its workloads.

    The copy takes its turn in every round, so the floor is that of the machine at that moment.
    """
    source = torch.zeros(COPIED // 4)
    target = torch.empty_like(source)
    for shape in (each for each in ROI_ALIGN if each.name in names):
        all_of_them = pooling_contestants("roi_align", shape, backward=False)
        share = bytes_moved(shape) / (2 * COPIED)
        seconds = interleave(
            {FLOOR: lambda: target.copy_(source)} | {name: all_of_them[name] for name in COMPARED},
            rounds,
        )
        seconds[FLOOR] = [share * each for each in seconds[FLOOR]]
        yield shape, ratios(seconds, FLOOR)


def bytes_moved(shape: Shape) -> int:
    """Bytes of the output, of the rows of the table that are read, once each, and of the bags.

    Examples
    --------
    >>> bytes_moved(ROI_ALIGN[3])
    2688256
    """
    features, boxes = (torch.from_numpy(array) for array in make_inputs(shape))
    bins = (shape.output_size, shape.output_size)
    regions = torch.stack([boxes[:, 0], *region(boxes, 1.0, aligned=True)], 1)
    size = (features.shape[2], features.shape[3])
    bag = sample_bag(regions, bins, shape.sampling_ratio, size)
    row = 4 * features.shape[1]
    lists = sum(part.numel() * part.element_size() for part in bag)
    return len(bag.offsets) * row + len(bag.index.unique()) * row + lists

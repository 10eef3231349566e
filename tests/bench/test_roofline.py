"""Counts of the roofline equal those of listing every load, address by address."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from roilearn import bench
from roilearn.bench.gpu import roofline
from roilearn.bench.operators import byte_floor
from roilearn.bench.workloads import PoolingWorkload
from roilearn.ops.pooling.roi_align import region, sample_bag

TINY = PoolingWorkload("tiny", (2, 8, 9, 16), 5, (2, 7), 3, 2, "for tests")
ROW = bench.Row(
    "roi_align, steps", "tiny", "forward", "2, one bin", 0.5, 2.0, 1.0, 3.0, 20, "torch 2", "gpu"
)
STEPS = [
    replace(step, bins=min(step.bins, 4), channels=min(step.channels, 4)) for step in bench.STEPS
]


def bag_of(workload):
    features, boxes = (torch.from_numpy(array) for array in bench.make_inputs(workload))
    regions = torch.stack([boxes[:, 0], *region(boxes, 1.0, aligned=True)], 1)
    bins = (workload.output_size, workload.output_size)
    return sample_bag(regions, bins, workload.sampling_ratio, features.shape[2:])


def sectors_loaded(step, workload):
    """Every load of every program, its addresses, and the sectors that they lie in."""
    _, channels, height, width = workload.features
    bins, plane = workload.output_size**2, height * width
    cell = bag_of(workload).index.view(workload.boxes, bins, -1).numpy().astype(int)
    found = 0
    for box, first, load in np.ndindex(workload.boxes, -(-bins // step.bins), cell.shape[2]):
        some = cell[box, first * step.bins : (first + 1) * step.bins, load]
        for c in range(0, channels, step.channels):
            channel = np.arange(c, c + step.channels)
            if step.channels_last:
                address = some[:, None] * channels + channel
            else:
                address = (some // plane * channels * plane + some % plane)[:, None]
                address = address + channel * plane
            found += len(np.unique(address // 8))
    return found


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_bytes_asked_for_are_those_of_all_loads_stores_and_boxes(step):
    bins, channels = TINY.output_size**2, TINY.features[1]
    blocks = -(-channels // step.channels)
    programs = TINY.boxes * -(-bins // step.bins) * blocks
    stored = 0
    for box, first, c in np.ndindex(TINY.boxes, -(-bins // step.bins), channels):
        some = np.arange(first * step.bins, min((first + 1) * step.bins, bins))
        if not step.channels_last:
            stored += len(np.unique(((box * channels + c) * bins + some) // 8))
        elif c % step.channels == 0:
            stored += len(some)  # four channels: half a sector, and no bin shares one
    wanted = 32 * (sectors_loaded(step, TINY) + stored + 5 * programs)
    assert bench.bytes_requested(step, TINY) == wanted


def test_bytes_needed_are_those_of_the_byte_floor_without_its_lists():
    lists = sum(part.numel() * part.element_size() for part in bag_of(TINY))
    assert bench.bytes_needed(TINY) == byte_floor.bytes_moved(TINY) - lists + 4 * 5 * TINY.boxes


def test_work_is_what_the_entries_of_the_bags_cost():
    numbers = TINY.boxes * TINY.output_size**2
    entries = len(bag_of(TINY).index)
    assert bench.flops(TINY) == TINY.features[1] * (2 * entries + numbers)


def test_each_step_asks_for_less_than_the_first_and_none_for_less_than_is_needed():
    first, *others = (bench.bytes_requested(step, TINY) for step in bench.STEPS)
    assert bench.bytes_needed(TINY) < min(others)
    assert max(others) < first


def test_a_place_has_a_rate_where_a_time_was_recorded_and_roofs_where_both_floors_were():
    work = bench.flops(TINY)
    found = {
        place.name: place
        for place in bench.roofline_points(TINY, [ROW, replace(ROW, workload="A")])
    }
    assert list(found) == [step.name for step in bench.STEPS]
    assert found["2, one bin"].flop_rate == pytest.approx(work / 0.0005)
    assert found["1, one number"].flop_rate is None
    assert all(place.min_intensity < place.max_intensity for place in found.values())
    assert bench.roofs(TINY, [ROW]) is None
    floors = [
        replace(ROW, implementation=name, milliseconds=time)
        for name, time in ((roofline.BYTES_FLOOR, 0.1), (roofline.WORK_FLOOR, 0.01))
    ]
    roofs = bench.roofs(TINY, [ROW, *floors])
    assert roofs == pytest.approx((bench.bytes_needed(TINY) / 1e-4, work / 1e-5))


def test_without_a_recorded_file_there_are_no_rows_of_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr("roilearn.bench.recorded.results.FOLDER", tmp_path)
    assert bench.read_gpu() == []
    bench.write([ROW], tmp_path / "gpu.csv")
    assert bench.read_gpu() == [ROW]

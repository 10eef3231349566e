"""Measurements under load: processes end for sure, every topic can be measured, rows are kept."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from roilearn import bench, cli, ops, patching_limits
from roilearn.bench import topics
from roilearn.bench.detectors import patched_models
from roilearn.bench.operators import measure, under_load
from roilearn.bench.workloads import ARRANGEMENTS, NmsWorkload, PasteWorkload, PoolingWorkload

ROW = bench.LoadRow(
    "overhead",
    "nms",
    "no box",
    "forward",
    "roilearn",
    1,
    2.0,
    3.0,
    0.5,
    0.4,
    0.6,
    9,
    "torch",
    "cpu",
)
TINY = {"overhead": {"nms": topics.TOPICS["overhead"]["nms"][:2]}}


def runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_busy_processes_run_in_the_block_and_end_with_it():
    with bench.busy_processes(1) as numbers:
        assert len(numbers) == os.cpu_count()
        assert all(map(runs, numbers))
    assert not any(map(runs, numbers))


def test_they_end_with_an_exception_and_with_an_interrupt():
    for kind in (ValueError, KeyboardInterrupt):
        with pytest.raises(kind), bench.busy_processes(1) as numbers:
            raise kind
        assert not any(map(runs, numbers))


@pytest.mark.skipif(sys.platform == "win32", reason="a parent keeps its number there")
def test_they_end_by_themselves_if_the_measurement_is_killed():
    code = (
        "import os, signal; from roilearn import bench\n"
        "with bench.busy_processes(1) as n:\n"
        "    print(*n, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    numbers = [int(word) for word in done.stdout.split()]
    assert numbers
    while any(map(runs, numbers)):
        time.sleep(0.05)


def test_none_are_started_for_zero():
    with bench.busy_processes(0) as numbers:
        assert numbers == []


@pytest.mark.parametrize("topic", topics.TOPICS)
def test_every_workload_of_a_topic_can_be_called(topic):
    """Smaller ones, by torchvision and by us, with the same result."""
    for operator, workloads in topics.TOPICS[topic].items():
        for workload in workloads:
            small = replace(workload, boxes=min(workload.boxes, 3))
            if isinstance(small, PoolingWorkload):
                bins = 49 if operator.startswith("ps_") else 1
                small = replace(small, features=(small.features[0], 2 * bins, 20, 30), sides=(2, 9))
            elif not isinstance(small, (NmsWorkload, PasteWorkload)):
                small = replace(small, channels=2, image=(96, 128), sides=(16, 64))
            calls = measure.make_implementations(operator, small, backward=False)
            theirs, ours = calls["torchvision"](), calls["roilearn"]()
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_arrangements_are_what_their_names_say():
    workload = PoolingWorkload("any", (2, 1, 9, 12), 30, (2, 4), 3, 2, "for tests")
    boxes = {
        name: bench.make_inputs(replace(workload, arrangement=name))[1] for name in ARRANGEMENTS
    }
    assert len(np.unique(boxes["one cell"], axis=0)) == 1
    assert set(boxes["random"][:, 0]) == {0, 1}
    assert set(boxes["one image"][:, 0]) == {0}
    assert np.array_equal(boxes["one image"][:, 1:], boxes["random"][:, 1:])
    assert (boxes["one huge"][:, 1:] == [0, 0, 12, 9]).all(1).sum() == 1
    assert sorted(map(tuple, boxes["random"])) == sorted(map(tuple, boxes["sorted"]))
    rows = [(image, y, x) for image, x, y, *_ in boxes["sorted"].tolist()]
    assert rows == sorted(rows)


def test_in_a_chain_each_box_overlaps_the_next_alone():
    chain = replace(topics.TOPICS["worst cases"]["nms"][0], boxes=6)
    boxes, scores, _ = bench.make_nms_inputs(chain)
    assert len(set(scores.tolist())) == 1
    corners = torch.from_numpy(boxes)
    overlap = ops.box_iou(corners, corners)
    near = (torch.arange(6)[:, None] - torch.arange(6)).abs() == 1
    assert torch.equal((overlap > chain.threshold).fill_diagonal_(False), near)


def test_no_round_begins_after_the_time_that_is_enough():
    calls = {"slow": lambda: time.sleep(0.05)}
    assert len(bench.interleave(calls, rounds=50, seconds_enough=0.01)["slow"]) == 2
    assert len(bench.interleave(calls, rounds=3, seconds_enough=60)["slow"]) == 3


def test_rows_take_the_places_of_those_of_the_same_load():
    quiet, other = replace(ROW, busy=0), replace(ROW, topic="worst cases")
    again = replace(ROW, milliseconds=7.0)
    assert bench.merge_load([ROW, quiet, other], [again]) == [quiet, again, other]


def test_the_command_measures_each_load_and_keeps_the_rest(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(under_load, "TOPICS", TINY)
    monkeypatch.setattr(patched_models, "SIDES", ())
    out = tmp_path / "load.csv"
    other = replace(ROW, operator="roi_pool")
    bench.write([other], out, bench.LoadRow)
    options = ["bench", "--busy", "0", "1", "--rounds", "2", "--only", "nms", "--output", str(out)]
    assert cli.main(options) == 0
    rows = bench.read_load(out)
    assert other in rows
    assert [row.busy for row in rows] == sorted(row.busy for row in rows)
    assert len(rows) == 2 * 2 * 2 + 1
    assert all(row.slowest >= row.milliseconds > 0 for row in rows)
    assert capsys.readouterr().out.count("overhead") == 8


def test_a_word_that_names_nothing_is_an_error(capsys):
    assert cli.main(["bench", "--busy", "0", "--only", "zzz"]) == 2
    assert "got 'zzz'" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["bench", "--busy", "-1"])
    assert "must be at least 0; got -1" in capsys.readouterr().err


def test_an_interrupted_measurement_keeps_what_it_has(monkeypatch, tmp_path, capsys):
    def measure_one(busy, **_):
        yield replace(ROW, busy=busy)
        raise KeyboardInterrupt

    monkeypatch.setattr(under_load, "measure_topics", measure_one)
    out = tmp_path / "load.csv"
    assert cli.main(["bench", "--busy", "0", "--output", str(out)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert bench.read_load(out) == [replace(ROW, busy=0)]


def test_the_crossover_names_channels_and_boxes(monkeypatch, capsys, tmp_path):
    small = topics.pool("roi_pool", "3 x 10", 3, 10, "")
    monkeypatch.setattr(under_load, "CROSSOVER", {"roi_pool": (small,)})
    out = tmp_path / "crossover.csv"
    assert cli.main(["bench", "--crossover", "--rounds", "2", "--output", str(out)]) == 0
    (point,) = bench.read_series(out)
    assert (point.series, point.x, point.implementation) == ("10 boxes", 3, "roilearn")
    assert "10 boxes" in capsys.readouterr().out


def test_the_crossover_goes_to_both_sides_of_the_rule():
    for operator, least in patching_limits.OURS_FROM.items():
        sizes = [
            (w.features[1] // (49 if operator[:2] == "ps" else 1), w.boxes)
            for w in topics.CROSSOVER[operator]
        ]
        ours = [c >= least.channels and 49 * c * k >= least.outputs for c, k in sizes]
        assert any(ours)
        assert not all(ours)


def test_patched_models_compute_the_same_and_their_rows_say_which():
    for training in (False, True):
        model = patched_models.make_detector("Mask R-CNN", 64)
        theirs, ours = (
            patched_models.run_detector(model, 64, training=training, patched=patched)
            for patched in (False, True)
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_models_are_measured_in_both_directions(monkeypatch):
    monkeypatch.setattr(patched_models, "SIDES", (64, 600))
    rows = list(patched_models.measure_models(1, rounds=2, only="Faster"))
    assert {row.workload for row in rows} == {"64 px"}
    assert [(row.direction, row.implementation) for row in rows] == [
        (direction, name)
        for direction in ("inference", "training")
        for name in ("torchvision", "torchvision, patched")
    ]

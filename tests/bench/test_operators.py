"""Benchmarks of operators: implementations compute the same, and results are written and read."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from roilearn import bench, cli, ops
from roilearn.bench.operators import byte_floor, curves, measure, peak_memory, profiler
from roilearn.bench.workloads import ROI_ALIGN, PoolingWorkload

TINY = bench.PoolingWorkload("tiny", (2, 3, 9, 12), 6, (2, 6), 3, 2, "for tests")
ROW = bench.Row("roi_align", "A", "forward", "roilearn", 41.5, 5.25, 4.0, 6.5, 7, "torch 2", "cpu")


def test_boxes_lie_on_the_map_and_have_the_sides_that_were_asked_for():
    for workloads in bench.WORKLOADS.values():
        for workload in (each for each in workloads if isinstance(each, PoolingWorkload)):
            quick = workload.quick()
            features, boxes = bench.make_inputs(quick)
            assert features.shape == quick.features
            assert boxes.shape == (quick.boxes, 5)
            height, width = quick.features[2:]
            sides = boxes[:, 3:] - boxes[:, 1:3]
            assert sides.min() > workload.sides[0] * 0.99
            assert np.all(sides <= np.minimum(workload.sides[1], [width, height]) * 1.01)
            assert boxes[:, 1:].min() >= 0
            assert np.all(boxes[:, 3:] <= [width + 1e-3, height + 1e-3])


def test_inputs_are_the_same_every_time():
    once, again = bench.make_inputs(TINY), bench.make_inputs(TINY)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("ratio", [2, -1])
@pytest.mark.parametrize("operator", ["roi_align", "roi_pool"])
def test_every_implementation_computes_the_same(operator, ratio, backward):
    workload = replace(TINY, sampling_ratio=ratio)
    implementations = measure.make_implementations(operator, workload, backward=backward)
    results = [function() for function in implementations.values()]
    first, *others = [torch.as_tensor(r[0] if isinstance(r, list) else r) for r in results]
    assert len(others) >= 2
    assert first.abs().max() > 0
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=1e-5)


@pytest.mark.parametrize("operator", ["ps_roi_align", "ps_roi_pool"])
def test_a_quick_workload_keeps_whole_bins(operator):
    for workload in bench.WORKLOADS[operator]:
        assert workload.features[1] % workload.output_size**2 == 0
        assert workload.quick().features[1] % workload.output_size**2 == 0


def test_only_the_operators_that_were_asked_for_are_measured(monkeypatch):
    monkeypatch.setattr(measure, "WORKLOADS", {"roi_align": (TINY,), "roi_pool": (TINY,)})
    assert {row.operator for row in measure.measure_all(1, only="pool")} == {"roi_pool"}


def test_a_crowd_has_no_two_scores_alike_and_its_boxes_have_an_area():
    for crowd in bench.WORKLOADS["nms"] + bench.WORKLOADS["batched_nms"]:
        boxes, scores, classes = bench.make_nms_inputs(crowd)
        assert len(np.unique(scores)) == len(boxes) == crowd.boxes
        assert np.all(boxes[:, 2:] > boxes[:, :2])
        assert len(np.unique(classes)) == crowd.classes


def test_implementations_take_turns_and_the_first_round_does_not_count():
    calls = []
    implementations = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    seconds = bench.interleave(implementations, rounds=2)
    assert calls == ["a", "b"] * 3
    assert {name: len(each) for name, each in seconds.items()} == {"a": 2, "b": 2}


def test_ratios_are_taken_round_by_round():
    timing = bench.ratios({"ours": [1, 2, 4], "theirs": [4, 4, 4]}, "theirs")["ours"]
    assert (timing.milliseconds, timing.slowest) == (2000, 4000)
    assert (timing.ratio, timing.ratio_min, timing.ratio_max) == (2, 1, 4)


@pytest.mark.parametrize("direction", measure.DIRECTIONS)
def test_a_measurement_has_a_row_for_each_implementation_and_the_baseline_is_one(direction):
    rows = bench.measure("roi_pool", TINY, direction, rounds=2)
    assert [row.implementation for row in rows] == [
        "torchvision",
        "roilearn",
        "roilearn, channels last",
    ]
    assert rows[0].ratio == rows[0].ratio_min == rows[0].ratio_max == 1
    assert all(row.milliseconds > 0 for row in rows)


def test_rows_are_written_and_read_again(tmp_path):
    bench.write([ROW], tmp_path / "deep" / "cpu.csv")
    assert bench.read(tmp_path / "deep" / "cpu.csv") == [ROW]
    assert bench.read(tmp_path / "none.csv") == []


def test_the_best_of_several_runs_is_kept_with_its_own_spread():
    slow, fast = replace(ROW, ratio=3.0, ratio_min=1.0), replace(ROW, ratio=6.0, ratio_min=5.0)
    other = replace(ROW, workload="B")
    assert bench.best_of_runs([[slow, other], [fast, other], [slow, other]]) == [fast, other]
    theirs = replace(ROW, implementation="torchvision", ratio=1.0)
    quicker = replace(theirs, milliseconds=30.0)
    assert bench.best_of_runs([[theirs], [quicker]]) == [quicker]


def test_the_command_repeats_all_and_writes_a_row_once(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(measure, "WORKLOADS", {"roi_pool": (TINY,)})
    out = tmp_path / "out.csv"
    assert cli.main(["bench", "--rounds", "1", "--runs", "3", "--output", str(out)]) == 0
    assert len(bench.read(out)) == 6
    assert capsys.readouterr().out.count("roi_pool") == 4 * 6


def test_what_was_never_recorded_is_an_error_not_a_number():
    with pytest.raises(ValueError, match=r"must name a recorded result; got .*no such workload"):
        bench.find_row("roi_align", "no such workload")


def test_recorded_results_name_no_machine_and_cover_every_shape():
    rows = bench.read()
    found = {(row.operator, row.workload) for row in rows}
    wanted = {
        (name, workload.name)
        for name, workloads in bench.WORKLOADS.items()
        for workload in workloads
    }
    assert found == wanted
    assert all("/" not in row.machine and "torch 2" in row.versions for row in rows)


def test_a_statement_gives_ratio_spread_versions_and_machine():
    row = bench.find_row("roi_align", "A")
    text = bench.statement("roi_align", "A")
    for part in (f"{row.ratio:.1f} times", f"{row.ratio_min:.1f} to", row.versions, row.machine):
        assert part in text


def test_the_command_prints_a_line_for_each_row_and_writes_them(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(measure, "WORKLOADS", {"roi_align": (TINY,)})
    assert cli.main(["bench", "--quick", "--output", str(tmp_path / "out.csv")]) == 0
    rows = bench.read(tmp_path / "out.csv")
    printed = capsys.readouterr().out
    assert len(rows) == 10  # onnxruntime and a reused output run forward only
    assert printed.count("roi_align") == len(rows)
    assert "torchvision 0." in printed


def test_rounds_must_be_at_least_one(capsys):
    with pytest.raises(SystemExit):
        cli.main(["bench", "--rounds", "-3"])
    assert "must be at least 1; got -3" in capsys.readouterr().err


def test_a_pyramid_is_pooled_alike_by_every_implementation():
    workload = replace(
        bench.WORKLOADS["MultiScaleRoIAlign"][1], image=(96, 160), boxes=9, channels=2
    )
    for backward in (False, True):
        implementations = measure.make_implementations(
            "MultiScaleRoIAlign", workload, backward=backward
        )
        results = [function() for function in implementations.values()]
        first, *others = [each if backward else [each] for each in results]
        assert len(others) == 3
        assert max(part.abs().max() for part in first) > 0
        for other in others:
            torch.testing.assert_close(other, first, rtol=0, atol=1e-5)


def test_some_rows_are_put_in_the_places_of_those_they_repeat(monkeypatch, tmp_path):
    out = tmp_path / "out.csv"
    pool = replace(ROW, operator="roi_pool", workload="tiny", implementation="of another time")
    last = replace(ROW, operator="nms")
    bench.write([ROW, pool, last], out)
    monkeypatch.setattr(measure, "WORKLOADS", {"roi_pool": (TINY,)})
    assert cli.main(["bench", "--rounds", "1", "--only", "pool", "--output", str(out)]) == 0
    rows = bench.read(out)
    assert rows[0] == ROW
    assert rows[-1] == last
    assert [row.operator for row in rows] == ["roi_align", *["roi_pool"] * 6, "nms"]
    assert pool not in rows


def test_a_word_in_no_operators_name_is_an_error(capsys):
    assert cli.main(["bench", "--quick", "--only", "zzz"]) == 2
    assert "got 'zzz'.\nThere are: roi_align, roi_pool" in capsys.readouterr().out


def test_all_operators_that_have_workloads_and_exist_are_measured(monkeypatch):
    monkeypatch.setattr(measure, "measure", lambda operator, *_: [operator])
    assert set(measure.measure_all()) == set(bench.WORKLOADS) <= set(ops.__all__)


def test_slower_means_ours_below_one():
    rows = [replace(ROW, ratio=0.81), replace(ROW, ratio=1.2), replace(ROW, ratio=1.0)]
    theirs = replace(ROW, implementation="onnxruntime", ratio=0.1)
    assert bench.slower([*rows, theirs]) == [rows[0]]


def test_a_curve_varies_one_number_of_the_base():
    for series, workloads in curves.SWEEPS.items():
        places = [curves.swept_value(series, workload) for workload in workloads]
        assert places == sorted(set(places))
        assert sum(workload == curves.BASE for workload in workloads) == (series != "box size")


def test_points_are_measured_written_and_read_again(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(curves, "SWEEPS", {"boxes": [TINY], "samples": [TINY]})
    monkeypatch.setattr(
        peak_memory, "peak_memory", lambda names: {(names[0], "forward", "torchvision"): 2}
    )
    out = tmp_path / "curves.csv"
    assert cli.main(["bench", "--curves", "--quick", "--rounds", "1", "--output", str(out)]) == 0
    points = bench.read_series(out)
    assert [point.series for point in points] == ["boxes"] * 3 + ["samples"] * 3 + [
        *["boxes"] * 3,
        "memory",
        *["floor"] * 4,
    ]
    assert all(point.value > 0 and point.ratio > 0 for point in points)
    assert capsys.readouterr().out.count("\n") == len(points)


def test_the_floor_counts_output_rows_once_and_lists():
    workload = bench.PoolingWorkload("one cell", (1, 5, 4, 4), 3, (1, 1), 1, 1, "for tests")
    entries, bags = 3 * 4, 3
    least, most = ((bags + rows) * 5 * 4 + entries * 8 + bags * 4 for rows in (1, 12))
    assert least <= byte_floor.bytes_moved(workload) <= most + bags * 4


def test_memory_of_a_call_holds_at_least_its_output():
    case = ("B", "forward", "torchvision")
    ((_, mebibytes),) = peak_memory.measure_in_subprocess([case])
    output = 128 * 64 * 7 * 7 * 4 / 2**20
    assert output * 0.9 < mebibytes < 20 * output


def test_memory_workloads_are_those_of_roi_align():
    assert [peak_memory.find_workload(name).name for name in peak_memory.MEASURED] == list("AMDB")
    assert {workload.name for workload in ROI_ALIGN} >= set(peak_memory.MEASURED)


def test_a_profile_sees_the_threads_that_help():
    features = torch.ones(400, 400)

    def call():
        thread = threading.Thread(target=torch.matmul, args=(features, features))
        thread.start()
        thread.join()
        return torch.matmul(features, features)

    calls = {name: number for name, _, number in profiler.profile_call(call)}
    assert calls["mm"] == (1 if profiler.all_threads() is None else 2)


def test_a_profile_names_the_kernels_the_longest_first_and_adds_up():
    features = torch.ones(400, 400)

    def call():
        return (features @ features).sum()

    parts = profiler.profile_call(call)
    # Which of the two is the longer is the machine's affair: a busy one can interrupt either.
    assert {(name, number) for name, _, number in parts} >= {("mm", 1), ("sum", 1)}
    named = [share for name, share, _ in parts if name != profiler.REST]
    assert named == sorted(named, reverse=True)
    assert sum(share for _, share, _ in parts) == pytest.approx(1)

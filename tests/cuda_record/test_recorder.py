"""The recorder on the CPU: its cases, its processes, what it writes and when it refuses."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import record_cuda
from record_cuda import BOXES, KINDS, UNIT, Case, Runner

from roilearn import records

SCRIPT = Path(record_cuda.__file__)
WITHOUT_GPU = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module")
def cases():
    return list(record_cuda.every_case())


def ordinary_boxes(cases, kind):
    """x1, y1, x2, y2 in cells, and (width, height) of the map, of every ordinary box of a kind."""
    for case in cases:
        if case.group == "ordinary" and case.operator != "nms" and case.name.endswith(f"/{kind}"):
            size = case.inputs["features"].shape[:1:-1]
            yield case.inputs["boxes"][:, 1:] * case.options["spatial_scale"], np.array(size)


def test_it_needs_python_numpy_torch_and_torchvision_alone():
    tree = ast.parse(SCRIPT.read_text())
    roots = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    late = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module"
    }
    assert roots - sys.stdlib_module_names == {"numpy"}
    assert late == {"torch", "torchvision", "roilearn.kernels"}  # the last is asked for, if there


def test_there_are_a_few_hundred_cases_of_every_operator_and_kind(cases):
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    assert 300 < len(cases) < 700
    groups = Counter((case.operator, case.group) for case in cases)
    operators = {"roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "nms"}
    assert set(groups) == {("multi_scale_roi_align", "pyramid")} | {
        (operator, group)
        for operator in operators
        for group in ("ordinary", "borderline", "unsafe")
    }
    for operator in record_cuda.ROI_OPERATORS:
        kinds = Counter(name.rpartition("/")[2] for name in names if name.startswith(operator))
        assert all(kinds[kind] >= 3 for kind in KINDS), operator


def test_both_flags_and_both_samplings_of_roi_align_are_there(cases):
    ordinary = [c.options for c in cases if (c.operator, c.group) == ("roi_align", "ordinary")]
    seen = Counter((options["aligned"], options["sampling_ratio"] > 0) for options in ordinary)
    assert set(seen) == {(aligned, fixed) for aligned in (False, True) for fixed in (False, True)}
    assert min(seen.values()) > 40


def test_inputs_come_from_their_seed_and_are_exact(cases):
    again = list(record_cuda.every_case())
    assert [record_cuda.digest(case.inputs) for case in again] == [
        record_cuda.digest(case.inputs) for case in cases
    ]
    for case in cases:
        for values in case.inputs.values():
            assert values.dtype == np.float32
            if case.group != "unsafe":
                packed = (values.astype(float) * UNIT).astype(np.int32)
                assert np.array_equal(packed / UNIT, values), case.name


def test_the_digest_sees_a_changed_value_a_changed_shape_and_a_changed_name():
    values = {"boxes": np.zeros((2, 3), np.float32)}
    changed = [
        {"boxes": values["boxes"] + np.float32(1 / UNIT)},
        {"boxes": values["boxes"].reshape(3, 2)},
        {"scores": values["boxes"]},
    ]
    assert len({record_cuda.digest(inputs) for inputs in [values, *changed]}) == 4


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("inside", lambda b, s: (b >= -0.01) & (b <= np.tile(s, 2) + 0.01)),
        ("full", lambda b, s: abs(b - [0, 0, *s]) < 0.01),
        ("zero width", lambda b, _: (b[:, 0] == b[:, 2]) & (b[:, 1] < b[:, 3])),
        ("zero height", lambda b, _: (b[:, 1] == b[:, 3]) & (b[:, 0] < b[:, 2])),
        ("zero both", lambda b, _: b[:, :2] == b[:, 2:]),
        ("inverted x", lambda b, _: (b[:, 0] > b[:, 2]) & (b[:, 1] < b[:, 3])),
        ("inverted y", lambda b, _: (b[:, 1] > b[:, 3]) & (b[:, 0] < b[:, 2])),
        ("inverted both", lambda b, _: b[:, :2] > b[:, 2:]),
        ("tiny", lambda b, _: (b[:, 2:] - b[:, :2] > 0) & (b[:, 2:] - b[:, :2] < 0.3)),
        ("huge", lambda b, s: b[:, 2:] - b[:, :2] > 2.9 * s),
        ("outside", lambda b, s: ((b[:, 2:] < -1) | (b[:, :2] > s + 1)).any(1)),
        ("far outside", lambda b, s: ((b[:, 2:] < -20 * s) | (b[:, :2] > 20 * s)).any(1)),
        ("border", lambda b, s: ((b[:, :2] < 0) ^ (b[:, 2:] > s)).any(1)),
    ],
)
def test_boxes_are_of_their_kind(cases, kind, holds):
    drawn = list(ordinary_boxes(cases, kind))
    assert drawn
    for boxes, size in drawn:
        assert len(boxes) == BOXES
        assert np.all(holds(boxes.astype(float), size)), (kind, boxes)


@pytest.mark.parametrize(("kind", "step"), [("integer", 1), ("half", 0.5), ("quarter", 0.25)])
def test_boxes_on_a_grid_lie_on_it_and_on_no_coarser_one(cases, kind, step):
    for boxes, _ in ordinary_boxes(cases, kind):
        steps = boxes.astype(float) / step
        if np.array_equal(steps, np.rint(steps)):  # a scale of 0.3 puts them beside it
            assert step == 1 or (steps % 2).all()
    exact = [boxes for boxes, _ in ordinary_boxes(cases, kind) if not (boxes % step).any()]
    assert len(exact) > 10


@pytest.mark.parametrize("kind", ["-1 edge", "size edge"])
def test_edge_boxes_put_a_sample_exactly_on_the_limit(cases, kind):
    touching = 0
    for case in cases:
        if case.group != "ordinary" or not case.name.endswith(f"/{kind}"):
            continue
        if not case.operator.endswith("align") or case.options["spatial_scale"] == 0.3:
            continue
        axes = record_cuda.axes_of(case.operator, case.inputs["features"].shape, case.options)
        for box in case.inputs["boxes"][:, 1:]:
            samples = [
                record_cuda.sample_arithmetic(
                    np.float32, first, last, axis, case.options["spatial_scale"]
                )[2]
                for axis, first, last in zip(axes, box[:2], box[2:], strict=True)
            ]
            limits = [-1, -1] if kind == "-1 edge" else [axis.size for axis in axes]
            assert any((s == limit).any() for s, limit in zip(samples, limits, strict=True))
            touching += 1
    assert touching > 80


def test_no_ordinary_case_is_borderline_and_every_listed_one_is(cases):
    for case in cases:
        if case.group in ("unsafe", "pyramid"):
            continue
        if case.operator == "nms":
            scores = case.inputs["scores"]
            overlaps = case.inputs["boxes"].astype(float)
            borderline = record_cuda.overlap_is_borderline(overlaps, case.options["iou_threshold"])
            borderline |= len(set(scores)) < len(scores)
        else:
            axes = record_cuda.axes_of(case.operator, case.inputs["features"].shape, case.options)
            borderline = any(
                record_cuda.is_borderline(case.operator, box, axes, case.options["spatial_scale"])
                for box in case.inputs["boxes"][:, 1:].astype(float)
            )
        assert borderline == (case.group == "borderline"), case.name
        assert bool(case.reason) == borderline


def test_boxes_of_a_pyramid_lie_on_every_level_and_depend_on_no_rounding(cases):
    seen = Counter()
    for case in cases:
        if case.group != "pyramid":
            continue
        boxes = case.inputs["boxes"].astype(float)
        assert (np.diff(boxes[:, 0]) >= 0).all()  # the order in which torchvision answers
        for box in boxes[:, 1:]:
            level = record_cuda.level_of(box)
            axes = record_cuda.axes_of(
                "roi_align", (1, 1, *record_cuda.PYRAMID[level]), case.options
            )
            scale = case.options["spatial_scales"][level]
            assert not record_cuda.is_borderline("roi_align", box, axes, scale)
            seen[level] += 1
    assert min(seen[level] for level in range(3)) > 10
    assert record_cuda.level_of(np.array([0, 0, 32, 32.0])) is None


@pytest.mark.skipif(not find_spec("triton"), reason="Triton exists for Linux alone")
def test_kernels_are_recorded_beside_torchvision_where_there_are_any(cases):
    (case,) = (c for c in cases if c.name == "roi_pool/2x2 scale 1/quarter")
    ours, theirs = record_cuda.run_kernels(case, "cpu"), record_cuda.run_case(case, "cpu")
    assert {part.removeprefix("kernel ") for part in ours} == set(theirs)
    for part, values in theirs.items():
        assert np.allclose(ours[f"kernel {part}"], values, atol=1e-5)
    (case,) = (c for c in cases if c.name == "ps_roi_pool/2x2 scale 1/quarter")
    assert record_cuda.run_kernels(case, "cpu") == {}  # there is no such kernel


# --- processes: a case may crash, hang, or end its process without a word ------------------------


def run_fakes(folder, names, limit=20.0):
    runner = Runner(SCRIPT.with_name("record_fakes.py"), "cpu", folder, case_limit=limit)
    runner.run(names)
    return runner.results


def test_a_case_that_ends_its_process_is_recorded_and_the_rest_still_run(tmp_path):
    names = ["give a", "abort", "give b", "exit", "vanish", "raise", "give c"]
    results = run_fakes(tmp_path, names)
    assert list(results) == names
    assert results["abort"] == {"outcome": "crash", "signal": "SIGABRT"}
    assert results["exit"] == {"outcome": "crash", "exit": "7"}
    assert results["vanish"]["outcome"] == "crash"
    assert results["raise"] == {
        "outcome": "error",
        "error": "RuntimeError",
        "message": "CUDA error: an illegal memory access",
    }
    given = [results[f"give {letter}"] for letter in "abc"]
    assert [float(result["values"]["forward"][0]) for result in given] == [0, 2, 6]  # their seeds


def test_a_case_that_borderline_is_killed_in_time_and_the_rest_still_run(tmp_path):
    results = run_fakes(tmp_path, ["hang", "give d"], limit=1.0)
    assert results["hang"] == {"outcome": "timeout", "seconds": 1.0}
    assert results["give d"]["outcome"] == "value"


def test_what_was_recorded_is_kept_when_the_device_is_lost(tmp_path, capsys):
    names = ["give d", "lose the device", "give e"]
    cases = [Case(name, "fake", "ordinary", {}, {}) for name in names]
    runner = Runner(SCRIPT.with_name("record_fakes.py"), "cuda", tmp_path)
    assert record_cuda.record(tmp_path / "record", cases, runner) == 1
    assert "no value: give e" in capsys.readouterr().out
    kept = records.read(tmp_path / "record")
    assert [case.facts["outcome"] for case in kept.cases] == ["value", "crash", "not run"]
    assert kept.machine["driver"]


def test_the_gpu_is_named(monkeypatch):
    cuda = SimpleNamespace(
        is_available=lambda: True,
        get_device_capability=lambda _: (9, 0),
        get_device_name=lambda _: "Test GPU",
    )
    libraries = {
        "torch": SimpleNamespace(
            __version__="2.11.0", cuda=cuda, version=SimpleNamespace(cuda="13.0")
        ),
        "torchvision": SimpleNamespace(__version__="0.26.0"),
    }
    tried = []
    monkeypatch.setattr(record_cuda.importlib, "import_module", libraries.get)
    monkeypatch.setattr(record_cuda, "run_case", lambda _, device: tried.append(device))
    facts = record_cuda.machine("cuda")
    assert tried == ["cuda"]  # before the clock of the first case runs
    assert (facts["gpu"], facts["compute_capability"]) == ("Test GPU", "9.0")
    assert (facts["torch"], facts["torchvision"], facts["cuda"]) == ("2.11.0", "0.26.0", "13.0")


def test_a_process_that_cannot_start_is_an_error_and_no_result(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit('no such library')")
    with pytest.raises(RuntimeError, match="no such library"):
        Runner(script, "cpu", tmp_path).run(["a case"])


def test_a_true_unsafe_case_is_recorded_whatever_it_does(tmp_path, cases):
    (case,) = (c for c in cases if c.name == "roi_align/2x2 scale 1 ratio 2 aligned/NaN x1")
    runner = Runner(SCRIPT, "cpu", tmp_path)
    runner.run([case.name])
    assert runner.results[case.name]["outcome"] in {"value", "error", "crash", "timeout"}
    line = record_cuda.line_of(case, runner.results[case.name], None, None)
    assert line["boxes"] == [["0.0", "nan", "1.0", "4.0", "3.0"]]
    assert "NaN" not in json.dumps(line).replace("NaN x1", "")


# --- what is written -----------------------------------------------------------------------------


def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path):
    output = tmp_path / "record"
    done = subprocess.run(
        [sys.executable, SCRIPT, "--output", output],
        capture_output=True,
        text=True,
        check=False,
        env=WITHOUT_GPU,
    )
    assert done.returncode == 2
    assert "Nothing recorded" in done.stdout
    assert "no CUDA device" in done.stdout
    assert not output.exists()


def test_a_run_on_the_cpu_needs_a_folder_of_its_own(capsys):
    with pytest.raises(SystemExit) as stopped:
        record_cuda.main(["--device", "cpu"])
    assert stopped.value.code == 2
    assert "needs --output" in capsys.readouterr().err


def test_a_run_on_the_cpu_is_never_taken_for_the_record(cpu_folder):
    manifest = json.loads((cpu_folder / "manifest.json").read_text())
    assert manifest["machine"]["device"] == "cpu"
    assert "gpu" not in manifest["machine"]
    with pytest.raises(ValueError, match="device cuda; got format 1 and device cpu"):
        records.read(cpu_folder)


def test_the_record_is_small_enough_for_git(cpu_folder):
    assert sum(file.stat().st_size for file in cpu_folder.iterdir()) < 4_000_000


def test_what_is_read_is_what_was_run(cpu_record, safe_cases):
    assert [case.name for case in cpu_record.cases] == [case.name for case in safe_cases]
    for read, made in zip(cpu_record.cases[::17], safe_cases[::17], strict=True):
        assert record_cuda.digest(read.inputs) == record_cuda.digest(made.inputs)
        fresh = record_cuda.run_case(made, "cpu")
        assert set(fresh) == set(read.results)
        assert all(np.array_equal(fresh[part], read.results[part]) for part in fresh)


def fake_runner(cases, value):
    runner = Runner(SCRIPT, "cpu", Path())
    runner.machine = {"device": "cpu"}
    values = {"forward": np.full(3, value, np.float32)}
    runner.results = {case.name: {"outcome": "value", "values": values} for case in cases}
    return runner


def fake_cases():
    inputs = {"boxes": np.zeros((0, 4), np.float32)}
    return [Case("nms/fake", "nms", "ordinary", {"iou_threshold": 0.5}, inputs, 1)]


def test_a_second_run_replaces_the_record(tmp_path):
    for value in (1, 2, 2):
        record_cuda.write(tmp_path, fake_cases(), fake_runner(fake_cases(), value))
        (case,) = records.read(tmp_path, device="cpu").cases
        assert case.results["forward"].tolist() == [value] * 3
        assert len(list(tmp_path.iterdir())) == 2


def test_a_run_that_breaks_off_leaves_the_old_record_whole(tmp_path, monkeypatch):
    record_cuda.write(tmp_path, fake_cases(), fake_runner(fake_cases(), 1))

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(record_cuda.json, "dumps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record_cuda.write(tmp_path, fake_cases(), fake_runner(fake_cases(), 2))
    monkeypatch.undo()
    (case,) = records.read(tmp_path, device="cpu").cases
    assert case.results["forward"].tolist() == [1, 1, 1]


def test_an_ordinary_case_without_a_value_is_recorded_and_reported(tmp_path, monkeypatch, capsys):
    cases = fake_cases()
    runner = fake_runner(cases, 1)
    runner.results[cases[0].name] = {"outcome": "crash", "signal": "SIGSEGV"}
    monkeypatch.setattr(record_cuda, "run_all", lambda *_: None)
    assert record_cuda.record(tmp_path, cases, runner) == 1
    assert "no value: nms/fake" in capsys.readouterr().out
    (case,) = records.read(tmp_path, device="cpu").cases
    assert case.facts["outcome"] == "crash"
    assert case.results == {}


@pytest.mark.parametrize("damage", ["values lost", "values changed", "no cases", "other format"])
def test_a_damaged_record_is_refused(cpu_folder, tmp_path, damage):
    copy = tmp_path / "copy"
    shutil.copytree(cpu_folder, copy)
    (values,) = copy.glob("values-*.npz")
    manifest = json.loads((copy / "manifest.json").read_text())
    if damage == "values lost":
        values.unlink()
    elif damage == "values changed":
        values.write_bytes(values.read_bytes()[:-1])
    elif damage == "no cases":
        manifest["cases"] = []
    else:
        manifest["format"] = 0
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="Record it again"):
        records.read(copy, device="cpu")

"""The implementations against the recorded results of torchvision's CUDA kernels.

Until these are recorded, the same comparisons run against a temporary record of the CPU kernels,
and the pages have to say that there is no CUDA record.
"""

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import record_cuda
import torchvision

from roilearn import cuda_record, records, reference

RECORDED = False
"""Whether the CUDA record has been committed. The commit that adds it makes this True."""

DEVICES = ["cpu", "cuda"] if RECORDED else ["cpu"]
IMPLEMENTATIONS = ("reference", "ops")
BOUNDS = {  # forward and gradient; float64 instead of float32 makes 5e-6 of roi_align
    "roi_align": {"forward": 1e-5, "gradient": 2e-5},
    "roi_pool": {"forward": 0.0, "gradient": 1e-5},
    "ps_roi_align": {"forward": 1e-5, "gradient": 2e-5},
    "ps_roi_pool": {"forward": 1e-5, "gradient": 1e-5},
    "nms": {"forward": 0.0},
    "multi_scale_roi_align": {"forward": 1e-5, "gradient": 2e-5},
}
PYRAMID = "multi_scale_roi_align"
OPERATORS = ("nms", "ps_roi_align", "ps_roi_pool", "roi_align", "roi_pool")
SHIFT = np.array([0, *[1e-3] * 4], np.float32)
BORDERLINE_BOUND = 2e-4  # the slope of the maps times the perturbation
MISSING = "torchvision's CUDA kernels: not recorded yet"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=DEVICES)
def record(request, cpu_record):
    return cpu_record if request.param == "cpu" else records.read()


# --- there is a record, or the pages say that there is none ---------------------------------------


def complaint(folder, recorded):
    """What is wrong with the state of the record in ``folder``, given what was committed."""
    try:
        found = records.read(folder) is not None
    except ValueError as error:
        return str(error)
    if found and not recorded:
        return f"{folder} holds a record: set RECORDED to True in {Path(__file__).name}"
    if recorded and not found:
        return f"the CUDA record has been committed once and is gone from {folder}"
    return ""


def test_the_cuda_record_is_there_once_it_has_been_committed():
    assert complaint(records.FOLDER, RECORDED) == ""


@pytest.fixture
def cuda_folder(cpu_folder, tmp_path):
    """Folder with a record that claims to come from a GPU: for tests of what is done with one."""
    copy = tmp_path / "cuda"
    shutil.copytree(cpu_folder, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["machine"] |= {"device": "cuda", "gpu": "Test GPU", "driver": "0", "cuda": "0"}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def test_a_record_that_is_lost_emptied_or_damaged_is_noticed(cuda_folder, tmp_path):
    assert complaint(tmp_path / "nothing", recorded=False) == ""
    assert "is gone" in complaint(tmp_path / "nothing", recorded=True)
    assert complaint(cuda_folder, recorded=True) == ""
    assert "set RECORDED" in complaint(cuda_folder, recorded=False)
    manifest = json.loads((cuda_folder / "manifest.json").read_text())
    (cuda_folder / "manifest.json").write_text(json.dumps(manifest | {"cases": []}))
    assert "got none" in complaint(cuda_folder, recorded=True)
    next(cuda_folder.glob("values-*.npz")).unlink()
    assert "must be the file" in complaint(cuda_folder, recorded=True)


def stored_text(cell):
    return "".join("".join(output.get("text", "")) for output in cell.get("outputs", []))


def test_notebooks_that_quote_the_record_store_what_it_says():
    quoted = 0
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "cuda_record.statement(" in "".join(cell["source"]):
                said = stored_text(cell)
                quoted += 1
                assert (MISSING in said) != RECORDED, path.name
                assert ("largest difference" in said) == RECORDED, path.name
    assert quoted


def test_the_landing_page_says_whether_there_is_a_record():
    page = " ".join((ROOT / "book" / "index.md").read_text(encoding="utf-8").split())
    assert ("CUDA kernels have **not been recorded** yet" in page) != RECORDED


def test_the_statement_without_a_record(monkeypatch):
    monkeypatch.setattr(cuda_record, "read", lambda: None)
    cuda_record.largest_difference.cache_clear()
    assert cuda_record.statement("roi_align") == MISSING
    assert cuda_record.largest_difference("roi_align") is None
    cuda_record.largest_difference.cache_clear()


def test_the_statement_with_a_record(monkeypatch, cuda_folder):
    monkeypatch.setattr(cuda_record, "read", lambda: records.read(cuda_folder))
    cuda_record.largest_difference.cache_clear()
    said = cuda_record.statement("roi_pool")
    assert "CUDA roi_pool on one Test GPU, 72 recorded cases" in said
    assert said.endswith("largest difference 0.0e+00")
    cuda_record.largest_difference.cache_clear()


# --- the record is whole -------------------------------------------------------------------------


def test_every_case_of_the_recorder_is_there_with_the_inputs_of_its_seed(record):
    unsafe = "gpu" in record.machine  # the stand-in does without them
    made = [case for case in record_cuda.every_case() if unsafe or case.group != "unsafe"]
    kept = [(case.name, case.facts["inputs_sha256"]) for case in record.cases]
    assert kept == [(case.name, record_cuda.digest(case.inputs)) for case in made]
    for read, case in zip(record.cases, made, strict=True):
        if case.group != "unsafe":
            assert record_cuda.digest(read.inputs) == read.facts["inputs_sha256"]
            assert {**read.options, "output_size": None} == {**case.options, "output_size": None}


def test_every_case_that_is_not_unsafe_gave_values(record):
    for case in record.cases:
        if case.group != "unsafe":
            assert case.facts["outcome"] == "value", case.name
            wanted = {"forward"} if case.operator == "nms" else {"forward", "gradient"}
            kernel = {f"{cuda_record.KERNEL}{quantity}" for quantity in wanted}
            assert set(case.results) in (wanted, wanted | kernel)
        else:
            assert case.facts["outcome"] in {"value", "error", "crash", "timeout"}


def test_values_are_finite_but_where_no_sample_is_taken(record):
    for case in record.cases:
        finite = all(np.isfinite(values).all() for values in case.results.values())
        sampled = case.options.get("sampling_ratio", 1) > 0
        empty = case.name.rpartition("/")[2].startswith(("zero", "inverted"))
        assert finite or (case.operator == "ps_roi_align" and not sampled and empty), case.name


def test_running_again_gives_the_same_but_for_the_order_of_sums(record):
    for case in record.cases:
        again = case.facts.get("rerun", {})
        assert again.get("forward", 0) == 0, case.name
        assert again.get("gradient", 0) <= 1e-5, case.name


@pytest.mark.parametrize("device", [device for device in DEVICES if device == "cuda"] or ["none"])
def test_the_record_names_its_machine_and_is_small(device):
    found = records.read()
    assert (found is None) == (device == "none")
    if found is not None:
        facts = {"gpu", "compute_capability", "driver", "cuda", "torch", "torchvision", "numpy"}
        assert all(found.machine[fact] for fact in facts)
        assert sum(file.stat().st_size for file in records.FOLDER.iterdir()) < 5_000_000


# --- the comparison ------------------------------------------------------------------------------


def test_every_operator_that_is_compared_is_recorded(cpu_record):
    assert set(cpu_record.operators) == {*OPERATORS, PYRAMID} == set(BOUNDS)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("operator", BOUNDS)
def test_cases_that_depend_on_no_rounding_agree(record, operator, implementation):
    too_far, count = [], 0
    for case, quantity, difference in cuda_record.differences(record, operator, implementation):
        count += not quantity.startswith(cuda_record.KERNEL)
        if difference > BOUNDS[operator][quantity.removeprefix(cuda_record.KERNEL)]:
            too_far.append((difference, quantity, case.name))
    assert not too_far, sorted(too_far, reverse=True)[:5]
    cases = record.of(operator, "pyramid" if operator == PYRAMID else "ordinary")
    assert count == len(BOUNDS[operator]) * len(cases) > 10


def some_for_the_interpreter(record):
    """A few cases of each operator that has a kernel: the interpreter takes its time."""
    for operator, step in (("roi_align", 200), ("roi_pool", 50), ("ps_roi_align", 40), ("nms", 9)):
        yield from record.of(operator)[5::step]
    yield record.of(PYRAMID, "pyramid")[-1]


@pytest.mark.skipif(not find_spec("triton"), reason="Triton exists for Linux alone")
def test_the_kernels_agree_in_the_interpreter(record):
    some = tuple(some_for_the_interpreter(record))
    names = {case.operator for case in some}
    assert names == set(BOUNDS) - {"ps_roi_pool"}
    for operator in names:
        for case, quantity, difference in cuda_record.differences(
            replace(record, cases=some), operator, "kernels"
        ):
            quantity = quantity.removeprefix(cuda_record.KERNEL)  # noqa: PLW2901
            assert difference <= BOUNDS[operator][quantity], (case.name, quantity, difference)


def test_results_of_kernels_are_compared_apart_from_those_of_torchvision(cpu_record):
    """As if a GPU's kernels had been recorded, one of them wrong."""
    case = cpu_record.of("roi_pool")[0]
    kernel = {f"{cuda_record.KERNEL}forward": case.results["forward"] + 1}
    some = replace(cpu_record, cases=(replace(case, results=case.results | kernel),))
    found = {
        quantity: difference
        for _, quantity, difference in cuda_record.differences(some, "roi_pool", "ops")
    }
    assert found["kernel forward"] == pytest.approx(1)
    assert found["forward"] == 0


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_borderline_cases_agree_with_one_of_their_two_results(record, operator, implementation):
    cases = record.of(operator, "borderline")
    assert cases
    for case in cases:
        difference = cuda_record.borderline_difference(case, implementation)
        assert difference <= BORDERLINE_BOUND, (case.name, case.facts["reason"], difference)


def peer(case):
    """Answer of torchvision's CPU kernels."""
    return cuda_record._run_on_tensors(torchvision.ops, case)


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_borderline_case_has_two_results_that_differ(cpu_record, operator):
    for case in cpu_record.of(operator, "borderline"):
        seen = [peer(side)["forward"] for side in cuda_record.perturbed(case)]
        far = [
            a.shape != b.shape or np.abs(a - b).max() > 50 * BORDERLINE_BOUND
            for a in seen
            for b in seen
        ]
        assert any(far), case.name


def test_arrays_are_passed_as_the_reference_takes_them(cpu_record):
    """NumPy signatures: ``nms`` has no gradient; the others take it first, without output_size."""
    calls = []
    module = SimpleNamespace(
        nms=lambda *a, **k: calls.append((len(a), set(k))) or [0],
        ps_roi_pool=lambda *a, **k: calls.append((len(a), set(k))),
        ps_roi_pool_backward=lambda *a, **k: calls.append((len(a), set(k))),
    )
    cuda_record._run_on_arrays(module, cpu_record.of("nms")[0])
    cuda_record._run_on_arrays(module, cpu_record.of("ps_roi_pool")[0])
    assert calls == [
        (2, {"iou_threshold"}),
        (2, {"output_size", "spatial_scale"}),
        (3, {"spatial_scale", "read_last"}),
    ]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("flag dropped", lambda f: lambda *a, **k: f(*a, **{**k, "aligned": False})),
        ("always adaptive", lambda f: lambda *a, **k: f(*a, **{**k, "sampling_ratio": -1})),
        ("shifted by 0.001", lambda f: lambda x, b, *a, **k: f(x, b + SHIFT, *a, **k)),
    ],
)
def test_a_wrong_variant_is_far_off(cpu_record, monkeypatch, name, wrong):
    right = reference.roi_align
    monkeypatch.setattr(reference, "roi_align", wrong(right))
    some = replace(cpu_record, cases=tuple(cpu_record.of("roi_align")[::6]))
    found = cuda_record.differences(some, "roi_align", "reference")
    worst = max(difference for _, quantity, difference in found if quantity == "forward")
    assert worst > 100 * BOUNDS["roi_align"]["forward"], name


def test_a_gap_is_infinite_for_other_shapes_and_for_nan_where_a_number_was_recorded():
    one = np.ones(2, np.float32)
    assert cuda_record.max_difference(one, one) == 0
    assert cuda_record.max_difference(one, np.ones(3, np.float32)) == np.inf
    assert cuda_record.max_difference(one * np.nan, one) == np.inf
    assert cuda_record.max_difference(one, one * np.nan) == 0
    assert cuda_record.max_difference(np.zeros(0), np.zeros(0)) == 0

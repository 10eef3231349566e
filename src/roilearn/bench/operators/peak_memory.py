"""Peak memory of one call, above what the process held before it.

The operating system counts, not PyTorch's allocator, so that buffers of torchvision's kernels count
as well. All calls are measured in a subprocess, in which the peak is reset before each call. Where
the system cannot reset it, each call has a subprocess of its own.
"""

import csv
import ctypes
import ctypes.util
import gc
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from roilearn.bench.operators.implementations import BASELINE, CHANNELS_LAST_BOTH, OURS
from roilearn.bench.workloads import ROI_ALIGN, PoolingWorkload

Case = tuple[str, str, str]
"""Name of the workload, direction, implementation."""
COMPARED = (BASELINE, OURS, CHANNELS_LAST_BOTH)
DIRECTIONS = ("forward", "forward + backward")
MEASURED = ("A", "M", "D", "B")
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def peak_memory(names: Sequence[str]) -> dict[Case, float]:
    """Measure the peak extra memory of ``roi_align`` in mebibytes, by case."""
    cases = [(n, d, i) for n in names for d in DIRECTIONS for i in COMPARED]
    groups = [cases] if can_reset_peak() else [[case] for case in cases]
    return {case: value for group in groups for case, value in measure_in_subprocess(group)}


def find_workload(name: str) -> PoolingWorkload:
    """Find a workload of ``roi_align`` by its name."""
    return next(workload for workload in ROI_ALIGN if workload.name == name)


def can_reset_peak() -> bool:
    """Reset the process's peak; return whether the system can do so, as Linux does."""
    try:
        _RESET.write_text("5", encoding="ascii")
    except OSError:
        return False
    return _STATUS.exists()


def measure_in_subprocess(cases: list[Case]) -> Iterator[tuple[Case, float]]:
    """Measure some cases, one after the other, in one subprocess."""
    command = [
        sys.executable,
        "-m",
        "roilearn.bench.operators.peak_memory",
        *("|".join(case) for case in cases),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    values = [float(line) for (line,) in csv.reader(done.stdout.splitlines())]
    return zip(cases, values, strict=True)


def peak_extra_memory(case: Case) -> float:
    """Mebibytes (2**20 bytes) of the peak during one call, above the memory held before it."""
    from roilearn.bench.operators.pooling import pooling_implementations  # noqa: PLC0415 - loads torch

    name, direction, implementation = case
    workload = find_workload(name)
    implementations = pooling_implementations(
        "roi_align", workload, backward=direction != DIRECTIONS[0]
    )
    function = implementations[implementation]
    del implementations
    release_freed_memory()
    before = resident_bytes()
    if can_reset_peak():
        before = resident_bytes()
    result = function()
    extra = (peak_resident_bytes() - before) / 2**20
    del result
    return max(extra, 0.0)


def warm_up() -> None:
    """Call each implementation once: memory of threads and libraries is not a call's."""
    from roilearn.bench.operators.pooling import pooling_implementations  # noqa: PLC0415 - loads torch

    small = find_workload("B")
    for backward in (False, True):
        for function in pooling_implementations("roi_align", small, backward=backward).values():
            function()


def release_freed_memory() -> None:
    """Return freed memory to the system where the C library can, so that a call cannot reuse it."""
    gc.collect()
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def resident_bytes() -> int:
    """Resident memory of this process now, in bytes."""
    return _status("VmRSS") if _STATUS.exists() else peak_resident_bytes()


def peak_resident_bytes() -> int:
    """Peak resident memory of this process since the peak was reset, in bytes."""
    if _STATUS.exists():
        return _status("VmHWM")
    import resource  # noqa: PLC0415 - not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(name: str) -> int:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    warm_up()
    for argument in sys.argv[1:]:
        workload, direction, implementation = argument.split("|")
        print(peak_extra_memory((workload, direction, implementation)))  # noqa: T201

"""Peak extra memory of one call: how far it lifts the process above what its inputs take.

The system counts, not the allocator, so that buffers of torchvision's kernels count as well. All
is measured in a process of its own, in which the highest mark is set back before each call; where
the system cannot set it back, every call has a process of its own.
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
from roilearn.bench.workloads import ROI_ALIGN, Shape

Case = tuple[str, str, str]
"""Shape, direction, contestant."""
COMPARED = (BASELINE, OURS, CHANNELS_LAST_BOTH)
DIRECTIONS = ("forward", "forward + backward")
MEASURED = ("A", "M", "D", "B")
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def measured(names: Sequence[str]) -> dict[Case, float]:
    """Mebibytes of roi_align by case."""
    cases = [(s, d, c) for s in names for d in DIRECTIONS for c in COMPARED]
    groups = [cases] if can_reset() else [[case] for case in cases]
    return {case: value for group in groups for case, value in in_a_child(group)}


def workload(name: str) -> Shape:
    """Look a workload of roi_align up by its name."""
    return next(shape for shape in ROI_ALIGN if shape.name == name)


def can_reset() -> bool:
    """Whether the system sets the highest mark back when asked: Linux does."""
    try:
        _RESET.write_text("5", encoding="ascii")
    except OSError:
        return False
    return _STATUS.exists()


def in_a_child(cases: list[Case]) -> Iterator[tuple[Case, float]]:
    """Measure some cases, one after the other, in one fresh process."""
    command = [
        sys.executable,
        "-m",
        "roilearn.bench.operators.peak_memory",
        *("|".join(case) for case in cases),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    values = [float(line) for (line,) in csv.reader(done.stdout.splitlines())]
    return zip(cases, values, strict=True)


def peak_of(case: Case) -> float:
    """Mebibytes (2**20 bytes) that one call takes at most, above those held before it."""
    from roilearn.bench.operators.pooling import pooling_contestants  # noqa: PLC0415 - loads torch

    name, direction, contestant = case
    shape = workload(name)
    everyone = pooling_contestants("roi_align", shape, backward=direction != DIRECTIONS[0])
    function = everyone[contestant]
    del everyone
    give_back()
    before = held()
    if can_reset():
        before = held()
    result = function()
    extra = (highest() - before) / 2**20
    del result
    return max(extra, 0.0)


def warm_up() -> None:
    """Call everybody once on a small workload: threads and libraries are not a call's memory."""
    from roilearn.bench.operators.pooling import pooling_contestants  # noqa: PLC0415 - loads torch

    small = workload("B")
    for backward in (False, True):
        for function in pooling_contestants("roi_align", small, backward=backward).values():
            function()


def give_back() -> None:
    """Return freed memory to the system, where the C library can: it would hide what is taken."""
    gc.collect()
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def held() -> int:
    """Bytes of this process that are in memory now."""
    return _status("VmRSS") if _STATUS.exists() else highest()


def highest() -> int:
    """Bytes of this process that were in memory at most, since the mark was set back."""
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
        shape, direction, contestant = argument.split("|")
        print(peak_of((shape, direction, contestant)))  # noqa: T201

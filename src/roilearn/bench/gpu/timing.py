"""Times on a GPU: contestants in turns, beside what copying and multiplying alone would take.

A call is timed by the GPU's own events, with its second level cache emptied before. The *bandwidth
floor* is the time of moving so many bytes at the rate of a plain copy, the *arithmetic floor* that
of so many operations at the rate of a float32 matrix product; both take their turns there.
"""

import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping

import torch
import torchvision
import triton

from roilearn.bench.gpu.roofline import BYTES_FLOOR, WORK_FLOOR
from roilearn.bench.recorded.results import Row
from roilearn.bench.timing import ratios

BASELINE = "torchvision"
ROUNDS = 20
CACHE = 2**28
"""Bytes written before each call: more than a second level cache holds."""
COPIED = 2**30
"""Bytes of the block whose copy is timed."""
SIDE = 4096
"""Rows and columns of the matrices whose product is timed."""
Calls = Mapping[str, Callable[[], object]]


def timed(calls: Calls, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each round of each call, by events; three rounds before do not count."""
    cache = torch.empty(CACHE, dtype=torch.int8, device="cuda")
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 3):
        for name, call in calls.items():
            cache.zero_()
            start.record()
            call()
            stop.record()
            stop.synchronize()
            if number >= 3:
                seconds[name].append(start.elapsed_time(stop) / 1000)
    return seconds


def rows(
    operator: str,
    shape: str,
    direction: str,
    calls: Calls,
    floor: int | None = None,
    work: int | None = None,
) -> Iterator[Row]:
    """Time the calls; beside a copy of ``floor`` bytes, and beside ``work`` multiplications."""
    seconds = timed({**calls, **(copying() if floor else {}), **(multiplying() if work else {})})
    if floor:
        seconds[BYTES_FLOOR] = [each * floor / (2 * COPIED) for each in seconds[BYTES_FLOOR]]
    if work:
        seconds[WORK_FLOOR] = [each * work / (2 * SIDE**3) for each in seconds[WORK_FLOOR]]
    for name, t in ratios(seconds, BASELINE).items():
        times = (t.milliseconds, t.ratio, t.slowest, t.fastest)
        yield Row(operator, shape, direction, name, *times, ROUNDS, versions(), machine())


def copying() -> Calls:
    """Make a call that reads and writes ``COPIED`` bytes each."""
    source = torch.empty(COPIED // 4, device="cuda")
    target = torch.empty_like(source)
    return {BYTES_FLOOR: lambda: target.copy_(source)}


def multiplying() -> Calls:
    """Make a call of 2 * SIDE**3 operations in float32, whose units are those of the kernels."""
    torch.set_float32_matmul_precision("highest")
    left, right = torch.rand(2, SIDE, SIDE, device="cuda")
    product = torch.empty_like(left)
    return {WORK_FLOOR: lambda: torch.mm(left, right, out=product)}


def versions() -> str:
    """Name the libraries, as the other results do."""
    libraries = (torch, torchvision, triton)
    return ", ".join(f"{library.__name__} {library.__version__}" for library in libraries)


def machine() -> str:
    """Name the GPU and its driver."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        driver = "unknown"
    return f"{torch.cuda.get_device_name()}, driver {driver}, Python {platform.python_version()}"

"""Timing on a GPU: calls in turns, timed by CUDA events, beside two lower bounds.

The L2 cache is flushed before each call. The *bandwidth floor* is the time of moving a number of
bytes at the rate of a plain copy, the *arithmetic floor* the time of a number of operations at the
rate of a float32 matrix product. The copy and the product are timed in the same rounds.
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
"""Bytes written before each call to flush the L2 cache: more than it holds."""
COPIED = 2**30
"""Bytes of the block whose copy is timed."""
SIDE = 4096
"""Rows and columns of the matrices whose product is timed."""
Calls = Mapping[str, Callable[[], object]]


def time_calls(calls: Calls, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Time calls in turns, after three warm-up rounds.

    Returns
    -------
    The seconds of each round, by name.
    """
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


def timed_rows(
    operator: str,
    workload: str,
    direction: str,
    calls: Calls,
    floor: int | None = None,
    work: int | None = None,
) -> Iterator[Row]:
    """Time calls on one workload: a row for each, and for the lower bounds.

    Parameters
    ----------
    floor : bytes of the bandwidth floor; None: no such row.
    work : operations of the arithmetic floor; None: no such row.
    """
    seconds = time_calls(
        {**calls, **(copy_call() if floor else {}), **(matmul_call() if work else {})}
    )
    if floor:
        seconds[BYTES_FLOOR] = [each * floor / (2 * COPIED) for each in seconds[BYTES_FLOOR]]
    if work:
        seconds[WORK_FLOOR] = [each * work / (2 * SIDE**3) for each in seconds[WORK_FLOOR]]
    for name, t in ratios(seconds, BASELINE).items():
        times = (t.milliseconds, t.ratio, t.ratio_min, t.ratio_max)
        yield Row(operator, workload, direction, name, *times, ROUNDS, versions(), machine())


def copy_call() -> Calls:
    """Make a call that copies ``COPIED`` bytes: it reads as many and writes as many."""
    source = torch.empty(COPIED // 4, device="cuda")
    target = torch.empty_like(source)
    return {BYTES_FLOOR: lambda: target.copy_(source)}


def matmul_call() -> Calls:
    """Make a call of 2 * SIDE**3 operations in float32, without the tensor cores of TF32."""
    torch.set_float32_matmul_precision("highest")
    left, right = torch.rand(2, SIDE, SIDE, device="cuda")
    product = torch.empty_like(left)
    return {WORK_FLOOR: lambda: torch.mm(left, right, out=product)}


def versions() -> str:
    """Versions of the libraries that are compared."""
    libraries = (torch, torchvision, triton)
    return ", ".join(f"{library.__name__} {library.__version__}" for library in libraries)


def machine() -> str:
    """Name of the GPU, its driver, and the version of Python."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        driver = "unknown"
    return f"{torch.cuda.get_device_name()}, driver {driver}, Python {platform.python_version()}"

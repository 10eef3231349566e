"""Profiles: the share of each ATen operator in the time of a call, by PyTorch's profiler."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch._C._profiler import _ExperimentalConfig
from torch.profiler import ProfilerActivity, profile

from roilearn.bench.environment import machine, versions
from roilearn.bench.operators.measure import make_implementations
from roilearn.bench.recorded.profiles import OpProfile
from roilearn.bench.recorded.results import Row
from roilearn.bench.workloads import WORKLOADS

CALLS = 3
"""Profiled calls, after one warm-up call."""
LISTED = 5
"""ATen operators that are listed, the longest first. The others are added up."""
REST = "all others"


def profile_workloads(rows: Iterable[Row]) -> Iterator[OpProfile]:
    """Profile the implementations of recorded rows."""
    for row in rows:
        operator, name, direction, column = (
            *(row.operator, row.workload),
            *(row.direction, row.implementation),
        )
        workload = next(each for each in WORKLOADS[operator] if each.name == name)
        implementations = make_implementations(operator, workload, backward=direction != "forward")
        for aten_op, share, calls in profile_call(implementations[column]):
            yield OpProfile(
                operator, name, direction, column, aten_op, share, calls, versions(), machine()
            )


def profile_call(call: Callable[[], object]) -> list[tuple[str, float, int]]:
    """Profile a call: ATen operator, its share of the self CPU time, and its calls.

    The longest come first, then the others together. Time and calls are those of all threads.

    Examples
    --------
    >>> import torch
    >>> features = torch.ones(300, 300)
    >>> profile_call(lambda: features @ features)[0][0]
    'mm'
    """
    call()
    activities, setting = [ProfilerActivity.CPU], all_threads()
    with profile(activities=activities, acc_events=True, experimental_config=setting) as profiled:
        for _ in range(CALLS):
            call()
    events = [event for event in profiled.key_averages() if event.self_cpu_time_total > 0]
    events.sort(key=lambda event: event.self_cpu_time_total, reverse=True)
    total = sum(event.self_cpu_time_total for event in events)
    shares = [
        (
            event.key.removeprefix("aten::"),
            event.self_cpu_time_total / total,
            round(event.count / CALLS),
        )
        for event in events[:LISTED]
    ]
    others = events[LISTED:]
    if others:
        share = sum(event.self_cpu_time_total for event in others) / total
        shares.append((REST, share, round(sum(event.count for event in others) / CALLS)))
    return shares


def all_threads() -> Any:
    """Return the setting with which PyTorch's profiler sees all threads, not the calling one alone.

    It is None where PyTorch has no such setting.
    """
    try:
        return _ExperimentalConfig(profile_all_threads=True)
    except TypeError:
        return None


def format_profile(row: OpProfile) -> str:
    """Write one row as a line of text."""
    return (
        f"{row.operator:12} {row.workload:16} {row.direction:19} {row.implementation:24} "
        f"{row.aten_op:40} {100 * row.share:5.1f} %  {row.calls} calls"
    )

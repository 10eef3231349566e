"""Profile calls, to see where their time goes: PyTorch's profiler, a share for each kernel."""

from collections.abc import Callable, Iterable, Iterator

from torch.profiler import ProfilerActivity, profile

from roilearn.bench.goals import Key
from roilearn.bench.operators.measure import machine, make_contestants, versions
from roilearn.bench.recorded.profiles import Part, without_onnxruntime
from roilearn.bench.workloads import SHAPES

CALLS = 3
"""Calls that are profiled, after one that is not."""
NAMED = 5
"""Kernels that are named, the longest first. The others are one part."""
REST = "all others"


def run_profiles(keys: Iterable[Key]) -> Iterator[Part]:
    """Profile workloads, each contestant of a workload once."""
    for operator, name, direction, column in dict.fromkeys(map(without_onnxruntime, keys)):
        shape = next(each for each in SHAPES[operator] if each.name == name)
        contestants = make_contestants(operator, shape, backward=direction != "forward")
        for kernel, share, calls in shares(contestants[column]):
            yield Part(
                operator, name, direction, column, kernel, share, calls, versions(), machine()
            )


def shares(call: Callable[[], object]) -> list[tuple[str, float, int]]:
    """Kernel, share of the time, and calls: the longest, then the others together.

    Examples
    --------
    >>> import torch
    >>> features = torch.ones(300, 300)
    >>> shares(lambda: features @ features)[0][0]
    'mm'
    """
    call()
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiled:
        for _ in range(CALLS):
            call()
    events = [event for event in profiled.key_averages() if event.self_cpu_time_total > 0]
    events.sort(key=lambda event: event.self_cpu_time_total, reverse=True)
    total = sum(event.self_cpu_time_total for event in events)
    parts = [
        (
            event.key.removeprefix("aten::"),
            event.self_cpu_time_total / total,
            round(event.count / CALLS),
        )
        for event in events[:NAMED]
    ]
    others = events[NAMED:]
    if others:
        share = sum(event.self_cpu_time_total for event in others) / total
        parts.append((REST, share, round(sum(event.count for event in others) / CALLS)))
    return parts


def as_line(part: Part) -> str:
    """One row of the printed table."""
    return (
        f"{part.operator:12} {part.shape:16} {part.direction:19} {part.contestant:24} "
        f"{part.kernel:40} {100 * part.share:5.1f} %  {part.calls} calls"
    )

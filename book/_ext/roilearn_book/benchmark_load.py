"""Tables and sentences of the measurements under load, of small calls and of patched models.

The words follow from the recorded numbers, so that they stay true after another measurement.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from roilearn import bench, patching_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MISSING = "Not recorded yet."
KEPT = 2 / 3
"""Share of the quiet ratio that counts as kept."""
PATIENCE = 3
"""A call of so many times the median is named as slow."""
LOADS = {0: "quiet", 1: "one busy process a core", 2: "two busy processes a core"}
Case = tuple[str, str, str]
"""Operator, workload, direction."""


def cells(values: Sequence[object], kind: str = "td") -> str:
    """Write one row of a table."""
    return "<tr>" + "".join(f"<{kind}>{escape(str(value))}</{kind}>" for value in values) + "</tr>"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a table that scrolls in its own frame."""
    body = "".join(cells(row) for row in rows)
    top = f"<thead>{cells(head, 'th')}</thead>"
    inner = f'<table class="table measured">{top}<tbody>{body}</tbody></table>'
    return f'<div class="pst-scrollable-table-container">{inner}</div>'


def paragraph(text: str) -> str:
    """Write a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def milliseconds(time: float) -> str:
    """Write a time as a table has room for it."""
    return f"{time:,.0f} ms" if time >= 100 else f"{time:.3g} ms"


def of_all(number: int, everything: int) -> str:
    """Say how many of all.

    Examples
    --------
    >>> of_all(0, 4), of_all(1, 4), of_all(4, 4)
    ('none of 4', '1 of 4', 'all 4')
    """
    return f"all {number}" if number == everything else f"{number or 'none'} of {everything}"


def plain(number: float) -> str:
    """Write a ratio to two digits, and not as a power of ten.

    Examples
    --------
    >>> plain(0.0123), plain(1.26), plain(123.4)
    ('0.012', '1.3', '123')
    """
    return f"{number:.0f}" if number >= 100 else f"{number:.2g}"


def ratio(row: bench.LoadRow) -> str:
    """Write a ratio, and the slowest call as a multiple of the median."""
    return f"{plain(row.ratio)} (slowest call {plain(row.slowest / row.milliseconds)} x)"


def cases_of(rows: Iterable[bench.LoadRow]) -> dict[Case, dict[int, bench.LoadRow]]:
    """Find the row of every load, by operator, workload and direction."""
    found: dict[Case, dict[int, bench.LoadRow]] = {}
    for row in rows:
        found.setdefault((row.operator, row.workload, row.direction), {})[row.busy] = row
    return found


def under_load(topic: str) -> str:
    """Say in sentences and in a table what was measured of one topic."""
    rows = [row for row in bench.read_load() if row.topic == topic]
    theirs = cases_of(row for row in rows if row.implementation == "torchvision")
    ours = cases_of(row for row in rows if row.implementation != "torchvision")
    if not ours:
        return paragraph(MISSING)
    loads = sorted({row.busy for row in rows})
    directions = len({direction for _, _, direction in ours}) > 1
    head = ["Operator" if topic != "whole models" else "Model", "Workload"]
    head += ["Direction"] * directions + [f"torchvision, {LOADS.get(loads[0], loads[0])}"]
    head += [f"ratio, {LOADS.get(busy, f'{busy} busy processes a core')}" for busy in loads]
    lines = [
        [
            *case[: 2 + directions],
            milliseconds(theirs[case][min(theirs[case])].milliseconds),
            *(ratio(by_load[busy]) if busy in by_load else "" for busy in loads),
        ]
        for case, by_load in ours.items()
    ]
    items = "".join(f"<li>{escape(said)}</li>" for said in sentences(ours, loads))
    return f"<ul>{items}</ul>" + table(head, lines)


def sentences(ours: dict[Case, dict[int, bench.LoadRow]], loads: Sequence[int]) -> list[str]:
    """Count the rows that are faster, those that keep their ratio under load, and slow calls."""
    said = []
    for busy in loads:
        rows = {case: by_load[busy] for case, by_load in ours.items() if busy in by_load}
        faster = sum(row.ratio >= 1 for row in rows.values())
        lowest, highest = (limit(row.ratio for row in rows.values()) for limit in (min, max))
        when = LOADS.get(busy, f"{busy} busy processes a core")
        text = (
            f"{when[0].upper()}{when[1:]}: ours is at least as fast as torchvision in "
            f"{of_all(faster, len(rows))} rows, and the ratio lies between {plain(lowest)} "
            f"and {plain(highest)}."
        )
        compared = [case for case in rows if 0 in ours[case]]
        if busy and compared:
            kept = sum(ours[c][busy].ratio >= KEPT * ours[c][0].ratio for c in compared)
            text += (
                f" At least two thirds of the quiet ratio remain in {of_all(kept, len(compared))}."
            )
        slow = sum(row.slowest > PATIENCE * row.milliseconds for row in rows.values())
        if slow:
            rows_with = f"{of_all(slow, len(rows))} rows"
            text += f" In {rows_with} a call took more than {PATIENCE} times the median."
        said.append(text)
    return said


def summary(_: str) -> str:
    """Say between what the recorded ratios lie, and in how many rows ours is slower."""
    rows = [row for row in bench.read() if row.implementation == "roilearn"]
    if not rows:
        return paragraph(MISSING)
    below = [row for row in rows if row.ratio < 1]
    middle = sorted(row.ratio for row in rows)[len(rows) // 2]
    said = (
        f"On the workloads of common detectors, ours is at least as fast as torchvision in "
        f"{of_all(len(rows) - len(below), len(rows))} rows; half of the ratios are above "
        f"{middle:.2g}, and the highest is {max(row.ratio for row in rows):.2g}. "
    )
    if below:
        named = dict.fromkeys(row.operator for row in below)
        share = of_all(len(below), len(rows))
        said += f"torchvision is faster in {share} rows, of {', '.join(named)}."
    return paragraph(said)


def gains(_: str) -> str:
    """Tabulate the smallest and the largest ratio of every operator."""
    rows = [row for row in bench.read() if row.implementation == "roilearn"]
    if not rows:
        return paragraph(MISSING)
    lines = []
    for operator in dict.fromkeys(row.operator for row in rows):
        line = [operator]
        for direction in ("forward", "forward + backward"):
            found = [r.ratio for r in rows if (r.operator, r.direction) == (operator, direction)]
            line.append(f"{min(found):.2g} to {max(found):.2g}" if found else "no gradient")
        lines.append(line)
    return table(["Operator", "forward", "forward + backward"], lines)


def slower(_: str) -> str:
    """Tabulate every recorded row in which torchvision is faster, and where our time goes."""
    rows = bench.slower(bench.read())
    if not rows:
        return paragraph("No recorded row is slower than torchvision.")
    head = ["Operator", "Workload", "Direction", "Variant", "ratio", "most of our time"]
    return table(head, [slower_line(row) for row in rows])


def slower_line(row: bench.Row) -> list[str]:
    """Tell of one row its ratio, with the smallest and largest of a round, and what takes time."""
    case = (row.operator, row.workload, row.direction, row.implementation)
    parts = [part for part in bench.profile_of(*case) if part.aten_op != "all others"]
    shares = [f"{part.aten_op} {100 * part.share:.0f} %" for part in parts[:3]]
    return [
        *case[:3],
        row.implementation.removeprefix("roilearn").removeprefix(", ") or "as called",
        f"{row.ratio:.2g} ({row.ratio_min:.2g} to {row.ratio_max:.2g})",
        "in NumPy" if "nms" in row.operator else ", ".join(shares),
    ]


def crossover(operator: str) -> str:
    """Tabulate the ratios of one operator by channels and boxes."""
    points = [point for point in bench.read_crossover() if point.operator == operator]
    if not points:
        return paragraph(MISSING)
    found = {(point.x, point.series): point.ratio for point in points}
    boxes = list(dict.fromkeys(point.series for point in points))
    lines = [
        [f"{x:g}", *(plain(found[x, name]) if (x, name) in found else "" for name in boxes)]
        for x in dict.fromkeys(point.x for point in points)
    ]
    return paragraph(f"{operator}:") + table(["channels", *boxes], lines)


def rule(_: str) -> str:
    """Say which calls the patch gives to ours, by operator."""
    lines = [
        [operator, f"{least.channels}", f"{least.outputs:,}"]
        for operator, least in patching_limits.OURS_FROM.items()
    ]
    head = ["Operator", "channels of the output, at least", "numbers of the output, at least"]
    said = (
        "For pooling, the maps must also have at most "
        f"{patching_limits.MAPS_TO_OUTPUT} times as many numbers as the output. "
        f"NMS comes to ours from {patching_limits.OURS_FROM_BOXES:,} boxes on."
    )
    return table(head, lines) + paragraph(said)


TEXTS = {
    "summary": summary,
    "gains": gains,
    "slower": slower,
    "load": under_load,
    "crossover": crossover,
    "rule": rule,
}
"""Functions that write a part of the page, by the name that the directive gives."""

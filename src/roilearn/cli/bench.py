"""``roilearn bench``: measure the operators against torchvision's on the CPU."""

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """Times the operators and torchvision's in one process, one call each in every round.
Prints the median in milliseconds, and torchvision's time over each implementation's time: above 1
is faster than torchvision. Needs the extra 'peers'."""


def add_bench(commands: Any) -> None:
    """Add ``bench`` to the subcommands."""
    parser = commands.add_parser(
        "bench", help="measure the operators against torchvision's", description=DESCRIPTION
    )
    parser.add_argument(
        "--quick", action="store_true", help="smaller workloads, less than a minute"
    )
    parser.add_argument(
        "--rounds",
        type=_positive,
        help="timed rounds, after one warm-up round (default 7; 3 with --quick or --curves)",
    )
    parser.add_argument(
        "--runs",
        type=_positive,
        default=1,
        help="repeat the whole measurement; keep the best median of each row (default 1)",
    )
    parser.add_argument(
        "--only", default="", metavar="WORD", help="measure operators whose name contains WORD"
    )
    parser.add_argument(
        "--curves",
        action="store_true",
        help="measure how the cost grows, the peak memory and the byte floor (4 minutes)",
    )
    parser.add_argument(
        "--profiles",
        action="store_true",
        help="profile the recorded rows that are slower than torchvision or below a goal",
    )
    parser.add_argument("--output", type=Path, help="write the rows to this CSV file")
    parser.set_defaults(run=run_bench)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


def run_bench(options: argparse.Namespace) -> int:
    """Measure what the options ask for, print it and write it; return the exit status."""
    try:
        from roilearn.bench.operators import measure  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(f"roilearn bench needs torch and torchvision: {error}.")  # noqa: T201
        print("Install them with: pip install 'roilearn[peers]'")  # noqa: T201
        return 2
    if options.curves:
        return _measure_curves(options)
    if options.profiles:
        return _profile(options)
    if not any(options.only in operator for operator in measure.WORKLOADS):
        print(f"--only must be part of an operator's name; got {options.only!r}.")  # noqa: T201
        print("There are:", ", ".join(measure.WORKLOADS))  # noqa: T201
        return 2
    return _measure_operators(options)


def _measure_operators(options: argparse.Namespace) -> int:
    from roilearn.bench import environment  # noqa: PLC0415 - loads torch
    from roilearn.bench.operators import measure  # noqa: PLC0415 - loads torch
    from roilearn.bench.recorded import results  # noqa: PLC0415

    rounds = options.rounds or (3 if options.quick else 7)
    rows = []
    for _ in range(options.runs):
        for row in measure.measure_all(rounds, quick=options.quick, only=options.only):
            rows.append(row)
            print(measure.format_row(row), flush=True)  # noqa: T201
    rows = results.best_of_runs([rows])
    if options.runs > 1:
        print(f"Best of {options.runs} medians:", *map(measure.format_row, rows), sep="\n")  # noqa: T201
    print(environment.versions(), environment.machine(), sep="\n")  # noqa: T201
    if options.output:
        held = results.read(options.output) if options.only else []
        results.write(results.merge_rows(held, rows), options.output)
    return 0


def _measure_curves(options: argparse.Namespace) -> int:
    from roilearn.bench.operators import curves  # noqa: PLC0415 - loads torch
    from roilearn.bench.recorded import results, series  # noqa: PLC0415

    points = []
    for point in curves.measure_curves(options.rounds or 3, quick=options.quick):
        points.append(point)
        print(curves.format_point(point), flush=True)  # noqa: T201
    if options.output:
        results.write(points, options.output, series.SeriesPoint)
    return 0


def _profile(options: argparse.Namespace) -> int:
    from roilearn import bench  # noqa: PLC0415
    from roilearn.bench.operators import profiler  # noqa: PLC0415 - loads torch

    rows = bench.read()
    slow = [(r.operator, r.workload, r.direction, r.implementation) for r in bench.slower(rows)]
    profiles = []
    for profile in profiler.profile_workloads([*bench.below(rows), *slow]):
        profiles.append(profile)
        print(profiler.format_profile(profile), flush=True)  # noqa: T201
    if options.output:
        bench.write(profiles, options.output, bench.OpProfile)
    return 0

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
        "--only",
        default="",
        metavar="WORD",
        help="measure operators whose name contains WORD; with --busy also topics and models",
    )
    parser.add_argument(
        "--curves",
        action="store_true",
        help="measure how the cost grows, the peak memory and the byte floor (4 minutes)",
    )
    parser.add_argument(
        "--busy",
        type=_not_negative,
        nargs="+",
        metavar="N",
        help="measure small calls, worst cases and whole models too, beside N busy processes for "
        "each core; several numbers one after the other (8 minutes for 0 1 2)",
    )
    parser.add_argument(
        "--crossover",
        action="store_true",
        help="measure from how many channels and boxes on ours is faster: the rule of patch()",
    )
    parser.add_argument(
        "--profiles",
        action="store_true",
        help="profile the recorded rows that are slower than torchvision",
    )
    parser.add_argument("--output", type=Path, help="write the rows to this CSV file")
    parser.set_defaults(run=run_bench)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


def _not_negative(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0; got {number}")
    return number


def run_bench(options: argparse.Namespace) -> int:
    """Measure what the options ask for, print it and write it; return the exit status."""
    try:
        from roilearn.bench.operators import measure  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(f"roilearn bench needs torch and torchvision: {error}.")  # noqa: T201
        print("Install them with: pip install 'roilearn[peers]'")  # noqa: T201
        return 2
    others = {
        "busy": _measure_under_load,
        "crossover": _measure_crossover,
        "curves": _measure_curves,
        "profiles": _profile,
    }
    for option, run in others.items():
        if getattr(options, option):
            return run(options)
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


def _measure_under_load(options: argparse.Namespace) -> int:
    from roilearn import bench  # noqa: PLC0415
    from roilearn.bench.detectors import patched_models  # noqa: PLC0415 - loads torch
    from roilearn.bench.operators import under_load  # noqa: PLC0415 - loads torch

    rounds = options.rounds or (2 if options.quick else 20)
    measures = (under_load.measure_topics, patched_models.measure_models)
    rows: list[Any] = []
    try:
        for busy in options.busy:
            with bench.busy_processes(busy):
                for measure in measures:
                    for row in measure(busy, rounds=rounds, only=options.only):
                        rows.append(row)
                        print(under_load.format_load(row), flush=True)  # noqa: T201
    finally:  # an interrupted measurement keeps what it has
        if options.output and rows:
            held = bench.read_load(options.output)
            bench.write(bench.merge_load(held, rows), options.output, bench.LoadRow)
    if not rows:
        print(f"--only must be part of a name that is measured; got {options.only!r}.")  # noqa: T201
    return 0 if rows else 2


def _measure_crossover(options: argparse.Namespace) -> int:
    from roilearn.bench.operators import under_load  # noqa: PLC0415 - loads torch

    return _write_points(under_load.measure_crossover(options.rounds or 7), options)


def _measure_curves(options: argparse.Namespace) -> int:
    from roilearn.bench.operators import curves  # noqa: PLC0415 - loads torch

    return _write_points(curves.measure_curves(options.rounds or 3, quick=options.quick), options)


def _write_points(points: Any, options: argparse.Namespace) -> int:
    from roilearn.bench.operators import curves  # noqa: PLC0415 - loads torch
    from roilearn.bench.recorded import results, series  # noqa: PLC0415

    measured = []
    for point in points:
        measured.append(point)
        print(curves.format_point(point), flush=True)  # noqa: T201
    if options.output:
        results.write(measured, options.output, series.SeriesPoint)
    return 0


def _profile(options: argparse.Namespace) -> int:
    from roilearn import bench  # noqa: PLC0415
    from roilearn.bench.operators import profiler  # noqa: PLC0415 - loads torch

    profiles = []
    for profile in profiler.profile_workloads(bench.slower(bench.read())):
        profiles.append(profile)
        print(profiler.format_profile(profile), flush=True)  # noqa: T201
    if options.output:
        bench.write(profiles, options.output, bench.OpProfile)
    return 0

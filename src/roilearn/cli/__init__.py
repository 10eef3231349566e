"""The `roilearn` command: one subcommand a habit, each with `--help`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from roilearn import __version__
from roilearn.cli.predict import add_predict
from roilearn.cli.train import add_train


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    return options.run(options)


def make_parser() -> argparse.ArgumentParser:
    """Describe the subcommands."""
    parser = argparse.ArgumentParser(prog="roilearn", description="Regions of interest, measured.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    bench = commands.add_parser(
        "bench",
        help="measure the operators against torchvision's, in turns, in this process",
        description="Prints milliseconds (median) and torchvision's time over each contestant's "
        "time: above 1 is faster. Needs the extra 'peers'.",
    )
    bench.add_argument("--quick", action="store_true", help="small shapes, under a minute")
    bench.add_argument(
        "--rounds", type=_positive, help="rounds that count (default 7, with --quick 3)"
    )
    bench.add_argument(
        "--runs", type=_positive, default=1, help="repeat all; keep each row's best median"
    )
    bench.add_argument("--only", default="", metavar="WORD", help="operators with it in their name")
    bench.add_argument(
        "--curves", action="store_true", help="how cost grows, memory, the byte floor (4 minutes)"
    )
    bench.add_argument(
        "--profiles", action="store_true", help="where the time goes in recorded rows below a goal"
    )
    bench.add_argument("--output", type=Path, help="put the rows into this CSV file")
    bench.set_defaults(run=_bench)
    add_predict(commands)
    add_train(commands)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


def _bench(options: argparse.Namespace) -> int:
    try:
        from roilearn.bench.operators import measure  # noqa: PLC0415 - loads torch
        from roilearn.bench.recorded import results
    except ImportError as error:
        print(f"roilearn bench needs torch and torchvision: {error}.")  # noqa: T201
        print("Install them with: pip install 'roilearn[peers]'")  # noqa: T201
        return 2
    if options.curves:
        return _curves(options)
    if options.profiles:
        return _profiles(options)
    if not any(options.only in operator for operator in measure.SHAPES):
        print(f"--only must be part of an operator's name; got {options.only!r}.")  # noqa: T201
        print("There are:", ", ".join(measure.SHAPES))  # noqa: T201
        return 2
    rounds = options.rounds or (3 if options.quick else 7)
    rows = []
    for _ in range(options.runs):
        for row in measure.run(rounds, quick=options.quick, only=options.only):
            rows.append(row)
            print(measure.as_line(row), flush=True)  # noqa: T201
    rows = results.best([rows])
    if options.runs > 1:
        print(f"Best of {options.runs} medians:", *map(measure.as_line, rows), sep="\n")  # noqa: T201
    print(measure.versions(), measure.machine(), sep="\n")  # noqa: T201
    if options.output:
        held = results.read(options.output) if options.only else []
        results.write(results.merge(held, rows), options.output)
    return 0


def _curves(options: argparse.Namespace) -> int:
    from roilearn.bench.operators import curves
    from roilearn.bench.recorded import (
        results,
        series,
    )

    done = []
    for point in curves.run_curves(options.rounds or 3, quick=options.quick):
        done.append(point)
        print(curves.as_line(point), flush=True)  # noqa: T201
    if options.output:
        results.write(done, options.output, series.Point)
    return 0


def _profiles(options: argparse.Namespace) -> int:
    from roilearn import bench  # noqa: PLC0415
    from roilearn.bench.operators import profiler  # noqa: PLC0415 - loads torch

    rows = bench.read()
    slow = [(r.operator, r.shape, r.direction, r.contestant) for r in bench.slower(rows)]
    done = []
    for part in profiler.run_profiles([*bench.below(rows), *slow]):
        done.append(part)
        print(profiler.as_line(part), flush=True)  # noqa: T201
    if options.output:
        bench.write(done, options.output, bench.Part)
    return 0

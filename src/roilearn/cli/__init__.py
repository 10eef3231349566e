"""The command ``roilearn``, with its subcommands ``bench``, ``evaluate``, ``predict``, ``train``.

In reading order: ``bench``; ``predict`` (its options), ``predict_command`` (what it does) and
``predict_outputs``; ``evaluate`` and ``evaluate_command``; ``train`` (its options), ``datasets``
(the registry of data sets), ``run_arguments``, ``initial_model``, ``train_command`` and
``validation_run``; ``argument_types``, ``renamed_options``, ``device`` and ``errors``, which the
commands share.
"""

import argparse
from collections.abc import Sequence

from roilearn import __version__
from roilearn.cli.bench import add_bench
from roilearn.cli.evaluate import add_evaluate
from roilearn.cli.predict import add_predict
from roilearn.cli.train import add_train


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    return options.run(options)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command and its subcommands."""
    parser = argparse.ArgumentParser(
        prog="roilearn",
        description="Regions of interest in object detectors: measure, train, evaluate, predict.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_bench(commands)
    add_evaluate(commands)
    add_predict(commands)
    add_train(commands)
    return parser

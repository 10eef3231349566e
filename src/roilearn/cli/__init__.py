"""The command ``roilearn``: ``bench``, ``evaluate``, ``export``, ``predict`` and ``train``.

In reading order: ``bench``; ``predict`` (its options), ``predict_command`` (what it does) and
``predict_outputs``; ``evaluate`` and ``evaluate_command``; ``export`` and ``export_command``;
``train`` (its options), ``datasets`` (the registry of data sets), ``run_arguments``,
``initial_model``, ``train_command`` and ``validation_run``; ``argument_types``,
``renamed_options``, ``device`` and ``errors``, which the commands share.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from roilearn import __version__
from roilearn.cli.bench import add_bench
from roilearn.cli.errors import as_full_disk
from roilearn.cli.evaluate import add_evaluate
from roilearn.cli.export import add_export
from roilearn.cli.predict import add_predict
from roilearn.cli.train import add_train

BROKEN_PIPE = 128 + 13
"""Exit status of a command whose reader has ended: that of the signal SIGPIPE."""

INTERRUPTED = 128 + 2
"""Exit status after Ctrl-C: that of the signal SIGINT."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    A reader of its output that ends early, as in ``roilearn bench | head``, ends it without an
    error message. A full disk is named in one line, and so is Ctrl-C while libraries are loaded.
    """
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes the rest of the output when it ends, and would report the pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"{parser.prog}: {as_full_disk(error)}", file=sys.stderr)  # noqa: T201
        return 1
    return status


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command and its subcommands."""
    parser = argparse.ArgumentParser(
        prog="roilearn",
        description="Regions of interest in object detectors: measure, train, predict, export.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_bench(commands)
    add_evaluate(commands)
    add_export(commands)
    add_predict(commands)
    add_train(commands)
    return parser

"""Old names of command-line options, which go on working and say the new name on stderr."""

import argparse
import sys
from typing import Any


class RenamedOption(argparse.Action):
    """An option under its old name: hidden from the help, it does what the new one does.

    Examples
    --------
    >>> parser = argparse.ArgumentParser(prog="roilearn")
    >>> add_old_name(parser, "--clip", parser.add_argument("--max-grad-norm", type=float))
    >>> parser.parse_args(["--clip", "5"])
    Namespace(max_grad_norm=5.0)
    """

    def __init__(self, option_strings: list[str], dest: str, option: Any) -> None:
        del dest
        super().__init__(
            option_strings,
            option.dest,
            nargs=option.nargs,
            type=option.type,
            default=argparse.SUPPRESS,
            help=argparse.SUPPRESS,
        )
        self.option = option

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Say the new name, and do what the new option does."""
        new = self.option.option_strings[0]
        print(f"{parser.prog}: {option_string} is now called {new}", file=sys.stderr)  # noqa: T201
        self.option(parser, namespace, values, new)


def add_old_name(group: Any, old: str, option: argparse.Action) -> None:
    """Let an option be given by its old name as well."""
    group.add_argument(old, action=RenamedOption, option=option)

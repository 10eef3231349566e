"""The ``{command-line}`` directive: every subcommand of ``roilearn`` with its options.

The text is that of ``--help``: the parsers are made as the command makes them, without torch.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.domains.std import Cmdoption
from sphinx.util.docutils import SphinxDirective

from roilearn.cli import make_parser

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TYPED = re.compile(r"(--[a-z][\w-]*|(?<!\w)'[^']+')")
WIDTH = 76  # characters of a listing that fits the page


class CommandLine(SphinxDirective):
    """``{command-line}``: a section for each subcommand."""

    def run(self) -> list[nodes.Node]:
        """Return the sections in the order in which ``roilearn --help`` lists the commands."""
        return [self.section(name, parser) for name, parser in subcommands().items()]

    def section(self, name: str, parser: argparse.ArgumentParser) -> nodes.section:
        """Return a subcommand's description, usage, options by group, and examples."""
        identifier = nodes.make_id(f"roilearn-{name}")
        section = nodes.section(ids=[identifier], names=[identifier])
        section += nodes.title("", "", nodes.literal("", f"roilearn {name}"))
        section += paragraphs(parser.description or "")
        section += literal(usage(parser))
        self.env.ref_context["std:program"] = f"roilearn {name}"
        for group in parser._action_groups:  # noqa: SLF001 - argparse has no public way to list them
            actions = [action for action in group._group_actions if shown(action)]  # noqa: SLF001
            if actions:
                section += nodes.rubric("", str(group.title).capitalize())
            for action in actions:
                section += self.option(parser, action)
        section += literal(textwrap.dedent(parser.epilog or ""))
        return section

    def option(self, parser: argparse.ArgumentParser, action: argparse.Action) -> list[nodes.Node]:
        """Return the description of one argument, as Sphinx's ``option`` directive makes it."""
        formatter = parser._get_formatter()  # noqa: SLF001 - argparse writes metavars itself
        invocation = formatter._format_action_invocation(action)  # noqa: SLF001
        directive = Cmdoption(
            "option",
            [invocation],
            {},
            StringList(),
            self.lineno,
            self.content_offset,
            self.block_text,
            self.state,
            self.state_machine,
        )
        made = directive.run()
        made[-1][-1] += nodes.paragraph("", "", *inline(formatter._expand_help(action)))  # noqa: SLF001
        return made


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the subcommands by name."""
    actions = make_parser()._actions  # noqa: SLF001 - argparse has no public way to list them
    choices = (a.choices for a in actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001
    return dict(next(choices))


def shown(action: argparse.Action) -> bool:
    """Whether ``--help`` shows an argument; former names of options are accepted and not shown."""
    return action.help != argparse.SUPPRESS and "--help" not in action.option_strings


def usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage of a command, wrapped for the page."""
    words = " ".join(parser.format_usage().removeprefix("usage: ").split())
    pieces = words.replace(" [", "\n[").split("\n")
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) < WIDTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"    {piece}")
    return "\n".join(lines)


def paragraphs(text: str) -> list[nodes.Node]:
    """Return the paragraphs of a description."""
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    return [nodes.paragraph("", "", *inline(part)) for part in parts if part]


def inline(text: str) -> list[nodes.Node]:
    """Return text with its options, and what stands between quotes, marked as code."""
    pieces = TYPED.split(text)
    return [
        nodes.literal("", piece.strip("'")) if index % 2 else nodes.Text(piece)
        for index, piece in enumerate(pieces)
        if piece
    ]


def literal(text: str) -> list[nodes.Node]:
    """Return text as it is printed; nothing for no text."""
    lines = [
        piece
        for line in text.splitlines()
        for piece in textwrap.wrap(line, WIDTH, subsequent_indent=indent(line)) or [""]
    ]
    text = "\n".join(lines)
    return [nodes.literal_block(text, text, language="none")] if text else []


def indent(line: str) -> str:
    """Return the blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)

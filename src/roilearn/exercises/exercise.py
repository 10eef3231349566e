"""What an exercise consists of: the task, the right answer, inputs in groups, known mistakes.

A whole exercise in code::

    def box_area(box):
        return (box[2] - box[0]) * (box[3] - box[1])

    AREA = Exercise(
        "0.1",
        "Write box_area(box): the area of a box x1, y1, x2, y2 in square pixels.",
        box_area,
        (
            Mistake("end included", Edit("box[2] - box[0]", "box[2] - box[0] + 1"), "You ..."),
            Mistake("perimeter", lambda box: 2 * (box[2] - box[0] + box[3] - box[1]), "You ..."),
        ),
        groups={"not square": [([1, 2, 4, 9],)], "no width": [([3, 1, 3, 5],)]},
    )
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Call = tuple[Any, ...]


class Edit:
    """A wrong function as a change of the right one: texts of its source, each replaced by another.

    ``Edit(old, new, old, new, ...)``; each ``old`` stands in the source exactly once.
    """

    def __init__(self, *texts: str) -> None:
        """Keep the pairs (old, new)."""
        self.pairs = tuple(zip(texts[::2], texts[1::2], strict=True))

    def __call__(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``answer`` with the texts replaced.

        Raises
        ------
        ValueError: a text that does not stand in the source exactly once.
        """
        return _edited(answer, self.pairs)


@cache
def _edited(answer: Callable[..., Any], pairs: tuple[tuple[str, str], ...]) -> Callable[..., Any]:
    source = inspect.getsource(answer)
    for old, new in pairs:
        if source.count(old) != 1:
            raise ValueError(
                f"{old!r} must stand once in {answer.__name__}, not {source.count(old)}"
            )
        source = source.replace(old, new)
    return compiled(source, answer)


def compiled(source: Any, answer: Callable[..., Any]) -> Callable[..., Any]:
    """Compile another source (text or syntax tree) of ``answer``, which sees the same module."""
    names = dict(answer.__globals__)
    code = compile(source, f"<{answer.__name__}, changed>", "exec")
    exec(code, names)  # noqa: S102 - our own source, with our own change
    return names[answer.__name__]


@dataclass(frozen=True)
class Mistake:
    """One way to go wrong: the answer it leads to, and what to say to somebody who gives it.

    ``answer`` is a value, a function, or an ``Edit`` of the right function. ``also`` holds other
    answers that the same mistake leads to.
    """

    name: str
    answer: Any
    message: str
    also: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """A task with its right answer.

    ``answer`` is a number, an array or a word; or a function, which is called with every tuple of
    arguments in ``groups``, a mapping from the name of a group ("beyond the border") to its calls.
    ``mistakes`` hold answers of the same kind. ``any_length`` says that it is part of the task how
    many numbers a function returns, so that a list of another length is wrong and not ill-formed.
    """

    number: str
    task: str
    answer: Any
    mistakes: tuple[Mistake, ...]
    groups: Mapping[str, Sequence[Call]] = field(default_factory=dict)
    tolerance: float = 1e-6
    praise: str = "Right."
    any_length: bool = False

    @property
    def calls(self) -> list[Call]:
        """Arguments of every call, group after group; none if the answer is a value."""
        return [arguments for group in self.groups.values() for arguments in group]

    @property
    def parameters(self) -> list[str]:
        """Names of the arguments of the function that is asked for."""
        return list(inspect.signature(self.answer).parameters)

    def answers_of(self, mistake: Mistake) -> list[Any]:
        """Every answer that the mistake leads to: values or functions."""
        found = (mistake.answer, *mistake.also)
        return [wrong(self.answer) if isinstance(wrong, Edit) else wrong for wrong in found]


@dataclass(frozen=True)
class OpenTask:
    """A task without a check: its answer is an argument, or an experiment."""

    number: str
    task: str


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found: true when the answer is right; its repr is the message to the reader.

    ``mistake`` is the name of the known mistake, ``form`` the name of what is wrong with the form,
    ``failed`` the names of the groups of inputs on which a function is wrong.
    """

    right: bool
    message: str
    mistake: str | None = None
    form: str | None = None
    failed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the answer was right."""
        return self.right

    def __repr__(self) -> str:
        """Return the message, so that a notebook shows it."""
        return self.message

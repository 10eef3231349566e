"""Base class of the live figures: one module text, JSON state, a still picture with alt text."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

try:
    import anywidget
except ImportError as error:
    raise ImportError(
        "roilearn.explore needs anywidget, which is not installed. "
        "Install it with: pip install 'roilearn[explore]'"
    ) from error
import traitlets

from roilearn.palette import BOX_ON_DARK, COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
STILL_DPI = 144


def compose(*names: str, **constants: Any) -> str:
    """Text of one ES module: constants, then the named files; no imports, so a Blob runs it."""
    constants = {"PALETTE": {**COLOURS, "box-dark": BOX_ON_DARK}, **constants}
    lines = [f"const {name} = {json.dumps(value)};" for name, value in constants.items()]
    return "\n".join([*lines, *map(read, names)])


def read(name: str) -> str:
    """Text of a file beside this one."""
    return (FOLDER / name).read_text(encoding="utf-8")


class Checked(traitlets.TraitType):
    """A trait of JSON values, shared with the page, that ``check(name, value)`` accepts or refuses.

    The check returns the value in its stored form, or raises ValueError or TypeError in words
    that name the trait.
    """

    def __init__(self, default: Any, check: Callable[[str, Any], Any]) -> None:
        self.check = check
        super().__init__(copy.deepcopy(default))
        self.tag(sync=True)

    def validate(self, _obj: object, value: Any) -> Any:
        """Return the value as it is stored; traitlets calls this on every assignment."""
        return self.check(str(self.name), value)


class Explorable(anywidget.AnyWidget):
    """A live figure: the same module in Jupyter and in a page without a kernel.

    A subclass names its module files in ``modules`` (palette and ``common.mjs`` come first) and in
    ``constants`` what they need from Python, declares its state as ``Checked`` traits, and gives
    ``numbers``, ``alt`` and ``draw``.
    """

    modules: ClassVar[tuple[str, ...]] = ()
    constants: ClassVar[dict[str, Any]] = {}
    stylesheets: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Compose the module text once for each class."""
        if "modules" in vars(cls):  # not for the class that traitlets derives for each instance
            cls._esm = compose("common.mjs", *cls.modules, **cls.constants)
            cls._css = "\n".join(map(read, ("common.css", *cls.stylesheets)))
        super().__init_subclass__(**options)

    def __init__(self, **state: Any) -> None:
        unknown = sorted(set(state) - set(self.state_names()))
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no argument {', '.join(unknown)}. "
                f"It takes {', '.join(self.state_names())}."
            )
        super().__init__(**state)

    @classmethod
    def state_names(cls) -> list[str]:
        """Names of the traits that make up the figure's state."""
        found = [vars(base).items() for base in reversed(cls.__mro__)]
        return [name for items in found for name, trait in items if isinstance(trait, Checked)]

    def state(self) -> dict[str, Any]:
        """Present state, as plain JSON values."""
        return {name: getattr(self, name) for name in self.state_names()}

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``.

        The module's ``compute(state)`` gives the same numbers in the page.
        """
        raise NotImplementedError

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        raise NotImplementedError

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        raise NotImplementedError

    def still(self, path: str | Path | None = None) -> bytes:
        """PNG of the present state, for print, GitHub and readers without scripts.

        Parameters
        ----------
        path : file to write as well.
        """
        # matplotlib is loaded only here: most sessions draw no still.
        from matplotlib import rc_context  # noqa: PLC0415

        from roilearn.plot import figure_to_png  # noqa: PLC0415
        from roilearn.plot.base import STYLE  # noqa: PLC0415

        with rc_context(STYLE):
            picture = figure_to_png(self.draw(), STILL_DPI)
        if path is not None:
            Path(path).write_bytes(picture)
        return picture

    def __repr__(self) -> str:
        """Class and state: stable from run to run, unlike an object's address."""
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.state().items())})"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        widget = super()._repr_mimebundle_(**options)
        data, metadata = widget or ({}, {})
        picture = base64.b64encode(self.still()).decode()
        return {**data, "image/png": picture}, {**metadata, "image/png": {"alt": self.alt}}

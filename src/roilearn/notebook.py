"""Display in notebooks: figures with alt text, and the source of the package's functions."""

from __future__ import annotations

import ast
import base64
import inspect
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

DPI = 144  # stored pixels per inch; shown at CSS's 96, so that pictures are sharp on dense screens


def show(figure: Figure, alt: str) -> None:
    """Display a figure as a PNG with its alt text, and close it.

    The alt text is stored in the output's metadata, where the book's build finds it, and as plain
    text for readers who see no pictures.

    Parameters
    ----------
    figure : a matplotlib figure.
    alt : what is to be seen, in a sentence.

    Raises
    ------
    ValueError: alt text of fewer than three words.
    """
    from IPython.display import display  # noqa: PLC0415 - needed when called, not when imported

    from roilearn.plot import figure_to_png  # noqa: PLC0415

    if len(alt.split()) < 3:
        raise ValueError(
            f"alt must say what is to be seen, in three words or more; got {alt!r}.\n"
            "Name the things drawn and where they are; leave the conclusion to the caption."
        )
    picture = base64.b64encode(figure_to_png(figure, DPI)).decode()
    width = round(figure.get_figwidth() * 96)
    display(
        {"image/png": picture, "text/plain": f"Figure: {alt}"},
        metadata={"image/png": {"alt": alt, "width": width}},
        raw=True,
    )


def show_source(*functions: Callable[..., Any] | str) -> None:
    """Show the package's own source of functions or classes, docstrings left out.

    Parameters
    ----------
    functions : shown in this order, each under its full name; or full names, whose modules are
        not imported: so kernels are shown where their compiler is missing.
    """
    from IPython.core.display import Markdown  # noqa: PLC0415
    from IPython.display import display  # noqa: PLC0415

    for function in functions:
        original: Any = function if isinstance(function, str) else inspect.unwrap(function)
        name = original
        if not isinstance(original, str):
            name = f"{original.__module__}.{original.__qualname__}"
        display(Markdown(f"`{name}`\n\n```python\n{source_without_docstring(original)}\n```"))


def source_without_docstring(function: Callable[..., Any] | str) -> str:
    """Return the source of a function or class as it stands in its file, without its docstring.

    Parameters
    ----------
    function : the function, or its full name.

    Examples
    --------
    >>> from roilearn.reference.boxes.boxes import box_area
    >>> '\"\"\"' in source_without_docstring(box_area)
    False
    """
    text = source_by_name(function) if isinstance(function, str) else inspect.getsource(function)
    lines = textwrap.dedent(text).rstrip().splitlines()
    definition = ast.parse("\n".join(lines)).body[0]
    if isinstance(definition, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(definition):
        docstring = definition.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(lines)


def source_by_name(name: str) -> str:
    """Read the source of one of the package's functions or classes; nothing is imported.

    Raises
    ------
    ValueError: no such function in the package.

    Examples
    --------
    >>> source_by_name("roilearn.reference.boxes.boxes.box_area").splitlines()[0][:13]
    'def box_area('
    """
    *module, function = name.split(".")
    path = Path(__file__).parent.joinpath(*module[1:]).with_suffix(".py")
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == function:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise ValueError(
        f"name must be the full name of a function or class of the package; got {name!r}.\n"
        "Write it with its module, as in 'roilearn.reference.boxes.boxes.box_area'."
    )

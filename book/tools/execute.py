"""Execute notebooks and store their outputs, so that running twice gives the same files.

    python book/tools/execute.py [notebook or folder ...]

Widget state is stored with the outputs (the pages show it without a kernel). What would differ from
one machine or run to the next is replaced: cell and widget names, the Python version, timings.
A cell that raises stops the run, and the notebook on disk stays as it was.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

WIDGETS = "application/vnd.jupyter.widget-state+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
CELL_LIMIT = 120  # seconds; the book promises 10 on a laptop


def notebooks(paths: list[Path]) -> Iterator[Path]:
    """Yield the notebooks that the paths name, folders in alphabetical order."""
    for path in paths:
        yield from sorted(path.glob("*.ipynb")) if path.is_dir() else [path]


def execute(path: Path) -> nbformat.NotebookNode:
    """Run all cells of a notebook in its own folder and return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    client = NotebookClient(
        notebook,
        timeout=CELL_LIMIT,
        kernel_name=KERNEL["name"],
        record_timing=False,
        coalesce_streams=True,  # what a cell prints is one output, however it arrives
        resources={"metadata": {"path": str(path.parent)}},
    )
    return client.execute()


def settle(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Give cells and widgets names that depend on their order alone; forget the machine."""
    state = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    text = nbformat.writes(notebook)
    for number, model in enumerate(state):
        text = text.replace(model, f"widget-{number}")
    settled = nbformat.reads(text, as_version=4)
    for number, cell in enumerate(settled.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.pop("transient", None)
    kept = {key: settled.metadata[key] for key in ("widgets",) if key in settled.metadata}
    settled.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": LANGUAGE, **kept},
    )
    nbformat.validate(settled)
    return settled


def main() -> int:
    """Execute every notebook named on the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("notebooks")])
    found = list(notebooks(parser.parse_args().paths))
    for number, path in enumerate(found, start=1):
        print(f"{number} of {len(found)}  {path.name} ... ", end="", flush=True)
        start = time.monotonic()
        try:
            done = execute(path)
        except CellExecutionError as error:
            print(f"stopped\n{error}")
            return 1
        path.write_text(nbformat.writes(settle(done)) + "\n", encoding="utf-8")
        cells = sum(cell.cell_type == "code" for cell in done.cells)
        print(f"{cells} code cells in {time.monotonic() - start:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

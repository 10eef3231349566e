"""What a checkpoint says of its run, which must be the one that wants to go on."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from roilearn.train.settings import Settings

KIND = "roilearn checkpoint 2"
"""Stands in the header of every checkpoint; the number is that of its format."""
NAMED = 5
"""Differences that an error names at most."""


class CheckpointError(ValueError):
    """A file from which this run cannot go on."""


def done_steps(path: Path, settings: Settings, about: Mapping[str, Any]) -> int:
    """Read how many steps the run in a file has done; 0 without a file.

    Raises
    ------
    CheckpointError: a file that is torn or no checkpoint; one of another run.
    """
    if not path.is_file():
        return 0
    with opened(path) as file:
        return same_run(file, settings, about)["step"]


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a checkpoint; an error in the block says what to do with the file."""
    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise CheckpointError(f"the checkpoint cannot be read: {error}. {advice(path)}") from error
    except CheckpointError as error:
        raise CheckpointError(f"{error} {advice(path)}") from error


def advice(path: Path) -> str:
    """Say what to do with a checkpoint from which a run cannot go on."""
    return f"To begin anew, delete it or pass resume=False ({path})."


def same_run(file: Any, settings: Settings, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of an open file; raise unless it is of this run, naming what differs."""
    header = file.metadata() or {}
    if header.get("kind") != KIND:
        raise CheckpointError("the checkpoint must be one of a training run; it is not.")
    told = json.loads(header["about"])
    then, now = told["run"], json.loads(json.dumps({**settings.deciding(), **about}))
    other = [
        f"{name} {then.get(name, 'not there')!r} then and {now.get(name, 'not there')!r} now"
        for name in then | now
        if then.get(name) != now.get(name)
    ]
    if other:
        more = f", and {len(other) - NAMED} more" if len(other) > NAMED else ""
        raise CheckpointError(
            f"the checkpoint is of another run: {', '.join(other[:NAMED])}{more}."
        )
    return told


def about_data(dataset: Any) -> dict[str, Any]:
    """Collect what a dataset says of itself: number of items, names of classes, seed.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> about_data(ShapeScenes(10, seed=3))
    {'items of data': 10, 'seed of data': 3}
    """
    told: dict[str, Any] = {"items of data": len(dataset)}
    names, seed = getattr(dataset, "names", None), getattr(dataset, "seed", None)
    if isinstance(names, list | tuple):
        told |= {f"class {label}": str(name) for label, name in enumerate(names, start=1)}
    return told if seed is None else {**told, "seed of data": seed}

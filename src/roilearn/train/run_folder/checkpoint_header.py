"""The header of a checkpoint: settings and metadata of its run, which a resumed run must match."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from roilearn.models.weights.model_config import current_options
from roilearn.train.settings import Settings

KIND = "roilearn checkpoint 3"
"""Stands in the header of every checkpoint; the number is that of the file format."""
OLD_KIND = "roilearn checkpoint 2"
"""The format up to version 0.2, which has other names. It is read as well."""
OLD_NAMES: dict[str, str] = {
    "average": "ema_decay",
    "clip": "max_grad_norm",
    "shares": "micro_batches",
    "warm_up": "warmup_fraction",
}
"""Names of settings and metadata in the old format, and what they are called now."""
MAX_DIFFERENCES = 5
"""Maximum number of differences that an error message lists."""


class CheckpointError(ValueError):
    """A checkpoint from which this run cannot be resumed."""


def completed_steps(path: Path, settings: Settings, metadata: Mapping[str, Any]) -> int:
    """Read how many steps of this run a checkpoint holds; 0 if there is no file.

    Raises
    ------
    CheckpointError: a file that is truncated or not a checkpoint, or the checkpoint of another run.
    """
    if not path.is_file():
        return 0
    with open_checkpoint(path) as file:
        return check_same_run(file, settings, metadata)["step"]


@contextmanager
def open_checkpoint(path: Path) -> Iterator[Any]:
    """Open a checkpoint; an error in the block is extended by what to do about the file."""
    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise CheckpointError(
            f"the checkpoint cannot be read: {error}. {recovery_hint(path)}"
        ) from error
    except CheckpointError as error:
        raise CheckpointError(f"{error} {recovery_hint(path)}") from error


def recovery_hint(path: Path) -> str:
    """Say what to do about a checkpoint from which a run cannot be resumed."""
    return f"To start anew, delete it or pass resume=False ({path})."


def check_same_run(file: Any, settings: Settings, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of an open checkpoint; raise unless it is of this run.

    A run may be made longer: more steps than it was begun with are no difference. The error names
    the settings and metadata that differ.
    """
    header = read_header(file)
    then, now = header["run"], json.loads(json.dumps({**settings.affecting_weights(), **metadata}))
    differences = [
        f"{name} {then.get(name, 'missing')!r} then and {now.get(name, 'missing')!r} now"
        for name in then | now
        if then.get(name) != now.get(name) and not (name == "steps" and now[name] > then[name])
    ]
    if differences:
        hidden = len(differences) - MAX_DIFFERENCES
        more = f", and {hidden} more" if hidden > 0 else ""
        raise CheckpointError(
            f"the checkpoint is of another run: {', '.join(differences[:MAX_DIFFERENCES])}{more}."
        )
    return header


def read_header(file: Any) -> dict[str, Any]:
    """Read ``run``, ``step`` and ``scaler`` of an open checkpoint, old names replaced by new."""
    written = file.metadata() or {}
    if written.get("kind") not in (KIND, OLD_KIND):
        raise CheckpointError("the checkpoint must be one of a training run; it is not.")
    header = json.loads(written["about"])
    if written["kind"] == OLD_KIND:
        run = {str(OLD_NAMES.get(name, name)): value for name, value in header["run"].items()}
        header["run"] = current_options(run)
    return header


def dataset_metadata(dataset: Any) -> dict[str, Any]:
    """Collect number of items, class names and seed of a data set, as far as it has them.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> dataset_metadata(ShapeScenes(10, seed=3))
    {'items of data': 10, 'seed of data': 3}
    """
    metadata: dict[str, Any] = {"items of data": len(dataset)}
    names, seed = getattr(dataset, "names", None), getattr(dataset, "seed", None)
    if isinstance(names, list | tuple):
        metadata |= {f"class {label}": str(name) for label, name in enumerate(names, start=1)}
    return metadata if seed is None else {**metadata, "seed of data": seed}

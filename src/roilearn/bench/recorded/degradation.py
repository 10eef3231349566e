"""Recorded training of plain and residual networks of two depths (``degradation.csv``)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "degradation.csv"
BLOCKS = ("plain", "residual")
LAYERS = (14, 50)
"""Layers with weights: a convolution, two in each block, and a linear layer."""
EPOCHS, MANY_EPOCHS = 30, 90
"""Passes of every network, and of a longer run of the deep plain one."""


@dataclass(frozen=True)
class Degradation:
    """One network after one pass over the training images: a row.

    Errors are fractions of images. ``loss`` and ``error`` are means over the pass, while the
    weights change, and ``training_error`` and ``held_out_error`` are of the weights after the pass.
    """

    block: str  # "plain" or "residual"
    layers: int
    seed: int
    epochs: int  # passes of the whole run, over which the learning rate falls to 0
    epoch: int  # passes so far
    loss: float
    error: float
    training_error: float
    held_out_error: float
    versions: str


def read_degradation(path: Path = FILE) -> list[Degradation]:
    """Read the recorded rows; none if there are none."""
    return read_table(Degradation, path)


def last_epochs(
    rows: Iterable[Degradation], epochs: int = EPOCHS
) -> dict[tuple[str, int], list[Degradation]]:
    """Group the rows after the last pass by kind of block and number of layers, seed by seed.

    Parameters
    ----------
    epochs : of runs with so many passes. Networks without such a run are left out.
    """
    last = [row for row in rows if row.epochs == row.epoch == epochs]
    networks = [(block, layers) for block in BLOCKS for layers in LAYERS]
    groups = {own: [row for row in last if (row.block, row.layers) == own] for own in networks}
    return {network: found for network, found in groups.items() if found}

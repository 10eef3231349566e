"""The files that a run writes step by step. A full disk delays them and does not end the run."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from safetensors import SafetensorError

from roilearn.train.run_folder.checkpoint import TrainingState, save_checkpoint
from roilearn.train.run_folder.loss_curves import draw_curves
from roilearn.train.run_folder.loss_log import LossLog

LOG = logging.getLogger(__name__)
CHECKPOINT, LOSSES, CURVES = "checkpoint.safetensors", "losses.csv", "curves.png"
"""Names of the files that a run writes into its folder."""


class RunFiles:
    """Checkpoint, loss log and curves of a run.

    Parameters
    ----------
    folder : run folder; None: nothing is written.
    state : state of the run. Its step is the one of the checkpoint in the folder, if there is one.

    Attributes
    ----------
    saved_step : step of the checkpoint in the folder; 0 if there is none.
    """

    def __init__(self, folder: Path | None, state: TrainingState) -> None:
        self.folder, self.state, self.saved_step = folder, state, state.step
        self.closing = ExitStack()
        self.log = None if folder is None else LossLog(folder / LOSSES, state.step)

    def __enter__(self) -> Self:
        """Open the loss log."""
        if self.log:
            self.closing.enter_context(self.log)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the loss log."""
        self.closing.close()

    def add(self, row: Mapping[str, float]) -> None:
        """Add the row of a step to the loss log."""
        if self.log:
            self.log.add(row)

    def save(self) -> bool:
        """Save the state, and draw the curves; return whether the state is saved.

        If it cannot be saved, the checkpoint of an earlier step stays, and a warning says so.
        """
        if self.folder is None:
            return False
        path = self.folder / CHECKPOINT
        try:
            save_checkpoint(path, self.state)
        except (OSError, SafetensorError) as error:
            LOG.warning("the checkpoint of step %d is not saved: %s.", self.state.step, error)
            return False
        self.saved_step = self.state.step
        try:
            draw_curves(self.folder / LOSSES, self.folder / CURVES)
        except OSError as error:
            LOG.warning("the curves are not drawn: %s.", error)
        return True

    def save_after_error(self) -> None:
        """Save the steps before one that has failed, unless it failed within its update."""
        if self.state.step > self.saved_step and not self.state.updating:
            self.save()

    def how_to_go_on(self) -> str:
        """Say which step is saved, and what goes on from there."""
        if self.folder is None:
            return "Nothing is saved, since no folder was given."
        if not self.saved_step:
            return "No step is saved."
        done = "" if self.saved_step == self.state.step else f" of {self.state.step}"
        return f"Step {self.saved_step}{done} is saved; the same call goes on from there."

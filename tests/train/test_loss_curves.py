"""The picture of a run of any length."""

import pytest

from roilearn.train.run_folder.loss_curves import draw_curves
from roilearn.train.run_folder.loss_log import LossLog


@pytest.mark.parametrize("rows", [1, 2, 45])
def test_curves_of_any_length_are_drawn(tmp_path, rows):
    with LossLog(tmp_path / "losses.csv", 0) as log:
        for step in range(1, rows + 1):
            row = {"learning_rate": 0.1, "grad_norm": 2.0, "loss": 1 / step, "loss_mask": 0.0}
            log.add({"step": step, **row})
    draw_curves(tmp_path / "losses.csv", tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text(encoding="utf-8")

"""The picture of a run of any length."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from roilearn.train.run_folder.loss_curves import draw_curves, log_ticks
from roilearn.train.run_folder.loss_log import LossLog
from roilearn.train.run_folder.validation_log import ValidationLog


@pytest.mark.parametrize("rows", [1, 2, 45])
def test_curves_of_any_length_are_drawn(tmp_path, rows):
    with LossLog(tmp_path / "losses.csv", 0) as log:
        for step in range(1, rows + 1):
            row = {"learning_rate": 0.1, "grad_norm": 2.0, "loss": 1 / step, "loss_mask": 0.0}
            log.add({"step": step, **row})
    draw_curves(tmp_path / "losses.csv", tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("low", "high"), [(0.013, 7.9), (2.13, 2.41), (1e-5, 3e4), (0.7, 1.3), (1, 1), (1.234, 1.2341)]
)
def test_ticks_are_round_numbers_within_the_values(low, high):
    ticks = log_ticks(np.array([low, high, 0.0, np.nan, np.inf]))
    assert 1 <= len(ticks) <= 10
    assert (np.diff(ticks) > 0).all()
    if high > 5 * low:
        digits = {f"{tick:e}".partition("e")[0].rstrip("0") for tick in ticks}
        assert len(ticks) >= 2
        assert digits <= {"1.", "2.", "5."}
        assert low <= ticks[0] <= ticks[-1] <= high


def test_the_metrics_of_a_run_are_drawn_with_its_losses(tmp_path):
    log = ValidationLog(tmp_path / "validation.csv", 0)
    with LossLog(tmp_path / "losses.csv", 0) as losses:
        for step in (1, 2):
            losses.add({"step": step, "learning_rate": 0.1, "grad_norm": 2.0, "loss": 1 / step})
    draw_curves(tmp_path / "losses.csv", tmp_path / "before.svg")
    log.add(1, {"AP boxes": 0.1, "AP masks": 0.2})
    log.add(2, {"AP boxes": 0.3, "AP masks": 0.4})
    draw_curves(tmp_path / "losses.csv", tmp_path / "after.svg")
    before, after = (
        (tmp_path / name).read_text(encoding="utf-8") for name in ("before.svg", "after.svg")
    )
    assert ("validation" in before, "validation" in after) == (False, True)


def test_metrics_have_room_up_to_one_and_colours_that_no_loss_has(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    with LossLog(tmp_path / "losses.csv", 0) as losses:
        row = {"learning_rate": 0.1, "grad_norm": 2.0, "loss": 1.0, "loss_mask": 0.5}
        losses.add({"step": 1, **row})
    log = ValidationLog(tmp_path / "validation.csv", 0)
    log.add(1, {"AP boxes": 0.1, "AP masks": 1.0})
    draw_curves(tmp_path / "losses.csv", tmp_path / "curves.png")
    losses, validation = drawn[0].axes[:2]
    low, high = validation.get_ylim()
    assert low == 0
    assert high > 1
    colours = [{line.get_color() for line in axes.lines} for axes in (losses, validation)]
    assert [len(each) for each in colours] == [2, 2]
    assert not set.intersection(*({to_hex(c) for c in each} for each in colours))
    (legend,) = drawn[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["loss", "mask"]

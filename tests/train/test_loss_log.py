"""The table of losses, cut and continued."""

import pytest

from roilearn.train.run_folder.loss_log import LossLog, read_loss_log


def test_a_table_that_was_cut_short_goes_on_in_the_right_row(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("step,loss\n1,3\n2,2\n3,1\n4,0.", encoding="utf-8")
    with LossLog(path, 2) as log:
        log.add({"step": 3, "loss": 7.0})
    assert read_loss_log(path) == {"step": [1, 2, 3], "loss": [3, 2, 7]}
    with LossLog(path, 0) as log:
        log.add({"step": 1, "loss": 9.0})
    assert read_loss_log(path) == {"step": [1], "loss": [9]}


@pytest.mark.parametrize(
    ("damaged", "steps"),
    [
        (b"step,loss\n1,3\n2,\xff\n3,1\n", [1, 3, 4]),
        (b"step,loss\n1,3\n2\nloss\n", [1, 4]),
        (b"step,lo", [4]),
        (b"\x00\x01", [4]),
        (b"", [4]),
    ],
)
def test_of_a_damaged_table_the_rows_are_kept_that_can_be_read(tmp_path, damaged, steps, caplog):
    path = tmp_path / "losses.csv"
    path.write_bytes(damaged)
    with LossLog(path, 3) as log:
        assert path.read_bytes() == damaged
        log.add({"step": 4, "loss": 0.5})
    assert read_loss_log(path)["step"] == steps
    assert "losses.csv is damaged" in caplog.text

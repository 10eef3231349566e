"""The table of losses, cut and continued."""

from roilearn.train.record import Record, read_record


def test_a_table_that_was_cut_short_goes_on_in_the_right_row(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("step,loss\n1,3\n2,2\n3,1\n4,0.", encoding="utf-8")
    with Record(path, 2) as record:
        record.add({"step": 3, "loss": 7.0})
    assert read_record(path) == {"step": [1, 2, 3], "loss": [3, 2, 7]}
    with Record(path, 0) as record:
        record.add({"step": 1, "loss": 9.0})
    assert read_record(path) == {"step": [1], "loss": [9]}

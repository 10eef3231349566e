"""The words on the page of measurements follow from the numbers, whatever a re-run records."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from roilearn import bench

ROOT = Path(__file__).parents[2]
ROW = bench.LoadRow(
    *("overhead", "nms", "no box", "forward", "roilearn", 0),
    *(2.0, 3.0, 1.5, 1.4, 1.6, 9, "torch 2", "cpu"),
)
QUICK = bench.Row("nms", "A", "forward", "roilearn", 1.0, 2.0, 1.9, 2.1, 3, "torch 2", "cpu")


@pytest.fixture
def page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    yield importlib.import_module("roilearn_book.benchmark_load")
    for name in [name for name in sys.modules if name.startswith("roilearn_book")]:
        del sys.modules[name]


def with_baseline(*rows):
    theirs = [replace(row, implementation="torchvision", ratio=1.0) for row in rows]
    return [*theirs, *rows]


def test_rows_that_are_faster_and_ratios_that_are_kept_are_counted(page, monkeypatch):
    slow = replace(ROW, workload="one box", ratio=0.25)
    busy = [replace(ROW, busy=1, ratio=1.0), replace(slow, busy=1, ratio=0.1, slowest=9.0)]
    monkeypatch.setattr(page.bench, "read_load", lambda: with_baseline(ROW, slow, *busy))
    text = page.under_load("overhead")
    assert "Quiet: ours is at least as fast as torchvision in 1 of 2 rows" in text
    assert "the ratio lies between 0.25 and 1.5" in text
    assert "At least two thirds of the quiet ratio remain in 1 of 2." in text
    assert "In 1 of 2 rows a call took more than 3 times the median." in text
    assert "One busy process a core: ours" in text
    assert text.count("<tr>") == 3
    assert "<td>0.1 (slowest call 4.5 x)</td>" in text


def test_a_topic_of_one_load_says_nothing_of_others(page, monkeypatch):
    monkeypatch.setattr(page.bench, "read_load", lambda: with_baseline(ROW))
    text = page.under_load("overhead")
    assert "in all 1 rows" in text
    assert "remain" not in text
    assert "a call took" not in text
    assert page.under_load("few channels") == "<p>Not recorded yet.</p>"


def test_a_load_without_a_quiet_row_is_tabulated(page, monkeypatch):
    monkeypatch.setattr(page.bench, "read_load", lambda: with_baseline(replace(ROW, busy=4)))
    text = page.under_load("overhead")
    assert "<th>ratio, 4 busy processes a core</th>" in text
    assert "remain" not in text


def test_the_summary_names_operators_only_where_torchvision_is_faster(page, monkeypatch):
    monkeypatch.setattr(page.bench, "read", lambda: [QUICK])
    assert "at least as fast as torchvision in all 1 rows" in page.summary("")
    assert "torchvision is faster" not in page.summary("")
    assert page.slower("") == "<p>No recorded row is slower than torchvision.</p>"
    below = replace(QUICK, operator="roi_pool", ratio=0.5)
    monkeypatch.setattr(page.bench, "read", lambda: [QUICK, below])
    assert "torchvision is faster in 1 of 2 rows, of roi_pool." in page.summary("")
    cells = ("roi_pool", "A", "forward", "as called", "0.5 (1.9 to 2.1)")
    assert "".join(f"<td>{cell}</td>" for cell in cells) in page.slower("")
    assert "<td>roi_pool</td><td>0.5 to 0.5</td><td>no gradient</td>" in page.gains("")


def test_nothing_recorded_breaks_no_part(page, monkeypatch):
    for reader in ("read", "read_load", "read_crossover"):
        monkeypatch.setattr(page.bench, reader, list)
    for name, text in page.TEXTS.items():
        assert text("roi_align").startswith("<"), name


def test_the_recorded_files_name_their_machine_and_no_path():
    for row in (*bench.read_load(), *bench.read_crossover()):
        assert "cores" in row.machine
        assert "/" not in row.machine
        assert "torch 2" in row.versions

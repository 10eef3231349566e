"""Plain and residual networks of two depths: what was recorded, and that chapter 7 says so."""

from statistics import mean

import pytest
import torch

from roilearn import plot
from roilearn.bench.detectors import degradation
from roilearn.bench.detectors.degradation import PlainBlock, format_rows, make_network
from roilearn.bench.recorded.degradation import (
    BLOCKS,
    EPOCHS,
    LAYERS,
    MANY_EPOCHS,
    last_epochs,
    read_degradation,
)
from roilearn.models import IdentityBlock


@pytest.fixture(scope="module")
def recorded():
    return read_degradation()


def test_the_record_is_whole(recorded):
    runs = {(row.block, row.layers, row.seed, row.epochs) for row in recorded}
    assert runs == set(degradation.list_runs())
    assert len(recorded) == sum(epochs for *_, epochs in runs)
    networks = {(block, layers, epochs) for block, layers, _, epochs in runs}
    assert len(list(format_rows(recorded))) == 2 * len(networks)


def test_chapter_7_says_what_is_recorded(recorded):
    last = last_epochs(recorded)
    assert all(row.training_error > 1 / 3 for row in last["plain", 50])
    learned = [row for network, rows in last.items() if network != ("plain", 50) for row in rows]
    assert {row.training_error for row in learned} == {0}
    deep = last["plain", 50]
    gap = mean(row.held_out_error - row.training_error for row in deep)
    assert 0 <= gap < 0.05
    longer = sorted(row.training_error for row in last_epochs(recorded, MANY_EPOCHS)["plain", 50])
    assert 0 < longer[0] < longer[1] < 0.02 < longer[2]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("layers", LAYERS)
def test_a_network_has_as_many_layers_as_it_says(block, layers):
    network = make_network(block, layers)
    weighted = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == layers


def test_both_kinds_begin_with_the_same_weights_and_differ_by_the_shortcut():
    networks = {}
    for block in BLOCKS:
        torch.manual_seed(0)
        networks[block] = make_network(block, 14)
    plain, residual = (networks[block].state_dict() for block in BLOCKS)
    assert all(torch.equal(plain[name], residual[name]) for name in plain)
    features = torch.randn(2, 3, 8, 8)
    torch.manual_seed(1)
    one, other = (kind(degradation.basic_branch(3, 3)) for kind in (PlainBlock, IdentityBlock))
    other.load_state_dict(one.state_dict())
    one.eval(), other.eval()
    assert torch.equal(one(features), torch.relu(one.branch(features)))
    assert torch.equal(other(features), torch.relu(features + other.branch(features)))


def test_a_short_run_gives_a_row_for_each_pass():
    rows = list(degradation.train_network("residual", 14, seed=0, epochs=2))
    assert [row.epoch for row in rows] == [1, 2]
    assert rows[1].loss < rows[0].loss
    assert all(0 <= row.training_error <= 1 for row in rows)


def test_the_figure_has_a_line_for_each_network_and_seed(recorded):
    rows = [row for row in recorded if row.epochs == EPOCHS]
    plain, residual = plot.training_error(rows).axes
    assert [axes.get_title() for axes in (plain, residual)] == ["plain", "residual"]
    assert len(plain.lines) == len(residual.lines) == len(LAYERS) * len(degradation.SEEDS)
    assert max(plain.lines[-1].get_ydata()) <= 100

"""The ablation: only what a table is about differs between its rows."""

from dataclasses import replace

import pytest
import torch

from roilearn.bench.detectors import ablation
from roilearn.bench.detectors.ablation import MODELS, Run, plan
from roilearn.bench.recorded.ablation import (
    ALIGN,
    FLOAT_PASTE,
    OPERATORS,
    POOL,
    ROUNDED,
    ROUNDING,
    TABLES,
    UNALIGNED,
    Result,
    as_lines,
    direction,
    gains,
    of_table,
    read_trained,
)

RESULT = Result(POOL, 4, 0, 1200, 0.4, 0.6, 0.5, 0.3, 0.5, 200, "torch 2", "a machine")


def test_rows_of_the_operators_share_targets_pasting_and_anchors():
    shared = {
        (rules.target_half_cell, rules.paste, rules.anchor_offset, rules.anchor_rounded)
        for _, rules in map(MODELS.get, OPERATORS)
    }
    assert len(shared) == 1
    assert len({(op, rules.half_cell) for op, rules in map(MODELS.get, OPERATORS)}) == 3


def test_rows_of_the_rounding_share_the_operator():
    assert {MODELS[row][0] for row in ROUNDING if row in MODELS} == {"align"}


@pytest.mark.parametrize(
    ("table", "strides", "rows"),
    [("operators", [4], 3), ("strides", [4, 8, 16], 3), ("rounding", [4], 2)],
)
def test_a_plan_holds_whole_seeds_in_turn(table, strides, rows):
    runs = plan(table, range(2), 10)
    assert len(runs) == len(set(runs)) == 2 * len(strides) * rows
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert sorted({run.stride for run in runs}) == strides


def test_a_row_that_stands_in_two_tables_is_one_run():
    runs = [set(plan(table, [0], 10)) for table in TABLES]
    assert len(set.union(*runs)) == 3 * 3 + 1


def test_models_of_one_seed_begin_alike_and_pool_where_the_stride_says():
    runs = plan("strides", [3], 10)
    models = [ablation.make(run) for run in runs]
    first = models[0].state_dict()
    for model in models[1:]:
        assert all(torch.equal(first[name], value) for name, value in model.state_dict().items())
    box = [torch.tensor([[0.0, 0.0, 40.0, 40.0]])]
    for run, model in zip(runs, models, strict=True):
        pooler = model.roi_heads.box_pooler
        maps = {str(k): torch.full((1, 1, 32 >> k, 32 >> k), 4.0 * 2**k) for k in range(3)}
        pooled = pooler(maps, box, [(128, 128)])
        torch.testing.assert_close(pooled, torch.full_like(pooled, run.stride))


def test_a_run_is_measured_as_trained_and_where_it_was_rounded_with_float_pasting(monkeypatch):
    monkeypatch.setattr(ablation, "HELD_OUT", 2)
    run = Run(ROUNDED, 4, 0, 1)
    results = ablation.carry_out(run)
    assert [result.row for result in results] == [run.row, FLOAT_PASTE]
    assert all(0 <= result.AP <= 1 and result.scenes == 2 for result in results)
    (aligned,) = ablation.carry_out(replace(run, row=ROUNDING[-1]))
    assert aligned.row == ROUNDING[-1]


def test_a_table_takes_its_rows_in_its_order_and_leaves_the_rest():
    results = [
        replace(RESULT, row=row, stride=stride, steps=steps)
        for row in reversed([*MODELS, FLOAT_PASTE])
        for stride in (8, 4)
        for steps in (10, 20)
    ]
    assert [r.row for r in of_table("rounding", results, 10)] == list(ROUNDING)
    assert [(r.stride, r.row) for r in of_table("strides", results, 20)] == [
        (stride, row) for stride in (4, 8) for row in OPERATORS
    ]


def test_lines_give_mean_and_spread_in_hundredths_over_the_seeds():
    first, second = as_lines([RESULT, replace(RESULT, seed=1, AP=0.5), replace(RESULT, stride=8)])
    assert "AP  45.0 ± 7.1" in first
    assert "(2 seeds)" in first
    assert "AP  40.0 ± nan" in second


def test_a_gain_is_taken_seed_by_seed_where_both_rows_have_been_trained():
    align = replace(RESULT, row=ROUNDING[-1], AP=0.5)
    results = [RESULT, replace(align, seed=1), replace(RESULT, seed=1, AP=0.3), align]
    results.append(replace(align, seed=2))
    assert gains(results, "AP", align.row, POOL) == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize(
    ("ap", "ap50", "ap75", "said"),
    [
        ([0.1, 0.1], [0.1, 0.1], [0.2, 0.2], "Up in every seed: AP, AP50, AP75. AP75 gains more"),
        ([0.1, -0.1], [0.1, 0.3], [0.2, 0.2], "Up in every seed: AP50, AP75."),
        ([-0.2, -0.1], [0.1, 0.1], [0.0, 0.2], "Up in every seed: AP50. Down in every seed: AP."),
        ([0.1, -0.1], [0.1, -0.1], [0.1, -0.1], "Nothing moves one way"),
        ([0.1], [0.1], [0.2], "One seed"),
    ],
)
def test_a_direction_is_one_that_every_seed_shows(ap, ap50, ap75, said):
    told = direction({"AP": ap, "AP50": ap50, "AP75": ap75})
    assert told.startswith(said)
    assert ("gains more" in told) == ("gains more" in said)


def recorded(table, stride, later, earlier):
    here = [r for r in of_table(table, read_trained()) if r.stride == stride]
    return {name: gains(here, name, later, earlier) for name in ("AP", "AP50", "AP75", "APs")}


@pytest.mark.parametrize("stride", TABLES["strides"][1])
@pytest.mark.parametrize("row", [UNALIGNED, ALIGN])
def test_the_record_shows_what_the_page_says_of_roialign_over_roipool(row, stride):
    gained = recorded("strides", stride, row, POOL)
    assert len(gained["AP"]) >= 2
    assert min(gained["AP"] + gained["AP75"] + gained["APs"]) > 0
    assert "AP75 gains more" in direction(gained)


def test_the_record_shows_what_the_page_says_of_the_half_cell_and_the_last_rounding():
    half_cell = recorded("operators", 4, ALIGN, UNALIGNED)
    assert min(half_cell["AP"]) < 0 < max(half_cell["AP"])
    rounding = recorded("rounding", 4, ALIGN, ROUNDED)
    assert min(rounding["APs"]) > 0
    assert min(rounding["AP"]) < 0 < max(rounding["AP"])

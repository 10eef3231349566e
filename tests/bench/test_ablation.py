"""The ablation: the variants of a table differ only in what the table is about."""

from dataclasses import replace

import pytest
import torch

from roilearn.bench.detectors import ablation
from roilearn.bench.detectors.ablation import MODELS, TrainingRun, list_runs
from roilearn.bench.recorded.ablation import (
    ALIGN,
    FLOAT_PASTE,
    METRICS,
    OPERATORS,
    POOL,
    ROUNDED,
    ROUNDING,
    TABLES,
    UNALIGNED,
    AblationResult,
    consistent_gains,
    format_results,
    gains,
    read_ablation,
    select_table,
)

RESULT = AblationResult(POOL, 4, 0, 1200, 0.4, 0.6, 0.5, 0.3, 0.5, 200, "torch 2", "a machine")


def test_rows_of_the_operators_share_targets_pasting_and_anchors():
    shared = {
        (rules.mask_target_aligned, rules.paste, rules.anchor_offset, rules.anchor_rounded)
        for _, rules in map(MODELS.get, OPERATORS)
    }
    assert len(shared) == 1
    assert len({(op, rules.aligned) for op, rules in map(MODELS.get, OPERATORS)}) == 3


def test_rows_of_the_rounding_share_the_operator():
    assert {MODELS[row][0] for row in ROUNDING if row in MODELS} == {"align"}


@pytest.mark.parametrize(
    ("table", "strides", "rows"),
    [("operators", [4], 3), ("strides", [4, 8, 16], 3), ("rounding", [4], 3)],
)
def test_runs_are_listed_seed_by_seed(table, strides, rows):
    runs = list_runs(table, range(2), 10)
    assert len(runs) == len(set(runs)) == 2 * len(strides) * rows
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert sorted({run.stride for run in runs}) == strides


def test_a_variant_of_two_tables_is_one_run():
    runs = [set(list_runs(table, [0], 10)) for table in TABLES]
    assert len(set.union(*runs)) == 3 * 3 + 1


def test_models_of_one_seed_begin_alike_and_pool_where_the_stride_says():
    runs = list_runs("strides", [3], 10)
    models = [ablation.make_model(run) for run in runs]
    first = models[0].state_dict()
    for model in models[1:]:
        assert all(torch.equal(first[name], value) for name, value in model.state_dict().items())
    box = [torch.tensor([[0.0, 0.0, 40.0, 40.0]])]
    for run, model in zip(runs, models, strict=True):
        pooler = model.roi_heads.box_roi_pool
        maps = {str(k): torch.full((1, 1, 32 >> k, 32 >> k), 4.0 * 2**k) for k in range(3)}
        pooled = pooler(maps, box, [(128, 128)])
        torch.testing.assert_close(pooled, torch.full_like(pooled, run.stride))


def test_a_run_is_measured_as_trained_and_where_it_was_rounded_with_float_pasting(monkeypatch):
    monkeypatch.setattr(ablation, "VALIDATION_IMAGES", 2)
    run = TrainingRun(ROUNDED, 4, 0, 1)
    results = ablation.train_and_evaluate(run)
    assert [result.variant for result in results] == [run.variant, FLOAT_PASTE]
    assert all(0 <= result.AP <= 1 and result.images == 2 for result in results)
    (aligned,) = ablation.train_and_evaluate(replace(run, variant=ROUNDING[-1]))
    assert aligned.variant == ROUNDING[-1]


def test_a_table_takes_its_rows_in_its_order_and_leaves_the_rest():
    results = [
        replace(RESULT, variant=row, stride=stride, steps=steps)
        for row in reversed([*MODELS, FLOAT_PASTE])
        for stride in (8, 4)
        for steps in (10, 20)
    ]
    assert [r.variant for r in select_table("rounding", results, 10)] == list(ROUNDING)
    assert [(r.stride, r.variant) for r in select_table("strides", results, 20)] == [
        (stride, row) for stride in (4, 8) for row in OPERATORS
    ]


def test_lines_give_mean_and_spread_in_hundredths_over_the_seeds():
    first, second = format_results(
        [RESULT, replace(RESULT, seed=1, AP=0.5), replace(RESULT, stride=8)]
    )
    assert "AP  45.0 ± 7.1" in first
    assert "(2 seeds)" in first
    assert "AP  40.0 ± nan" in second


def test_a_gain_is_taken_seed_by_seed_where_both_rows_have_been_trained():
    align = replace(RESULT, variant=ROUNDING[-1], AP=0.5)
    results = [RESULT, replace(align, seed=1), replace(RESULT, seed=1, AP=0.3), align]
    results.append(replace(align, seed=2))
    assert gains(results, "AP", align.variant, POOL) == pytest.approx([0.1, 0.2])


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
    told = consistent_gains({"AP": ap, "AP50": ap50, "AP75": ap75})
    assert told.startswith(said)
    assert ("gains more" in told) == ("gains more" in said)


def recorded(table, stride, later, earlier):
    here = [r for r in select_table(table, read_ablation()) if r.stride == stride]
    return {name: gains(here, name, later, earlier) for name in METRICS}


@pytest.mark.parametrize("stride", TABLES["strides"][1])
@pytest.mark.parametrize("row", [UNALIGNED, ALIGN])
def test_the_record_shows_what_the_page_says_of_roialign_over_roipool(row, stride):
    gained = recorded("strides", stride, row, POOL)
    assert len(gained["AP"]) == 3
    assert min(gained["AP"] + gained["AP75"] + gained["APs"]) > 0
    assert "AP75 gains more" in consistent_gains(gained)
    assert (min(gained["AP50"]) < 0 < max(gained["AP50"])) == (stride == 4)


def test_the_record_shows_what_the_page_says_of_the_half_cell():
    for stride in (4, 16):
        found = recorded("strides", stride, ALIGN, UNALIGNED)["AP"]
        assert min(found) < 0 < max(found)
        assert len(found) == 3
    half = recorded("strides", 16, ALIGN, UNALIGNED)
    assert max(half["APs"]) < 0 < min(half["APm"])


def test_the_record_shows_what_the_page_says_of_the_last_rounding():
    for metric in ("AP", "AP75", "APs"):
        assert min(recorded("rounding", 4, UNALIGNED, ROUNDED)[metric]) > 0
    assert min(pasted := recorded("rounding", 4, FLOAT_PASTE, ROUNDED)["AP"]) > 0
    assert max(pasted) < 0.005
    whole = recorded("rounding", 4, ALIGN, ROUNDED)
    assert min(whole["AP"]) < 0 < max(whole["AP"])
    assert min(whole["APs"]) > 0

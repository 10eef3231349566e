"""Fine-tuning on few pictures: the runs differ in their initial weights and in what is trained."""

import sys
from dataclasses import replace

import pytest
import torch

from roilearn.bench.detectors import fine_tuning
from roilearn.bench.recorded.fine_tuning import (
    ALL_TRAINED,
    BODY_FROZEN,
    METRICS,
    RANDOM,
    VARIANTS,
    FineTuningResult,
    format_fine_tuning,
    read_fine_tuning,
)
from roilearn.bench.recorded.results import write
from roilearn.models import load_model

RESULT = FineTuningResult(
    RANDOM, 0, 10, 24, 1000, 0.4, 0.6, 0.3, 0.5, 80, "a command", "torch 2", "a machine"
)


def test_all_but_the_class_layers_begin_with_the_weights_of_shapes():
    state = load_model("SHAPES")[0].state_dict()
    models = {variant: fine_tuning.make_model(variant, 0).state_dict() for variant in VARIANTS}
    for variant in (ALL_TRAINED, BODY_FROZEN):
        own = models[variant]
        alike = {name for name, value in own.items() if torch.equal(value, state[name])}
        layers = {name.rpartition(".")[0].rpartition(".")[2] for name in set(state) - alike}
        assert layers == {"cls_score", "bbox_pred", "mask_fcn_logits"}
    weight = "backbone.body.conv1.weight"
    assert not torch.equal(models[RANDOM][weight], state[weight])


def test_only_the_frozen_body_is_not_trained():
    for variant in VARIANTS:
        model = fine_tuning.make_model(variant, 0)
        body = [p.requires_grad for p in model.backbone.body.parameters()]
        assert set(body) == {variant != BODY_FROZEN}
        others = [p for n, p in model.named_parameters() if ".body." not in n]
        assert all(p.requires_grad for p in others)
        assert fine_tuning.count_trained(model) >= sum(p.numel() for p in others)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_says_what_was_trained(monkeypatch, variant):
    monkeypatch.setattr(fine_tuning, "VALIDATION_IMAGES", 2)
    result = fine_tuning.train_and_evaluate(variant, 1, 1, "a command")
    assert (result.variant, result.seed, result.steps, result.pictures) == (variant, 1, 1, 24)
    assert all(0 <= getattr(result, name) <= 1 for name in METRICS)
    assert (result.images, result.command) == (2, "a command")


def test_runs_come_seed_by_seed_and_none_twice(monkeypatch, tmp_path, capsys):
    file = tmp_path / "fine_tuning.csv"
    write([RESULT], file, FineTuningResult)
    trained = []

    def train(variant, seed, steps, command):
        trained.append((variant, seed))
        return replace(RESULT, variant=variant, seed=seed, steps=steps, command=command)

    monkeypatch.setattr(fine_tuning, "train_and_evaluate", train)
    arguments = ["fine_tuning", "--steps", "10", "--seeds", "2", "--output", str(file)]
    monkeypatch.setattr(sys, "argv", arguments)
    fine_tuning.main()
    left = [(ALL_TRAINED, 0), (BODY_FROZEN, 0), *((variant, 1) for variant in VARIANTS)]
    assert trained == left
    fine_tuning.main()
    assert trained == left
    assert len(read_fine_tuning(file)) == 6
    assert "AP_boxes 40.0" in capsys.readouterr().out


def test_lines_give_mean_and_spread_in_hundredths_over_the_seeds():
    (line,) = format_fine_tuning([RESULT, replace(RESULT, seed=1, AP_boxes=0.5)])
    assert line.startswith("random weights")
    assert "AP_boxes 45.0 ± 7.1" in line
    assert line.endswith("(seeds: 0, 1)")


def test_the_record_has_every_start_and_seed_once():
    results = read_fine_tuning()
    seeds = {result.seed for result in results}
    held = sorted((result.variant, result.seed) for result in results)
    assert held == sorted((variant, seed) for variant in VARIANTS for seed in seeds)
    assert len({(r.steps, r.pictures, r.images) for r in results}) == 1


def test_the_record_shows_that_trained_weights_are_worth_it_for_every_seed():
    results = read_fine_tuning()
    by_run = {(one.variant, one.seed): one for one in results}
    for seed in {one.seed for one in results}:
        for name in ("AP_boxes", "AP_masks"):
            random = getattr(by_run[RANDOM, seed], name)
            assert getattr(by_run[ALL_TRAINED, seed], name) > random
            assert getattr(by_run[BODY_FROZEN, seed], name) > random

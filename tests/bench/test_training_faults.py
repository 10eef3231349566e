"""A healthy run and six faults: each run has its fault and nothing else, and the record says so."""

import sys
from dataclasses import replace

import pytest
import torch

from roilearn.bench.detectors import training_faults
from roilearn.bench.recorded.results import write
from roilearn.bench.recorded.training_faults import (
    FAULTS,
    HEALTHY,
    LOSSES,
    METRICS,
    FaultLosses,
    FaultResult,
    curve_of,
    format_training_faults,
    read_fault_losses,
    read_training_faults,
)
from roilearn.data import ShapeScenes
from roilearn.models import IMAGE_MEAN, load_model

RESULT = FaultResult(
    HEALTHY, 0, 10, 4, 0.4, 0.6, 0.3, 0.5, 0.4, 0.3, 80, "a command", "torch 2", "a machine"
)
ROW = FaultLosses(HEALTHY, 0, 1, 0.002, 3.0, 0.7, 0.1, 1.4, 0.2, 0.8)


def test_models_of_a_seed_begin_with_the_same_weights_and_the_backbone_of_shapes():
    state = load_model("SHAPES")[0].state_dict()
    healthy = training_faults.make_model(HEALTHY, 3).state_dict()
    for fault in FAULTS:
        own = training_faults.make_model(fault, 3).state_dict()
        other = {name for name, value in own.items() if not torch.equal(healthy[name], value)}
        assert {name.partition(".")[0] for name in other} == (
            {"backbone"} if fault == "frozen" else set()
        )
    for name, value in healthy.items():
        if "num_batches" not in name and value.numel() > 1000:
            assert torch.equal(value, state[name]) is name.startswith("backbone"), name


def test_only_the_frozen_backbone_is_not_trained():
    for fault in (HEALTHY, *FAULTS):
        model = training_faults.make_model(fault, 0)
        frozen = {n.partition(".")[0] for n, p in model.named_parameters() if not p.requires_grad}
        assert frozen == ({"backbone"} if fault == "frozen" else set())
        assert not (frozen and any(p.requires_grad for p in model.backbone.parameters()))


def test_only_one_run_has_another_learning_rate():
    rates = {
        fault: training_faults.settings_of(fault, 0, 10).learning_rate
        for fault in (HEALTHY, *FAULTS)
    }
    assert rates.pop("learning rate") == pytest.approx(0.05)
    assert set(rates.values()) == {0.002}


def test_only_one_model_does_not_normalise():
    for fault in (HEALTHY, *FAULTS):
        mean = training_faults.make_model(fault, 0).transform.image_mean
        assert mean == ([0, 0, 0] if fault == "normalisation" else list(IMAGE_MEAN))


@pytest.mark.parametrize("fault", [HEALTHY, *FAULTS])
def test_a_target_has_the_fault_of_its_name_alone(fault):
    scenes = ShapeScenes(3, seed=1, **training_faults.SCENES)
    faulty = training_faults.FaultyScenes(scenes, fault)
    assert len(faulty) == 3
    for index in range(3):
        (image, target), (_, right) = faulty[index], scenes[index]
        assert torch.equal(image, scenes[index][0])
        changed = {
            name
            for name, value in target.items()
            if name not in right or not (torch.as_tensor(value == right[name])).all()
        }
        wanted = {"labels": {"labels"}, "boxes": {"boxes"}, "positives": {"iscrowd"}}
        assert changed == wanted.get(fault, set())
    if fault == "labels":
        assert target["labels"].tolist() == [1 + label % 3 for label in right["labels"].tolist()]
    if fault == "boxes":
        assert torch.equal(target["boxes"][:, 0], right["boxes"][:, 1])
    if fault == "positives":
        assert target["iscrowd"].all()


@pytest.mark.parametrize("fault", [HEALTHY, *FAULTS])
def test_a_run_says_what_was_trained(monkeypatch, fault):
    monkeypatch.setattr(training_faults, "VALIDATION_IMAGES", 2)
    result, losses = training_faults.train_and_evaluate(fault, 1, 2, "a command")
    assert (result.fault, result.seed, result.steps, result.batch_size) == (fault, 1, 2, 2)
    assert all(0 <= getattr(result, name) <= 1 for name in METRICS)
    assert (result.images, result.command) == (2, "a command")
    assert [row.step for row in losses] == [1, 2]
    assert all(row.loss == sum(getattr(row, name) for name in LOSSES) for row in losses)
    no_positives = [row.loss_mask == row.loss_box_reg == row.loss_rpn_box_reg for row in losses]
    assert no_positives == [fault == "positives"] * 2


def test_losses_are_averaged_between_the_rows():
    log = {name: [float(n) for n in range(25)] for name in ("learning_rate", "grad_norm", *LOSSES)}
    rows = list(training_faults.averaged(HEALTHY, 0, log))
    assert [row.step for row in rows] == [1, 5, 10, 15, 20, 25]
    assert [row.loss_mask for row in rows] == [0, 2.5, 7, 12, 17, 22]
    assert [row.learning_rate for row in rows] == [0, 4, 9, 14, 19, 24]


def test_runs_come_seed_by_seed_and_none_twice(monkeypatch, tmp_path, capsys):
    files = tmp_path / "faults.csv", tmp_path / "curves.csv"
    write([RESULT], files[0], FaultResult)
    write([ROW, replace(ROW, fault="labels")], files[1], FaultLosses)
    trained = []

    def train(fault, seed, steps, command):
        trained.append((fault, seed))
        result = replace(RESULT, fault=fault, seed=seed, steps=steps, command=command)
        return result, [replace(ROW, fault=fault, seed=seed, step=7)]

    monkeypatch.setattr(training_faults, "train_and_evaluate", train)
    arguments = ["training_faults", "--steps", "10", "--output", str(files[0])]
    monkeypatch.setattr(sys, "argv", [*arguments, "--curves", str(files[1])])
    training_faults.main()
    left = [(fault, 0) for fault in FAULTS] + [(fault, 1) for fault in (HEALTHY, *FAULTS)]
    assert trained == left
    training_faults.main()
    assert trained == left
    assert len(read_training_faults(files[0])) == 14
    rows = read_fault_losses(files[1])
    assert [row.step for row in curve_of(rows, "labels")] == [7]
    assert [row.step for row in curve_of(rows, HEALTHY)] == [1]
    assert "AP_boxes 40.0" in capsys.readouterr().out


def test_a_line_gives_the_metrics_in_hundredths():
    (line,) = format_training_faults([RESULT])
    assert line.startswith("healthy        seed 0  AP_boxes 40.0")
    assert line.endswith("own AP boxes 40.0 masks 30.0")


def test_the_record_has_every_run_and_its_losses():
    results, rows = read_training_faults(), read_fault_losses()
    seeds = {result.seed for result in results}
    held = sorted((result.fault, result.seed) for result in results)
    assert held == sorted((fault, seed) for fault in (HEALTHY, *FAULTS) for seed in seeds)
    assert len({(r.steps, r.batch_size, r.images) for r in results}) == 1
    for result in results:
        curve = curve_of(rows, result.fault, result.seed)
        assert [row.step for row in curve] == [1, *range(5, result.steps + 1, 5)]


def test_the_record_shows_what_the_chapter_says():
    for seed in {result.seed for result in read_training_faults()}:
        by_fault = {one.fault: one for one in read_training_faults() if one.seed == seed}
        last = {f: curve_of(read_fault_losses(), f, seed)[-1] for f in (HEALTHY, *FAULTS)}
        healthy = by_fault[HEALTHY]
        assert max(by_fault[fault].AP_boxes for fault in FAULTS) < healthy.AP_boxes
        # the losses are silent on two faults
        assert last["labels"].loss < 1.15 * last[HEALTHY].loss
        assert last["normalisation"].loss < 1.15 * last[HEALTHY].loss
        # and a lower sum of the losses is no better detector
        assert last["positives"].loss < 0.1 * last[HEALTHY].loss
        assert by_fault["positives"].AP_boxes < 0.05
        # measured with the same wrong labels, the wrong labels look right
        assert by_fault["labels"].AP_boxes_own > 0.8 * healthy.AP_boxes

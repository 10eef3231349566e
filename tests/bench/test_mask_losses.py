"""Masks trained with a sigmoid or a softmax: the models differ in nothing else."""

import sys
from dataclasses import replace

import pytest
import torch

from roilearn import ops
from roilearn.bench.detectors import ablation, mask_losses
from roilearn.bench.recorded.ablation import ALIGN, gains
from roilearn.bench.recorded.mask_losses import (
    CLASS_GIVEN,
    MASK_LOSSES,
    METRICS,
    ONE_MAP,
    SIGMOID,
    SOFTMAX,
    MaskLossResult,
    format_mask_losses,
    read_mask_losses,
)
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes

RESULT = MaskLossResult(
    SIGMOID, 0, 10, 4, 0.4, 0.6, 0.5, 0.8, 0.45, 200, "a command", "torch 2", "a machine"
)


def test_models_of_one_seed_begin_with_the_weights_of_the_ablations():
    other = ablation.make_model(ablation.TrainingRun(ALIGN, 4, 3, 10)).state_dict()
    for variant in mask_losses.HEADS:
        own = mask_losses.make_model(variant, 3)
        assert own.roi_heads.options.mask_target_aligned
        assert own.state_dict().keys() == other.keys()
        assert all(torch.equal(other[name], value) for name, value in own.state_dict().items())


@pytest.mark.parametrize(
    ("variant", "maps"), [(SIGMOID, {2, 3}), (SOFTMAX, {0, 1, 2, 3}), (ONE_MAP, {1})]
)
def test_the_loss_reaches_the_maps_that_the_variant_says(variant, maps):
    image, target = next(iter(scenes_with(labels={2, 3})))
    model = mask_losses.make_model(variant, 0).train()
    model([image], [target])["loss_mask"].backward()
    gradient = model.roi_heads.mask_predictor.mask_fcn_logits.bias.grad
    assert set(gradient.nonzero()[:, 0].tolist()) == maps


def scenes_with(labels):
    drawn = ShapeScenes(40, seed=0)
    return (
        (i, t) for i, t in map(drawn.__getitem__, range(40)) if set(t["labels"].tolist()) == labels
    )


def test_a_mask_is_the_softmax_probability_of_its_class():
    torch.manual_seed(0)
    logits, labels = 5 * torch.randn(6, 4, 3, 3), torch.tensor([1, 2, 3, 3, 2, 1])
    torch.testing.assert_close(
        mask_losses.log_odds(logits, labels).sigmoid()[:, 0],
        logits.softmax(1)[range(6), labels],
    )


def test_where_the_class_is_given_only_background_competes_with_it():
    torch.manual_seed(0)
    logits, labels = 5 * torch.randn(6, 4, 3, 3), torch.tensor([1, 2, 3, 3, 2, 1])
    pairs = torch.stack([logits[range(6), labels], logits[:, 0]], 1)
    found = mask_losses.log_odds(logits, labels, class_given=True).sigmoid()
    torch.testing.assert_close(found, pairs.softmax(1)[:, :1])
    assert (found > mask_losses.log_odds(logits, labels).sigmoid()).all()


def test_each_variant_reads_the_masks_of_its_kind():
    maps, boxes = {str(k): torch.randn(1, 48, 32 >> k, 32 >> k) for k in range(3)}, torch.rand(3, 4)
    boxes[:, 2:] += 40
    one, two = torch.tensor([1, 1, 1]), torch.tensor([1, 2, 3])
    given = {v: mask_losses.make_model(v, 0).eval().roi_heads for v in mask_losses.HEADS}
    found = {
        (name, which): heads.predict_masks(maps, [boxes], labels, [(128, 128)])
        for name, heads in given.items()
        for which, labels in (("one", one), ("two", two))
    }
    assert torch.equal(found[ONE_MAP, "two"], found[ONE_MAP, "one"])
    assert torch.equal(found[ONE_MAP, "one"], found[SIGMOID, "one"])
    assert not torch.allclose(found[SIGMOID, "two"], found[SIGMOID, "one"])
    together = sum(
        given[SOFTMAX].predict_masks(maps, [boxes], one * label, [(128, 128)]).sigmoid()
        for label in range(4)
    )
    torch.testing.assert_close(together, torch.ones_like(together))


def test_full_masks_in_true_boxes_have_the_iou_of_the_boxes(monkeypatch):
    scenes = ShapeScenes(5, seed=0)
    model = mask_losses.make_model(SIGMOID, 0)
    full = torch.full((1, 1, 28, 28), 20.0)
    monkeypatch.setattr(
        model.roi_heads, "predict_masks", lambda _, boxes, *__: full.repeat(len(boxes[0]), 1, 1, 1)
    )
    targets = [target for _, target in map(scenes.__getitem__, range(5))]
    shares = torch.cat([t["masks"].flatten(1).sum(1) / ops.box_area(t["boxes"]) for t in targets])
    found = mask_losses.mask_iou_in_true_boxes(model, scenes)
    assert found == pytest.approx(float(shares.mean()), abs=1e-6)


@pytest.mark.parametrize("variant", mask_losses.HEADS)
def test_a_run_says_what_was_trained(monkeypatch, variant):
    monkeypatch.setattr(mask_losses, "VALIDATION_IMAGES", 2)
    results = mask_losses.train_and_evaluate(variant, 1, 1, "a command")
    also = [CLASS_GIVEN] if variant == SOFTMAX else []
    assert [result.variant for result in results] == [variant, *also]
    for result in results:
        assert (result.seed, result.steps, result.batch_size) == (1, 1, 4)
        assert all(0 <= getattr(result, name) <= 1 for name in METRICS)
        assert (result.images, result.command) == (2, "a command")
    assert len({result.AP_boxes for result in results}) == 1


def test_runs_come_in_pairs_seed_by_seed_and_none_twice(monkeypatch, tmp_path, capsys):
    file = tmp_path / "mask_losses.csv"
    write([RESULT, replace(RESULT, variant=SOFTMAX, steps=20)], file, MaskLossResult)
    trained = []

    def train(variant, seed, steps, command):
        trained.append((variant, seed))
        return [replace(RESULT, variant=variant, seed=seed, steps=steps, command=command)]

    monkeypatch.setattr(mask_losses, "train_and_evaluate", train)
    arguments = ["mask_losses", "--steps", "10", "--seeds", "2", "--output", str(file)]
    monkeypatch.setattr(sys, "argv", arguments)
    mask_losses.main()
    left = [(SOFTMAX, 0), (SIGMOID, 1), (SOFTMAX, 1), (ONE_MAP, 0), (ONE_MAP, 1)]
    assert trained == left
    mask_losses.main()
    assert trained == left
    assert len(read_mask_losses(file)) == 7
    assert "AP 40.0" in capsys.readouterr().out


def test_lines_give_mean_and_spread_in_hundredths_over_the_seeds():
    softmax = replace(RESULT, variant=SOFTMAX)
    first, second = format_mask_losses([softmax, replace(RESULT, seed=1, AP=0.5), RESULT])
    assert first.startswith("sigmoid")
    assert "AP 45.0 ± 7.1" in first
    assert "mask_iou 80.0 ± 0.0" in first
    assert "(seeds: 0, 1)" in first
    assert "AP 40.0 ± nan" in second


def test_the_record_has_every_variant_and_seed_once():
    results = read_mask_losses()
    held = sorted((r.variant, r.seed) for r in results)
    assert held == sorted((variant, seed) for variant in MASK_LOSSES for seed in range(3))
    assert len({(r.steps, r.batch_size, r.images, r.versions) for r in results}) == 1


def test_the_record_shows_the_sigmoid_ahead_of_the_softmax_in_every_seed():
    results = read_mask_losses()
    for name in ("AP", "AP75", "mask_iou"):
        for softmax in (SOFTMAX, CLASS_GIVEN):
            assert min(gains(results, name, SIGMOID, softmax)) > 0
        assert min(gains(results, name, CLASS_GIVEN, SOFTMAX)) > 0


def test_the_record_shows_no_direction_between_one_map_and_a_map_for_each_class():
    gained = gains(read_mask_losses(), "AP", SIGMOID, ONE_MAP)
    assert min(gained) < 0 < max(gained)

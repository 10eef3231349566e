"""Ideas that plug in: what is measured, that variants differ in the idea alone, and the record."""

import math
from dataclasses import replace

import pytest
import torch

from roilearn.bench.detectors.extensions import __main__ as command
from roilearn.bench.detectors.extensions import (
    cascade,
    distillation,
    image_pyramid,
    keypoints,
    multi_task,
    runs,
)
from roilearn.bench.recorded.extensions import (
    ExtensionResult,
    differences_by_seed,
    format_extensions,
    read_extensions,
    values_by_seed,
)
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.train import evaluate

SEEDS = range(5)


def row(variant="a", seed=0, value=0.5, metric="AP", idea="cascade", steps=9):
    return ExtensionResult(idea, variant, seed, steps, metric, value, "command", "torch", "machine")


@pytest.fixture
def few_scenes(monkeypatch):
    monkeypatch.setattr(runs, "HELD_OUT", 2)


@pytest.mark.parametrize("name", command.IDEAS)
@pytest.mark.usefixtures("few_scenes")
def test_one_step_of_every_idea_gives_numbers_for_its_last_variant(name):
    idea = command.idea_of(name)
    variant = idea.VARIANTS[-1]
    found = list(command.measure(name, variant, 0, 0 if variant in untrained(idea) else 1))
    assert found
    for one in found:
        assert (one.idea, one.variant, one.seed) == (name, variant, 0)
        assert one.command.endswith(name)
        assert math.isfinite(one.value)
        assert one.value >= 0


def untrained(idea):
    return getattr(idea, "UNTRAINED", ())


@pytest.mark.usefixtures("few_scenes")
def test_metrics_are_those_of_evaluate():
    model = runs.trained_model()
    scenes = ShapeScenes(3, seed=5)
    expected = evaluate(model, scenes, iou_types=("boxes",), progress=False).metrics["boxes"]
    found = runs.box_metrics(model, scenes)
    for name in ("AP", "AP50", "AP75"):
        assert found[name] == pytest.approx(expected[name])
    assert found["AP90"] <= found["AP75"]


def test_stages_of_one_seed_begin_alike_and_differ_in_their_iou_alone():
    made = (cascade.make_model(name, 3).roi_heads for name in cascade.VARIANTS)
    one, beside, equal, rising = made
    first = one.box_head[0].state_dict()
    for other in (beside, equal, rising):
        for name, value in other.box_head[0].state_dict().items():
            torch.testing.assert_close(value, first[name])
    pairs = zip(equal.parameters(), rising.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert (equal.ious, rising.ious) == ((0.5, 0.5, 0.5), (0.5, 0.6, 0.7))
    assert not torch.equal(rising.box_head[0][-2].weight, rising.box_head[1][-2].weight)


@torch.no_grad()
def test_three_heads_that_are_not_in_a_row_are_one_head_where_they_are_alike():
    one, beside = (cascade.make_model(name, 3).eval() for name in cascade.VARIANTS[:2])
    for part in (beside.roi_heads.box_head, beside.roi_heads.box_predictor):
        for other in part[1:]:
            other.load_state_dict(part[0].state_dict())
    one.roi_heads.load_state_dict(
        {k: v for k, v in beside.roi_heads.state_dict().items() if k in one.roi_heads.state_dict()}
    )
    image, target = ShapeScenes(1, runs.SIZE, 1)[0]
    for model in (one, beside):
        model.roi_heads.options = replace(model.roi_heads.options, score_threshold=0.0)
    (expected,), (found,) = one([image]), beside([image])
    torch.testing.assert_close(found["boxes"], expected["boxes"])
    torch.testing.assert_close(found["scores"], expected["scores"])
    losses = beside.train()([image], [target])
    heads = [losses[f"loss_classifier_{k}"] for k in range(3)]
    assert heads[0] > 0
    torch.testing.assert_close(heads[1:], heads[:1] * 2)


def test_a_student_has_a_quarter_of_the_channels():
    student, teacher = runs.small_model(0), runs.trained_model()
    pairs = zip(student.backbone.body.out_channels, teacher.backbone.body.out_channels, strict=True)
    assert {large / small for small, large in pairs} == {4}
    assert teacher.backbone.out_channels == 4 * student.backbone.out_channels
    assert torch.equal(student.backbone.body.conv1.weight,
                       runs.small_model(0).backbone.body.conv1.weight)  # fmt: skip


def test_a_student_of_distillation_is_its_teacher_but_for_its_body_and_what_reads_it():
    student, teacher = distillation.new_student(3), runs.trained_model()
    assert [2 * each for each in student.backbone.body.out_channels] == [
        *teacher.backbone.body.out_channels
    ]
    own, its = student.state_dict(), teacher.state_dict()
    assert own.keys() == its.keys()
    other = {name for name in own if own[name].shape != its[name].shape}
    for name in own.keys() - other:
        if not name.startswith("backbone.body"):
            torch.testing.assert_close(own[name], its[name])
    assert {name for name in other if not name.startswith("backbone.body")} == {
        f"backbone.fpn.inner_blocks.{level}.0.weight" for level in range(3)
    }


def test_perfect_heatmaps_have_an_error_below_two_pixels_and_middles_a_larger_one():
    model = keypoints.make_model(0).eval()
    scenes = keypoints.DerivedTargets(
        ShapeScenes(4, runs.SIZE, 1), keypoints=keypoints.extreme_points
    )
    errors = {"right": [], "middles": []}
    for image, target in map(scenes.__getitem__, range(4)):
        points, boxes = target["keypoints"], target["boxes"]

        def heatmaps(_, found, __, points=points):
            cells, _ = keypoints_targets(points, found[0])
            return 20 * torch.nn.functional.one_hot(cells, 56 * 56).float().unflatten(2, (56, 56))

        model.roi_heads.heatmaps = heatmaps
        errors["right"].append(keypoints.errors_in(model, keypoints.AFTER, image, target))
        errors["middles"].append(keypoints.errors_in(model, keypoints.MIDDLES, image, target))
        assert errors["middles"][-1].shape == (len(boxes), 4)
    right, middles = (torch.cat(each).mean() for each in errors.values())
    assert right < 2 < middles


def keypoints_targets(points, boxes):
    from roilearn.models import keypoint_targets  # noqa: PLC0415

    return keypoint_targets(points, boxes, 56)


def test_a_head_that_knows_the_colours_has_no_error():
    scenes = multi_task.DerivedTargets(ShapeScenes(1, seed=1), attributes=multi_task.mean_colours)
    image, target = scenes[0]
    model = runs.trained_model().eval()
    model.roi_heads.predict_attributes = lambda *_: target["attributes"] + 0.25
    found = multi_task.errors_in(model, image, target)
    torch.testing.assert_close(found, torch.full_like(target["attributes"], 0.25))


@pytest.mark.usefixtures("few_scenes")
def test_pixels_of_a_pyramid_are_counted_in_those_of_the_image():
    assert image_pyramid.measure("96", 0, 0)["pixels"] == pytest.approx(0.5625)
    assert image_pyramid.measure("96, 128 and 192", 0, 0)["pixels"] == pytest.approx(3.8125)


def test_runs_come_seed_by_seed_and_none_twice(monkeypatch, tmp_path, capsys):
    file = tmp_path / "extensions.csv"
    write([row("one stage")], file, ExtensionResult)
    asked = []

    def measure(name, variant, seed, steps):
        asked.append((name, variant, seed, steps))
        return [row(variant, seed, idea=name, steps=steps)]

    monkeypatch.setattr(command, "measure", measure)
    arguments = ["cascade", "keypoints", "--seeds", "2", "--output", str(file)]
    command.main(arguments)
    first = [run for run in asked if run[2] == 0]
    assert asked == [*first, *(run for run in asked if run[2] == 1)]
    assert ("cascade", "one stage", 0, cascade.STEPS) not in asked
    assert ("keypoints", keypoints.BEFORE, 0, 0) in asked
    assert len(asked) == 2 * (len(cascade.VARIANTS) + len(keypoints.VARIANTS)) - 1
    command.main(arguments)
    assert len(asked) == 2 * (len(cascade.VARIANTS) + len(keypoints.VARIANTS)) - 1
    assert len(read_extensions(path=file)) == 2 * len(cascade.VARIANTS) + 2 * len(
        keypoints.VARIANTS
    )
    assert "one stage" in capsys.readouterr().out


def test_an_unknown_idea_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["cascades"])
    assert "invalid choice" in capsys.readouterr().err


def test_lines_have_mean_and_spread_over_the_seeds_under_each_metric():
    rows = [row(seed=1, value=0.25), row(), row(metric="x", value=1.0), row("longer", value=0.125)]
    head, first, second = format_extensions(rows)
    assert head.split() == ["AP", "x"]
    assert first.split() == ["a", "37.5", "+-17.7", "100.0"]  # 12.5 times the square root of 2
    assert second.split() == ["longer", "12.5"]
    (_, only) = format_extensions(rows, ["x"], factor=1)
    assert only.split() == ["a", "1.0"]
    assert values_by_seed(rows, "a", "AP") == [0.5, 0.25]


def test_differences_are_paired_by_seed():
    rows = [row(seed=1, value=0.25), row(), row("b", 0, 0.75), row("b", 1, 0.125)]
    assert differences_by_seed(rows, "b", "a", "AP") == [0.25, -0.125]
    with pytest.raises(ValueError, match="shorter"):
        differences_by_seed(rows[1:], "b", "a", "AP")


@pytest.mark.parametrize("name", command.IDEAS)
def test_the_record_has_every_variant_and_seed(name):
    rows = read_extensions(name)
    held = {(one.variant, one.seed) for one in rows}
    variants = command.idea_of(name).VARIANTS
    assert held == {(variant, seed) for variant in variants for seed in SEEDS}
    assert len({(one.variant, one.seed, one.metric) for one in rows}) == len(rows)

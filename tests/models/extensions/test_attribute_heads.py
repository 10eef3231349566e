"""One more task: its loss, its gradient and its place among the detections."""

import pytest
import torch
from second_stage import (
    CLASSES,
    PROPOSALS,
    SIZES,
    TARGETS,
    ground_truth,
    make_features,
    make_heads,
)
from torch import nn

from roilearn import models


@pytest.fixture
def features():
    return make_features()


def with_attributes(values=0.0, columns=2):
    return [
        target | {"attributes": torch.full((len(target["boxes"]), columns), values)}
        for target in TARGETS
    ]


def make(weight=1.0, **options):
    torch.manual_seed(0)
    plain = make_heads(**options)
    size = plain.box_predictor.cls_score.in_features
    return plain, models.AttributeHeads(plain, nn.Linear(size, 2), weight)


def constant(heads, *values):
    predictor = heads.attribute_predictor
    nn.init.zeros_(predictor.weight)
    predictor.bias.data = torch.tensor(values)
    return heads


def test_the_other_losses_stay_as_they_are(features):
    plain, heads = make()
    found = heads.train()(features, PROPOSALS, SIZES, with_attributes())[1]
    expected = plain.train()(features, PROPOSALS, SIZES, TARGETS)[1]
    assert found.keys() - expected.keys() == {"loss_attributes"}
    for name, loss in expected.items():
        torch.testing.assert_close(found[name], loss)


@pytest.mark.parametrize(("weight", "expected"), [(1.0, 0.3125), (4.0, 1.25)])
def test_the_loss_is_smooth_l1_averaged_over_all_numbers_of_all_positives(
    features, weight, expected
):
    heads = constant(make(weight)[1], 0.5, 1.0).train()  # errors 0.5 and 1: 0.125 and 0.5
    loss = heads(features, PROPOSALS, SIZES, with_attributes(0.0))[1]["loss_attributes"]
    assert loss.item() == pytest.approx(expected)


def test_each_positive_gets_the_numbers_of_its_own_object(features):
    _, heads = make()
    two_objects = ground_truth(SIZES[0], (5, 5, 29, 31), (1, 30, 21, 60))
    targets = [two_objects, ground_truth(SIZES[1], (9, 3, 33, 41))]
    for target in targets:
        target["attributes"] = target["boxes"][:, :2].clone()
    seen = []
    heads.predict_attributes = lambda _, boxes, __: (
        seen.extend(boxes) or torch.zeros(sum(map(len, boxes)), 2)
    )
    torch.manual_seed(0)
    loss = heads.train()(features, PROPOSALS, SIZES, targets)[1]["loss_attributes"]
    samples = torch.cat(seen)
    objects = torch.cat([target["boxes"] for target in targets])
    nearest = models_match(samples, objects)
    expected = nn.functional.smooth_l1_loss(torch.zeros_like(nearest), nearest)
    torch.testing.assert_close(loss, expected)


def models_match(boxes, objects):
    from roilearn import ops  # noqa: PLC0415

    return objects[ops.box_iou(objects, boxes).argmax(0), :2]


def test_without_positives_the_loss_is_zero(features):
    _, heads = make()
    empty = [{name: values[:0] for name, values in target.items()} for target in with_attributes()]
    loss = heads.train()(features, PROPOSALS, SIZES, empty)[1]["loss_attributes"]
    assert loss.item() == 0


def test_detections_have_the_numbers_beside_their_boxes(features):
    heads = constant(make(score_threshold=0.05)[1], 2.0, 3.0).eval()
    found, _ = heads(features, PROPOSALS, SIZES)
    assert any(len(image["labels"]) for image in found)
    for image in found:
        assert image["attributes"].shape == (len(image["boxes"]), 2)
        assert (image["attributes"] == torch.tensor([2.0, 3.0])).all()


def test_targets_without_the_numbers_are_refused(features):
    _, heads = make()
    assert heads.num_classes == CLASSES
    with pytest.raises(ValueError, match="attributes is missing"):
        heads.train()(features, PROPOSALS, SIZES, TARGETS)


@pytest.mark.parametrize("shape", [(1,), (3,), ()])
def test_numbers_of_another_shape_are_refused(features, shape):
    targets = [
        target | {"attributes": torch.zeros(len(target["boxes"]), *shape)} for target in TARGETS
    ]
    with pytest.raises(ValueError, match="attributes of image 0 must have shape"):
        make()[1].train()(features, PROPOSALS, SIZES, targets)


def test_nan_is_named_with_its_row(features):
    targets = with_attributes()
    targets[0]["attributes"][-1, 0] = torch.nan
    row = len(targets[0]["attributes"]) - 1
    with pytest.raises(ValueError, match=rf"attributes of image 0 must be finite.*row {row}"):
        make()[1].train()(features, PROPOSALS, SIZES, targets)

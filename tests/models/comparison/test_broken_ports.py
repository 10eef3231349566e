"""Ports with one mistake: the comparison names the stage of each, and the model stays as it is."""

import copy

import pytest
import torch

from roilearn.data import example_scene
from roilearn.models import broken_port, compare_layers, load_model
from roilearn.models.comparison.broken_ports import FAULTS, PORTS

STAGES = {
    "anchors": "rpn.anchor_generator",
    "level": "roi_heads.box_roi_pool",
    "decoding": "roi_heads",
    "classes": "roi_heads.box_predictor.cls_score",
    "eps": "backbone.body.bn1",
    "colours": "transform",
    "range": "transform",
}


@pytest.fixture(scope="module")
def model():
    return load_model("SHAPES")[0].eval()


@pytest.mark.parametrize("letter", PORTS)
def test_the_first_difference_is_where_the_mistake_is(letter, model):
    image, _ = example_scene()
    before = copy.deepcopy(model.state_dict())
    found = compare_layers(model, broken_port(letter, model), [image])
    assert found.first.name == STAGES[PORTS[letter]]
    assert found.first.input_difference == 0
    assert (found.only_ours, found.only_theirs) == ((), ())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert compare_layers(model, model, [image]).first is None


def test_every_mistake_has_a_port_of_its_own():
    assert sorted(PORTS.values()) == sorted(FAULTS)


def test_another_letter_is_refused(model):
    with pytest.raises(ValueError, match="letter must be"):
        broken_port("H", model)


def test_another_model_is_refused():
    with pytest.raises(TypeError, match="model must be a GeneralizedRCNN; got Linear"):
        broken_port("A", torch.nn.Linear(2, 2))


def test_anchors_change_places_and_keep_their_areas(model):
    right, wrong = (
        one.rpn.anchor_generator((32, 32), [torch.zeros(1, 1, 8 >> k, 8 >> k) for k in range(4)])
        for one in (model, broken_port("A", model))
    )
    sides = [level[:, 2:] - level[:, :2] for level in right]
    turned = [level[:, 2:] - level[:, :2] for level in wrong]
    for one, other in zip(sides, turned, strict=True):
        torch.testing.assert_close(one.flip(1), other)
        assert not torch.equal(one, other)


def test_the_background_of_another_program_is_its_last_row(model):
    rows = model.roi_heads.box_predictor.cls_score.bias
    letter = next(letter for letter, word in PORTS.items() if word == "classes")
    loaded = broken_port(letter, model).roi_heads.box_predictor.cls_score.bias
    assert torch.equal(loaded, torch.cat([rows[1:], rows[:1]]))


def statistics(model):
    return model.transform.image_mean, model.transform.image_std


def test_a_port_with_pixels_of_another_range_finds_background_alone(model):
    image, _ = example_scene()
    letter = next(letter for letter, word in PORTS.items() if word == "range")
    port = broken_port(letter, model)
    batches = [one.transform([image])[0].tensors for one in (model, port)]
    spreads = [batch.amax((0, 2, 3)) - batch.amin((0, 2, 3)) for batch in batches]
    torch.testing.assert_close(spreads[1] * 255, spreads[0], rtol=1e-3, atol=0)
    grey = torch.tensor([-m / d for m, d in zip(*statistics(model), strict=True)])
    torch.testing.assert_close(batches[1].amin((0, 2, 3)), grey, rtol=0, atol=0.02)
    logits = []
    hook = port.roi_heads.box_predictor.cls_score.register_forward_hook(
        lambda _, __, output: logits.append(output)
    )
    with torch.no_grad():
        assert len(port([image])[0]["scores"]) == 0
    hook.remove()
    assert logits[0].argmax(1).eq(0).all()

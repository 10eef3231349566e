"""The stored scene, masks and gradients, against PyTorch: what live figures show without it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from roilearn import reference
from roilearn.data import example_scene
from roilearn.explore import layer_differences
from roilearn.explore.loss_curves import DIAGNOSES, PATIENTS, RECORD
from roilearn.explore.receptive_field import NETWORKS, PROFILES, gradient_shares
from roilearn.explore.scene import (
    HEIGHT,
    OBJECTS,
    SHAPES,
    WIDTH,
    mask_target,
    object_mask,
    scene_masks,
    scene_pixels,
)

TOOLS = Path(__file__).parents[2] / "book" / "tools"
MEASURE = TOOLS / "measure_receptive_fields.py"
PORTS = TOOLS / "measure_port_differences.py"


def tool(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measured():
    return tool(MEASURE).measure(scenes=2, channels=3)


def test_the_background_is_the_example_scene():
    image, _ = example_scene()
    pixels = image.permute(1, 2, 0).numpy() * 255
    assert scene_pixels().shape == (HEIGHT, WIDTH, 3) == pixels.shape
    assert np.abs(scene_pixels() - pixels).mean() < 4  # a JPEG is not exact


def test_the_objects_are_those_of_the_example_scene():
    _, target = example_scene()
    assert [one["box"] for one in OBJECTS] == target["boxes"].tolist()
    assert [one["label"] for one in OBJECTS] == target["labels"].tolist()
    assert [one["name"] for one in OBJECTS] == ["triangle", "square", "disc"]
    assert (scene_masks() == target["masks"].numpy()).all()


def test_the_stored_masks_are_the_scene_s():
    _, target = example_scene()
    for label, mask in zip(target["labels"].tolist(), target["masks"].numpy(), strict=True):
        assert np.array_equal(object_mask(SHAPES[label - 1]), mask)


@pytest.mark.parametrize("shape", ["square", "triangle"])
@pytest.mark.parametrize("side", [7, 14, 28])
def test_the_stored_mask_targets_are_the_reference_s(shape, side):
    mask = object_mask(shape)[None]
    box = reference.masks_to_boxes(mask, exclusive=True)
    target = reference.mask_targets(mask, box, [0], side, aligned=True)[0]
    assert np.abs(mask_target(shape, side) - target).max() <= 0.5 / 255 + 1e-12


@pytest.mark.parametrize("name", ["C2", "C3", "C4"])
def test_stored_gradients_are_those_of_the_trained_network(name, measured):
    """A short measurement gives the same picture but for its noise."""
    stored, short = PROFILES[name], measured[name]
    assert all(stored[key] == short[key] for key in ("first", "square", "side"))
    shares = [np.sqrt(gradient_shares(one)).ravel() for one in (stored, short)]
    assert np.corrcoef(shares)[0, 1] > 0.95


@pytest.mark.parametrize("name", ["C2", "C3", "C4"])
def test_no_gradient_is_outside_the_field(name):
    layers = reference.resnet_layers(*NETWORKS["tiny"].values())[int(name[1]) - 2]
    field, profile = reference.receptive_field(layers), PROFILES[name]
    starts = profile["first"] + profile["square"] * np.arange(profile["side"])
    inside = (starts + profile["square"] > field.start) & (starts < field.start + field.size)
    assert inside.all()
    assert gradient_shares(profile).sum() == pytest.approx(1)


def test_the_stored_differences_of_ports_are_those_of_the_models():
    """Up to rounding, which other versions of PyTorch do in another order; None is another size."""
    stored, measured = layer_differences.RECORD, tool(PORTS).measure()
    assert {key: stored[key] for key in ("stages", "detections")} == {
        key: measured[key] for key in ("stages", "detections")
    }
    for letter, port in stored["ports"].items():
        now = measured["ports"][letter]
        assert (port["fault"], port["detections"]) == (now["fault"], now["detections"])
        for one, other in zip(port["rows"], now["rows"], strict=True):
            assert one["verdict"] == other["verdict"]
            pair = [
                -1 if each["difference"] is None else each["difference"] for each in (one, other)
            ]
            assert pair[0] == pytest.approx(pair[1], rel=0.05)


def test_the_stored_losses_are_those_of_the_record():
    spec = importlib.util.spec_from_file_location(
        "store", MEASURE.with_name("store_loss_curves.py")
    )
    store = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(store)
    assert store.collect() == RECORD, "stale: python book/tools/store_loss_curves.py"
    assert set(PATIENTS.values()) == set(RECORD["runs"]) - {"healthy"}
    assert set(DIAGNOSES) == set(PATIENTS)

"""The stored scene and gradients, against PyTorch: what the live figures show without it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from roilearn import reference
from roilearn.data import example_scene
from roilearn.explore.receptive_field import NETWORKS, PROFILES, gradient_shares
from roilearn.explore.scene import HEIGHT, OBJECTS, WIDTH, scene_masks, scene_pixels

MEASURE = Path(__file__).parents[2] / "book" / "tools" / "measure_receptive_fields.py"


@pytest.fixture(scope="module")
def measured():
    spec = importlib.util.spec_from_file_location(MEASURE.stem, MEASURE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.measure(scenes=2, channels=3)


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

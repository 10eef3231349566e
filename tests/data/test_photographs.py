"""Photographs and textures: there without a network, in two sets that share nothing."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from roilearn.data.shape_scenes import photographs

SETS = ("train", "held out")
OFFLINE = """
import socket, sys
def refuse(*arguments): raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = refuse
from roilearn.data.shape_scenes.photographs import load_photographs, load_textures
print([len(load(w)) for w in ("train", "held out") for load in (load_photographs, load_textures)])
print(sorted({"skimage", "sklearn", "pooch"} & sys.modules.keys()))
"""


@pytest.fixture
def ramp(monkeypatch):
    """A photograph of which red grows to the right and green downwards, one a pixel."""
    pixels = np.zeros((160, 240, 3), np.uint8)
    pixels[..., 0] = np.arange(240)
    pixels[..., 1] = np.arange(160)[:, None]
    picture = Image.fromarray(pixels)
    monkeypatch.setattr(photographs, "load_photographs", lambda _: (picture,))


def test_everything_is_in_the_wheels_and_opens_without_a_network():
    printed = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=True
    ).stdout
    counts = [len(names[which]) for which in SETS for names in (TABLES)]
    assert printed.splitlines() == [str(counts), "[]"]


TABLES = (photographs.PHOTOGRAPHS, photographs.TEXTURES)


def test_no_file_serves_for_training_and_for_measuring():
    files = [{name for table in TABLES for name in table[which]} for which in SETS]
    assert not files[0] & files[1]
    assert [sum(len(table[which]) for table in TABLES) for which in SETS] == [
        len(names) for names in files
    ]


@pytest.mark.parametrize("which", SETS)
def test_textures_have_mean_zero_and_deviation_one(which):
    for texture in photographs.load_textures(which):
        assert texture.ndim == 2
        assert texture.mean() == pytest.approx(0, abs=1e-3)
        assert texture.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.usefixtures("ramp")
@pytest.mark.parametrize("size", [(40, 100), (100, 40), (64, 64)])
def test_a_crop_keeps_the_proportions_of_the_photograph(size):
    random = np.random.default_rng(3)
    slopes = []
    for _ in range(40):
        crop = photographs.crop_photograph(random, size) * 255
        across = np.diff(crop[..., 0], axis=1)[:, 5:-5].mean()
        down = np.diff(crop[..., 1], axis=0)[5:-5].mean()
        assert abs(across) == pytest.approx(down, rel=0.06)
        slopes.append(across)
    most = min(240 / size[1], 160 / size[0])
    assert max(np.abs(slopes)) <= most * 1.03
    assert max(np.abs(slopes)) > 1 + 0.8 * (most - 1)
    assert min(np.abs(slopes)) < 1.1  # from the photograph's own pixels
    assert 8 < sum(slope < 0 for slope in slopes) < 32  # mirrored


@pytest.mark.usefixtures("ramp")
def test_a_crop_larger_than_the_photograph_is_enlarged():
    crop = photographs.crop_photograph(np.random.default_rng(0), (320, 300))
    assert crop.shape == (320, 300, 3)
    assert np.ptp(crop[..., 1]) * 255 == pytest.approx(159, abs=2)


def test_crops_lie_from_0_to_1_and_follow_their_generator():
    first, same, other = (
        photographs.crop_photograph(np.random.default_rng(seed), 32) for seed in (1, 1, 2)
    )
    assert first.dtype == np.float32
    assert 0 <= first.min() < first.max() <= 1
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_a_texture_repeats_beyond_its_edges(monkeypatch):
    texture = np.arange(12.0).reshape(3, 4)
    monkeypatch.setattr(photographs, "load_textures", lambda _: (texture,))
    crop = photographs.crop_texture(np.random.default_rng(0), (7, 9))
    np.testing.assert_array_equal(crop[3:], crop[:-3])
    np.testing.assert_array_equal(crop[:, 4:], crop[:, :-4])
    assert sorted(crop[:3, :4].ravel()) == list(range(12))


def test_an_unknown_set_is_named():
    with pytest.raises(ValueError, match="split must be one of 'train', 'held out'; got 'test'"):
        photographs.load_photographs("test")


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(ImportError, match=r"no_such_package, which is not installed.*train"):
        photographs.open_packaged_image("no_such_package/data/a.png")

"""Scenes: what the target says is what is painted, and the same for ever."""

import numpy as np
import pytest
import torch

from roilearn import ops
from roilearn.data import ShapeScenes, summarise_scenes
from roilearn.data.shape_scenes import photographs, scenes
from roilearn.data.shape_scenes.summary import linear_accuracy

HELD_OUT = ShapeScenes(300, photographs="held out", seed=5)


def same(one, other):
    """Whether two items are equal in every bit."""
    (image, target), (other_image, other_target) = one, other
    return torch.equal(image, other_image) and all(
        torch.equal(target[name], other_target[name]) for name in ("boxes", "labels", "masks")
    )


@pytest.fixture
def plain(monkeypatch):
    """No photograph behind the shapes and no texture on them."""

    def black(_random, size, _which):
        return np.zeros((*size, 3), np.float32)

    monkeypatch.setattr(scenes, "crop_photograph", black)
    monkeypatch.setattr(scenes, "crop_texture", lambda *arguments: black(*arguments)[..., 0])


def test_a_scene_depends_on_the_seed_and_its_number_alone():
    scenes = ShapeScenes(50, seed=3)
    later = scenes[17]
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 - the global generator must not matter
    assert same(ShapeScenes(18, seed=3)[17], later)
    assert not same(scenes[16], later)
    assert not same(ShapeScenes(50, seed=4)[17], later)


def test_the_two_sets_have_no_shapes_in_common():
    """A seed for both would show the model, while it learns, where the measured shapes lie."""
    sets = [ShapeScenes(20, photographs=which) for which in ("train", "held out")]
    placed = [{shape for index in range(20) for shape in each.scene(index).shapes} for each in sets]
    assert not placed[0] & placed[1]


@pytest.mark.parametrize("size", [128, (72, 150)])
def test_a_target_is_in_the_agreed_form(size):
    height, width = (size, size) if isinstance(size, int) else size
    for index in range(20):
        image, target = ShapeScenes(20, size)[index]
        assert image.shape == (3, height, width)
        assert image.dtype == torch.float32
        assert image.is_contiguous()
        assert 0 <= image.min() < image.max() <= 1
        objects = len(target["labels"])
        assert 2 <= objects <= 5
        assert target["masks"].shape == (objects, height, width)
        assert target["masks"].dtype == torch.uint8
        assert target["labels"].dtype == torch.int64
        assert 1 <= target["labels"].min() <= target["labels"].max() <= 3
        assert target["image_id"] == index
        assert torch.equal(target["boxes"], ops.masks_to_boxes(target["masks"], exclusive=True))


def test_later_shapes_cover_earlier_ones_and_a_quarter_of_each_is_seen():
    for index in range(60):
        scene = HELD_OUT.scene(index)
        whole = [shape.mask(HELD_OUT.size) for shape in scene.shapes]
        hidden = np.zeros(HELD_OUT.size, dtype=bool)
        for mask, visible in zip(whole[::-1], scene.visible[::-1], strict=True):
            np.testing.assert_array_equal(visible, mask & ~hidden)
            assert visible.sum() >= 0.6 * mask.sum()
            hidden |= mask


def test_a_scene_and_its_item_show_the_same_shapes():
    for index in range(5):
        scene, (_, target) = HELD_OUT.scene(index), HELD_OUT[index]
        np.testing.assert_array_equal(target["masks"], scene.visible)
        names = [HELD_OUT.shapes[label - 1] for label in target["labels"]]
        assert names == [shape.name for shape in scene.shapes]


@pytest.mark.usefixtures("plain")
def test_what_the_masks_say_is_what_is_painted():
    """Away from outlines a mask holds one colour, and outside all of them is no paint."""
    for index in range(20):
        image, target = ShapeScenes(20, (90, 130))[index]
        edges = near_an_outline(ShapeScenes(20, (90, 130)).scene(index).shapes, (90, 130))
        colours = []
        for mask in target["masks"].bool():
            painted = image[:, mask & ~edges]
            assert torch.equal(painted, painted[:, :1].expand_as(painted))
            colours.append(painted[:, 0])
        assert len(torch.stack(colours).unique(dim=0)) == len(colours)
        assert not image[:, ~target["masks"].bool().any(0) & ~edges].any()


def near_an_outline(placed, size):
    """Pixels that the outline of some shape crosses: they are painted in part."""
    whole = tuple(slice(0, side) for side in size)
    return torch.from_numpy(np.any([abs(s.distance(whole)) < 0.5 for s in placed], axis=0))


@pytest.mark.parametrize("which", ["train", "held out"])
def test_scenes_of_one_set_look_at_no_file_of_the_other(monkeypatch, which):
    asked = set()
    for name in ("load_photographs", "load_textures"):
        real = getattr(photographs, name)
        monkeypatch.setattr(
            photographs, name, lambda which, real=real: asked.add(which) or real(which)
        )
    ShapeScenes(1, photographs=which)[0]
    assert asked == {which}


def test_the_numbers_that_make_the_task_worth_learning():
    numbers = summarise_scenes(HELD_OUT)
    assert numbers.scenes == 300
    assert numbers.overlapped >= 0.5
    assert numbers.radii[1] / numbers.radii[0] > 4.9
    assert 8 <= numbers.radii[0] <= numbers.radii[1] <= 40
    assert all(abs(share - 1 / 3) < 0.05 for share in numbers.classes.values())
    assert numbers.colour_accuracy < 1 / 3 + 0.06
    assert "300 scenes" in str(numbers)


def test_sizes_are_spread_evenly_over_octaves():
    radii = [shape.radius for index in range(300) for shape in HELD_OUT.scene(index).shapes]
    octaves = np.log2(radii) - 3
    share = np.histogram(octaves, 3, (0, np.log2(5)))[0] / len(radii)
    assert (abs(share - 1 / 3) < 0.08).all()


def test_the_classifier_would_notice_a_colour_that_gives_the_class_away():
    classes = np.arange(600) % 3
    colours = np.random.default_rng(0).random((600, 3))
    assert linear_accuracy(colours, classes) < 0.45
    assert linear_accuracy(colours + 0.7 * np.eye(3)[classes], classes) > 0.8


def test_without_crowding_fewer_overlap_and_radii_are_kept():
    options = {"objects": (2, 2), "radii": (5.0, 6.0)}
    sparse = summarise_scenes(ShapeScenes(80, crowding=0, **options))
    dense = summarise_scenes(ShapeScenes(80, crowding=1, **options))
    assert sparse.overlapped < 0.15
    assert dense.overlapped > 0.8
    assert dense.shapes == 160
    assert 5 <= dense.radii[0] <= dense.radii[1] <= 6


def test_other_shapes_have_labels_in_the_order_of_their_names():
    scenes = ShapeScenes(10, shapes=("cross", "ring"))
    for index in range(10):
        labels = scenes[index][1]["labels"].tolist()
        names = [shape.name for shape in scenes.scene(index).shapes]
        assert names == [("cross", "ring")[label - 1] for label in labels]


def test_shapes_too_small_to_hold_a_pixel_are_left_out():
    image, target = ShapeScenes(1, 32, radii=(1e-3, 1e-3))[0]
    assert image.shape == (3, 32, 32)
    assert target["boxes"].shape == (0, 4)
    assert target["masks"].shape == (0, 32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count must be at least 1; got 0"),
        ({"size": (0, 4)}, "size must be at least 1"),
        ({"photographs": "test"}, "photographs must be one of 'train', 'held out'; got 'test'"),
        ({"shapes": ("disc", "star")}, "shapes must be one of 'disc', .*; got 'star'"),
        ({"shapes": ()}, r"shapes must name at least one; got \(\)"),
        ({"objects": (5, 2)}, "objects must be two positive numbers, the smaller first"),
        ({"radii": (0, 4)}, "radii must be two positive numbers, the smaller first"),
        ({"crowding": 2}, "crowding must lie from 0 to 1; got 2"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ShapeScenes(**{"count": 3, **options})


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_is_named(index):
    with pytest.raises(IndexError, match=f"there are scenes 0 to 2; got {index}"):
        ShapeScenes(3)[index]

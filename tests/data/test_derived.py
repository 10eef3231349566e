"""More entries for targets: mean colours and extreme points of drawn objects."""

import torch

from roilearn.data import DerivedTargets, ShapeScenes, box_fill, extreme_points, mean_colours


def test_the_items_are_the_same_with_more_in_their_targets():
    scenes = ShapeScenes(3, size=64)
    more = DerivedTargets(scenes, count=lambda image, target: len(target["boxes"]) + len(image))
    assert len(more) == 3
    image, target = more[1]
    assert torch.equal(image, scenes[1][0])
    assert target["count"] == len(target["boxes"]) + 3
    assert "count" not in scenes[1][1]
    assert target.keys() == {*scenes[1][1], "count"}


def test_a_mean_colour_is_that_of_the_visible_pixels_alone():
    image = torch.zeros(3, 4, 6)
    image[0, :, :3], image[2, :, 3:] = 0.5, 1.0
    masks = torch.zeros(2, 4, 6, dtype=torch.uint8)
    masks[0, 1:3, 1:3], masks[1, 0, 2:4] = 1, 1
    found = mean_colours(image, {"masks": masks})
    assert found.tolist() == [[0.5, 0, 0], [0.25, 0, 0.5]]


def test_fill_is_the_share_of_the_box_that_is_visible():
    masks = torch.zeros(2, 6, 8, dtype=torch.uint8)
    masks[0, 1:3, 1:5], masks[1, 0, 0] = 1, 1
    boxes = torch.tensor([[1.0, 1, 5, 5], [0, 0, 1, 2]])
    assert box_fill(torch.zeros(3, 6, 8), {"masks": masks, "boxes": boxes}).tolist() == [[0.5]] * 2


def test_extreme_points_are_centres_of_the_outermost_pixels():
    mask = torch.zeros(1, 7, 9, dtype=torch.uint8)
    mask[0, 1, 4] = mask[0, 2:5, 3:6] = mask[0, 3, 1:8] = mask[0, 6, 5] = 1
    (points,) = extreme_points(torch.zeros(3, 7, 9), {"masks": mask})
    assert points.tolist() == [[4.5, 1.5, 1], [7.5, 3.5, 1], [5.5, 6.5, 1], [1.5, 3.5, 1]]


def test_of_a_whole_side_the_middle_pixel_counts():
    mask = torch.zeros(1, 7, 9, dtype=torch.uint8)
    mask[0, 2:5, 3:8] = 1
    (points,) = extreme_points(torch.zeros(3, 7, 9), {"masks": mask})
    assert points[:, :2].tolist() == [[5.5, 2.5], [7.5, 3.5], [5.5, 4.5], [3.5, 3.5]]


def test_extreme_points_touch_the_four_sides_of_the_box():
    scenes = ShapeScenes(5, seed=3)
    for image, target in map(scenes.__getitem__, range(5)):
        points = extreme_points(image, target)
        x1, y1, x2, y2 = target["boxes"].unbind(1)
        assert torch.equal(points[:, 0, 1], y1 + 0.5)
        assert torch.equal(points[:, 1, 0], x2 - 0.5)
        assert torch.equal(points[:, 2, 1], y2 - 0.5)
        assert torch.equal(points[:, 3, 0], x1 + 0.5)


def test_a_scene_without_objects_has_no_rows():
    empty = {"masks": torch.zeros(0, 5, 5, dtype=torch.uint8)}
    assert extreme_points(torch.zeros(3, 5, 5), empty).shape == (0, 4, 3)
    assert mean_colours(torch.zeros(3, 5, 5), empty).shape == (0, 3)


def test_a_hidden_object_has_points_that_do_not_count():
    masks = torch.zeros(2, 5, 5, dtype=torch.uint8)
    masks[1, 2, 3] = 1
    points = extreme_points(torch.zeros(3, 5, 5), {"masks": masks})
    assert not points[0].any()
    assert points[1].tolist() == [[3.5, 2.5, 1]] * 4

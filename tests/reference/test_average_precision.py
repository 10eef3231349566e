"""COCO's average precision in cases small enough to work out by hand."""

import numpy as np
import pytest

from roilearn import reference
from roilearn.reference.boxes.iou import region_ious
from roilearn.reference.detection.detection_matching import AREA_RANGES, MAX_DETECTIONS

PLAIN = np.zeros(4, bool)


def image(boxes, labels=None, **more):
    boxes = np.array(boxes, float).reshape(-1, 4)
    return {
        "boxes": boxes,
        "labels": np.ones(len(boxes), int) if labels is None else labels,
        **more,
    }


def detected(boxes, scores, labels=None):
    return image(boxes, labels, scores=np.array(scores, float))


def row(count, size=10, gap=40):
    """Squares beside each other."""
    return [[gap * k, 0, gap * k + size, size] for k in range(count)]


def numbers(detections, targets, iou_type="boxes"):
    return reference.average_precision(detections, targets, iou_type)


def test_the_objects_themselves_are_worth_one():
    for size, letter in ((10, "s"), (40, "m"), (100, "l")):
        boxes = row(3, size, 120)
        found = numbers([detected(boxes, [0.3, 0.2, 0.1])], [image(boxes)])
        empty = {f"{kind}{other}" for kind in ("AP", "AR") for other in "sml" if other != letter}
        assert {name for name, value in found.items() if value == -1} == empty
        assert found["AR1"] == pytest.approx(1 / 3)
        full = found.keys() - empty - {"AR1"}
        assert all(found[name] == pytest.approx(1) for name in full)


def test_no_detection_is_worth_nothing_and_no_object_no_number():
    found = numbers([detected([], [])], [image(row(2))])
    assert found["AP"] == found["AR100"] == found["APs"] == 0
    found = numbers([detected(row(2), [0.9, 0.8])], [image([])])
    assert set(found.values()) == {-1.0}


def test_the_mean_is_over_classes_that_have_objects():
    boxes = row(2)
    target = image(boxes, np.array([1, 2]))
    found = numbers([detected([boxes[0], [9, 9, 19, 19]], [0.9, 0.8], np.array([1, 3]))], [target])
    assert found["AP"] == pytest.approx(0.5)  # class 3 is nowhere: it counts neither way


@pytest.mark.parametrize(
    ("height", "thresholds"), [(4.9, 0), (5, 1), (7.4, 5), (7.5, 6), (9.5, 10)]
)
def test_each_threshold_that_the_overlap_reaches_counts(height, thresholds):
    found = numbers([detected([[0, 0, 10, height]], [0.9])], [image([[0, 0, 10, 10]])])
    assert found["AP"] == pytest.approx(thresholds / 10)
    assert found["AP50"] == (thresholds > 0)
    assert found["AP75"] == (thresholds > 5)


def test_a_second_detection_of_an_object_is_wrong():
    """Right, wrong, right: precisions 1, 1/2, 2/3, of which the last holds from recall 1/2 on."""
    first, second = row(2)
    found = numbers([detected([first, first, second], [0.9, 0.8, 0.7])], [image([first, second])])
    assert found["AP"] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    assert found["AR100"] == 1


def test_an_object_goes_to_the_best_detection_that_overlaps_it_not_to_the_nearest():
    target = image([[0, 0, 10, 10]])
    found = numbers([detected([[0, 0, 10, 6], [0, 0, 10, 10]], [0.9, 0.8])], [target])
    assert found["AP50"] == pytest.approx(1)
    assert found["AP75"] == pytest.approx(0.5)


def test_of_equal_scores_the_first_image_comes_first():
    right, wrong = detected(row(1), [0.5]), detected([[90, 90, 99, 99]], [0.5])
    both = [image(row(1)), image([])]
    assert numbers([right, wrong], both)["AP"] == pytest.approx(1)
    assert numbers([wrong, right], both[::-1])["AP"] == pytest.approx(0.5)


def test_any_number_of_detections_may_lie_in_a_crowd_and_none_of_them_counts():
    crowd = [100, 0, 200, 100]
    inside = [[110, 10, 120, 20], [130, 10, 140, 20], [150, 10, 160, 20]]
    target = image([*row(1), crowd], iscrowd=np.array([0, 1]))
    found = numbers([detected([*inside, *row(1)], [0.9, 0.8, 0.7, 0.6])], [target])
    assert found["AP"] == pytest.approx(1)
    beside = [[195, 10, 205, 20]]  # half inside is enough for a threshold of 0.5 and no other
    found = numbers([detected([*beside, *row(1)], [0.9, 0.6])], [target])
    assert found["AP50"] == pytest.approx(1)
    assert found["AP75"] == pytest.approx(0.5)
    assert found["AP"] == pytest.approx(0.55)


def test_an_object_that_counts_goes_before_one_that_overlaps_more_and_does_not():
    overlap, optional = np.array([[0.9, 0.6]]), np.array([True, False])
    assert reference.match_detections(overlap, PLAIN[:2], optional, 0.5).tolist() == [1]
    assert reference.match_detections(overlap, PLAIN[:2], optional, 0.7).tolist() == [0]


def test_a_detection_finds_the_object_that_it_overlaps_most():
    overlap, none = np.array([[0.6, 0.9, 0.7], [0.8, 0.9, 0.6]]), np.zeros(3, bool)
    assert reference.match_detections(overlap, none, none, 0.5).tolist() == [1, 0]


def test_of_equal_overlaps_the_last_object_is_taken():
    overlap = np.array([[0.7, 0.7], [0.7, 0.7], [0.7, 0.7]])
    assert reference.match_detections(overlap, PLAIN[:2], PLAIN[:2], 0.5).tolist() == [1, 0, -1]


def test_an_area_on_a_border_is_of_both_sizes():
    found = numbers([detected([[0, 0, 32, 32]], [0.9])], [image([[0, 0, 32, 32]])])
    assert found["APs"] == found["APm"] == pytest.approx(1)
    assert found["APl"] == -1


def test_the_size_of_an_object_is_its_area_if_that_is_given():
    target = image([[0, 0, 40, 40]], area=np.array([900.0]))
    found = numbers([detected([[0, 0, 40, 40]], [0.9])], [target])
    assert (found["APs"], found["APm"]) == (pytest.approx(1), -1)


def test_a_detection_of_another_size_that_finds_nothing_does_not_count():
    small, large = [0, 0, 10, 10], [200, 200, 400, 400]
    found = numbers([detected([large, small], [0.9, 0.8])], [image([small])])
    assert found["AP"] == pytest.approx(0.5)
    assert found["APs"] == pytest.approx(1)


def test_only_the_best_hundred_of_a_class_in_an_image_are_looked_at():
    wrong = [[500, k, 510, k + 10] for k in range(MAX_DETECTIONS[-1])]
    scores = [*np.linspace(0.9, 0.5, len(wrong)), 0.1]
    assert numbers([detected([*wrong, *row(1)], scores)], [image(row(1))])["AR100"] == 0
    assert numbers([detected([*wrong[1:], *row(1)], scores[1:])], [image(row(1))])["AR100"] == 1
    labels = np.array([2] * len(wrong) + [1])
    assert numbers([detected([*wrong, *row(1)], scores, labels)], [image(row(1))])["AR100"] == 1


def test_masks_are_compared_pixel_by_pixel():
    """An L that fills three quarters of its box overlaps the box by 1 and its mask by 3/4."""
    corner, whole = np.ones((1, 8, 8), bool), np.ones((1, 8, 8), bool)
    corner[0, :4, :4] = False
    target = image([[0, 0, 8, 8]], masks=corner)
    found = {**detected([[0, 0, 8, 8]], [0.9]), "masks": whole}
    assert numbers([found], [target])["AP"] == pytest.approx(1)
    by_masks = numbers([found], [target], "masks")
    assert (by_masks["AP75"], by_masks["AP"]) == (pytest.approx(1), pytest.approx(0.6))
    np.testing.assert_array_equal(reference.mask_iou(corner, whole), [[0.75]])


def test_the_overlap_with_a_crowd_is_the_share_of_the_detection():
    small, large = np.zeros((2, 1, 4, 4), bool)
    small[:, 0, :2], large[:] = True, True
    assert region_ious(small, large, np.array([True]), "masks") == 1
    assert region_ious(small, large, np.array([False]), "masks") == 2 / 16
    assert region_ious(large, small, np.array([True]), "masks") == 2 / 16


def test_an_empty_mask_overlaps_nothing():
    assert reference.mask_iou(np.zeros((1, 3, 3)), np.zeros((1, 3, 3))) == 0


def test_the_areas_meet():
    assert [high for _, high in list(AREA_RANGES.values())[1:-1]] == [
        low for low, _ in list(AREA_RANGES.values())[2:]
    ]


@pytest.mark.parametrize(
    ("detections", "targets", "words"),
    [
        ([], [image([])], "an entry for each of targets; got 0 entries for 1"),
        ([detected(row(2), [0.9])], [image([])], r"scores must have shape \(2,\)"),
        ([detected(row(1), [np.nan])], [image([])], "scores must be finite"),
        ([detected(row(1), [1], np.array([1, 2]))], [image([])], "labels must have a row"),
        (
            [detected(row(1), [1])],
            [image(row(2), iscrowd=np.array([0]))],
            "iscrowd must have shape",
        ),
        ([detected(row(1), [1])], [image(row(2), area=np.array([0]))], "areas must have shape"),
        ([detected(row(1), [1])], [image(row(1), area=np.array([np.nan]))], "finite and not neg"),
        ([detected(row(1), [1])], [image(row(1), area=np.array([np.inf]))], "finite and not neg"),
        ([detected(row(1), [1])], [image(row(1), area=np.array([-1]))], "not negative.* got -1"),
        (
            [detected(row(1), [1])],
            [image(row(1), iscrowd=np.array([np.nan]))],
            "iscrowd must be 0 or 1; got nan in row 0",
        ),
        ([detected(row(1), [1], np.array([1.7]))], [image(row(1))], "whole numbers.*got 1.7 in"),
        ([detected(row(1), [1], np.array([np.nan]))], [image(row(1))], "whole numbers.*got nan"),
        ([detected(row(1), [1], np.array([np.inf]))], [image(row(1))], "whole numbers.*got inf"),
        ([image(row(1))], [image(row(1))], "detections must have boxes, labels, scores; scores is"),
        ([detected(row(1), [1])], [{"labels": np.ones(1)}], "targets must have boxes, labels; box"),
    ],
)
def test_what_does_not_fit_is_named(detections, targets, words):
    with pytest.raises(ValueError, match=words):
        numbers(detections, targets)


def test_regions_are_boxes_or_masks():
    with pytest.raises(ValueError, match="iou_type must be one of 'boxes', 'masks'; got 'segm'"):
        numbers([detected(row(1), [1])], [image(row(1))], "segm")


@pytest.mark.parametrize(
    ("found", "target", "words"),
    [
        (np.full((1, 4, 4), 0.3), np.ones((1, 4, 4)), "detections' masks must contain only 0 and"),
        (np.ones((1, 4, 4)), np.full((1, 4, 4), 255), "targets' masks must contain only 0 and 1"),
        (np.ones((1, 4, 4)), np.ones((1, 4, 5)), r"height and width.*\(4, 4\) and \(4, 5\)"),
    ],
)
def test_masks_are_zeros_and_ones_of_one_size(found, target, words):
    detections = {"masks": found, "labels": np.ones(1), "scores": np.ones(1)}
    with pytest.raises(ValueError, match=words):
        numbers([detections], [{"masks": target, "labels": np.ones(1)}], "masks")


def test_masks_of_no_objects_have_any_size():
    detections = {"masks": np.ones((1, 4, 4)), "labels": np.ones(1), "scores": np.ones(1)}
    target = {"masks": np.zeros((0, 1, 1)), "labels": np.zeros(0)}
    assert numbers([detections], [target], "masks")["AP"] == -1


@pytest.mark.parametrize("shapes", [((2,), 2, 2), ((1, 2), 1, 2), ((1, 2), 2, 1)])
def test_overlaps_have_a_column_for_each_object(shapes):
    ious, *counts = shapes
    with pytest.raises(ValueError, match="a column for each object"):
        reference.match_detections(np.ones(ious), *(np.zeros(n, bool) for n in counts), 0.5)

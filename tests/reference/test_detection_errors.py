"""Kinds of detection errors: they partition the detections, and mending never lowers the AP."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roilearn import reference
from roilearn.reference.detection.detection_errors import BACKGROUND_IOU
from roilearn.reference.detection.mended_detections import METRICS

OBJECT = [0, 0, 20, 10]


def image(boxes, labels, scores=None):
    found = {"boxes": np.array(boxes, float).reshape(-1, 4), "labels": np.array(labels, int)}
    return found if scores is None else found | {"scores": np.array(scores, float)}


def kinds(boxes, labels, scores, objects=(OBJECT,), classes=(1,), **options):
    return reference.detection_errors(
        image(boxes, labels, scores), image(objects, classes), **options
    )


@pytest.mark.parametrize(
    ("box", "label", "kind"),
    [
        ([0, 0, 20, 5], 1, "right"),  # an IoU of exactly 0.5
        ([0, 0, 20, 4.9], 1, "misplaced"),
        ([0, 0, 20, 5], 2, "wrong class"),
        ([0, 0, 20, 4.9], 2, "both"),
        ([0, 0, 20, 1], 1, "misplaced"),  # exactly 0.1
        ([0, 0, 20, 1], 2, "both"),
        ([0, 0, 20, 0.9], 1, "background"),
        ([30, 0, 50, 10], 1, "background"),
    ],
)
def test_one_number_and_one_comparison_give_the_kind(box, label, kind):
    errors = kinds([box], [label], [0.9])
    assert errors.kinds == [kind]
    assert errors.found.tolist() == [kind == "right"]
    assert errors.missed.tolist() == [kind in {"both", "background"}]


def test_the_second_detection_of_an_object_is_a_duplicate_whatever_its_iou():
    exact, worse = OBJECT, [0, 0, 20, 6]
    assert kinds([exact, worse], [1, 1], [0.4, 0.6]).kinds == ["duplicate", "right"]
    assert kinds([exact, worse], [1, 1], [0.6, 0.6]).kinds == ["right", "duplicate"]
    assert kinds([worse, exact], [1, 1], [0.6, 0.5], threshold=0.75).kinds == ["misplaced", "right"]


def test_the_object_that_is_overlapped_most_decides():
    objects, classes = [OBJECT, [0, 8, 20, 18]], [1, 2]
    errors = kinds([[0, 7, 20, 17]], [1], [0.9], objects, classes)
    assert (errors.kinds, errors.nearest.tolist()) == (["wrong class"], [1])
    assert errors.missed.tolist() == [True, False]


def test_a_right_detection_names_the_object_that_it_finds():
    objects, classes = [OBJECT, [0, 1, 20, 9]], [1, 2]
    errors = kinds([[0, 1, 20, 9]], [1], [0.9], objects, classes)  # overlaps the second more
    assert (errors.kinds, errors.nearest.tolist()) == (["right"], [0])
    assert errors.missed.tolist() == [False, True]


def test_without_objects_all_is_background_and_without_detections_all_is_missed():
    errors = kinds([OBJECT], [1], [0.9], [], [])
    assert (errors.kinds, errors.nearest.tolist(), errors.missed.size) == (["background"], [-1], 0)
    errors = kinds([], [], [], [OBJECT], [1])
    assert (errors.kinds, errors.missed.tolist()) == ([], [True])


def test_masks_are_compared_where_they_are_asked_for():
    masks = np.zeros((2, 4, 4), bool)
    masks[0, :2], masks[1] = True, True
    found = {"masks": masks[:1], "labels": [1], "scores": [0.9]}
    errors = reference.detection_errors(found, {"masks": masks[1:], "labels": [1]}, "masks")
    assert errors.kinds == ["right"]
    wider = reference.detection_errors(found, {"masks": masks[1:], "labels": [1]}, "masks", 0.6)
    assert wider.kinds == ["misplaced"]


def test_crowds_and_unknown_names_are_refused():
    crowd = image([OBJECT], [1]) | {"iscrowd": [1]}
    with pytest.raises(ValueError, match="targets must have no crowds"):
        reference.detection_errors(image([], [], []), crowd)
    with pytest.raises(ValueError, match="iou_type must be one of"):
        reference.detection_errors(image([], [], []), image([], []), "outlines")
    with pytest.raises(ValueError, match="kind must be one of"):
        reference.mend("right", image([], [], []), image([], []), kinds([], [], []))
    with pytest.raises(ValueError, match="metric must be one of"):
        reference.mended_average_precision([], [], metric="AP")


@pytest.mark.parametrize("threshold", [0, 0.1, 1.01, float("nan")])
def test_thresholds_that_leave_a_kind_empty_are_refused(threshold):
    with pytest.raises(ValueError, match=r"threshold must be above 0\.1 and up to 1"):
        kinds([OBJECT], [1], [0.9], threshold=threshold)


def test_an_iou_of_one_may_be_asked_for():
    assert kinds([OBJECT, [0, 0, 20, 9]], [1, 1], [0.9, 0.8], threshold=1).kinds == [
        "right",
        "misplaced",
    ]


def test_broken_scores_and_masks_of_two_sizes_are_refused():
    for scores in ([], [0.9, 0.8]):
        with pytest.raises(ValueError, match="scores must have shape"):
            kinds([OBJECT], [1], scores)
    with pytest.raises(ValueError, match="scores must be finite"):
        kinds([OBJECT], [1], [float("nan")])
    found = {"masks": np.ones((1, 4, 4), bool), "labels": [1], "scores": [0.9]}
    target = {"masks": np.ones((1, 4, 5), bool), "labels": [1]}
    with pytest.raises(ValueError, match="masks of detections and targets must have one size"):
        reference.detection_errors(found, target, "masks")


def test_boxes_of_whole_numbers_get_exact_outlines():
    found = image([[0, 0, 20, 3]], [1], [0.9]) | {"boxes": np.array([[0, 0, 20, 3]])}
    target = image([[0, 0, 20, 9.7]], [1])
    errors = reference.detection_errors(found, target)
    mended, _ = reference.mend("misplaced", found, target, errors)
    assert mended["boxes"].tolist() == [[0, 0, 20, 9.7]]


def test_what_is_said_of_the_whole_image_stays():
    target = image([OBJECT], [1]) | {"orig_size": np.array([30, 40])}
    errors = reference.detection_errors(image([], [], []), target)
    _, rest = reference.mend("missed", image([], [], []), target, errors)
    assert (len(rest["labels"]), rest["orig_size"].tolist()) == (0, [30, 40])
    with pytest.raises(ValueError, match="iou_type must be one of"):
        reference.mend("missed", image([], [], []), target, errors, "outlines")


def test_a_repair_is_given_to_the_best_score_and_the_others_go():
    boxes, scores = [[0, 0, 20, 4], [0, 2, 20, 5], [0, 0, 20, 10]], [0.5, 0.7, 0.3]
    found, target = image(boxes, [1, 1, 2], scores), image([OBJECT], [1])
    errors = reference.detection_errors(found, target)
    mended, same = reference.mend("misplaced", found, target, errors)
    assert mended["boxes"].tolist() == [OBJECT, boxes[2]]
    assert mended["scores"].tolist() == [0.7, 0.3]
    assert same["boxes"].tolist() == [OBJECT]
    mended, _ = reference.mend("wrong class", found, target, errors)
    assert mended["labels"].tolist() == [1, 1, 1]
    assert found["labels"].tolist() == [1, 1, 2]  # what is given stays
    assert mended["boxes"].tolist() == boxes
    for kind in ("both", "duplicate", "background"):
        assert len(reference.mend(kind, found, target, errors)[0]["labels"]) == 3


def test_an_object_that_is_found_already_needs_no_repair():
    found = image([OBJECT, [0, 0, 20, 3]], [1, 1], [0.2, 0.9])
    errors = reference.detection_errors(found, image([OBJECT], [1]))
    assert errors.kinds == ["right", "misplaced"]
    mended, _ = reference.mend("misplaced", found, image([OBJECT], [1]), errors)
    assert mended["scores"].tolist() == [0.2]


def test_a_missed_object_leaves_the_targets_and_their_numbers_stay():
    target = image([OBJECT, [40, 0, 50, 10]], [1, 1]) | {"image_id": np.array(7)}
    found = image([OBJECT], [1], [0.9])
    errors = reference.detection_errors(found, target)
    same, rest = reference.mend("missed", found, target, errors)
    assert same["boxes"].tolist() == [OBJECT]
    assert (rest["boxes"].tolist(), int(rest["image_id"])) == ([OBJECT], 7)


def test_each_metric_has_the_errors_of_its_own_threshold():
    found, target = image([[0, 0, 20, 6]], [1], [0.9]), image([OBJECT], [1])  # an IoU of 0.6
    numbers = reference.mended_average_precision([found], [target])
    assert set(numbers.values()) == {1}
    numbers = reference.mended_average_precision([found], [target], metric="AP75")
    assert [kind for kind, value in numbers.items() if value == 1] == ["misplaced"]


sides = st.integers(0, 3).map(lambda n: 10 * n)
squares = st.tuples(sides, sides, st.integers(4, 14), st.integers(4, 14)).map(
    lambda s: [s[0], s[1], s[0] + s[2], s[1] + s[3]]
)
labelled = st.tuples(squares, st.integers(1, 2), st.integers(0, 5))


@st.composite
def scenes(draw):
    detected, there = draw(st.lists(labelled, max_size=7)), draw(st.lists(labelled, max_size=4))
    found = image([d[0] for d in detected], [d[1] for d in detected], [d[2] / 5 for d in detected])
    return found, image([t[0] for t in there], [t[1] for t in there])


@given(scenes(), st.sampled_from(list(METRICS.values())))
def test_kinds_partition_the_detections_and_objects_are_found_once(scene, threshold):
    found, target = scene
    errors = reference.detection_errors(found, target, threshold=threshold)
    counts = Counter(errors.kinds)
    assert set(counts) <= {"right", *reference.ERROR_KINDS} - {"missed"}
    assert counts.total() == len(found["labels"])
    assert counts["right"] == errors.found.sum()
    assert not (errors.found & errors.missed).any()
    ious = reference.box_iou(found["boxes"], target["boxes"])
    for kind, iou in zip(errors.kinds, ious, strict=True):
        best = iou.max(initial=0)
        assert (kind == "background") == (best < BACKGROUND_IOU)
        assert (kind in {"misplaced", "both"}) <= (best < threshold)
        assert (kind in {"wrong class", "duplicate", "right"}) <= (best >= threshold)


def precision(images, metric):
    found, targets = zip(*images, strict=True)
    return reference.average_precision(found, targets)[metric]


@given(st.lists(scenes(), min_size=1, max_size=2), st.sampled_from(list(METRICS)))
def test_mending_one_kind_never_lowers_the_ap_and_mending_all_makes_it_one(images, metric):
    before = precision(images, metric)
    found, targets = zip(*images, strict=True)
    numbers = reference.mended_average_precision(found, targets, metric=metric)
    assert numbers.pop("as it is") == before
    assert list(numbers) == list(reference.ERROR_KINDS)
    if numbers["missed"] >= 0:  # -1 where no object is left
        assert min(numbers.values()) >= before - 1e-9
    for kind in reference.ERROR_KINDS:
        images = [
            reference.mend(kind, f, t, reference.detection_errors(f, t, threshold=METRICS[metric]))
            for f, t in images
        ]
    assert precision(images, metric) in (-1, pytest.approx(1))

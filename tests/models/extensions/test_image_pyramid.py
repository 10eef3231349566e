"""An image pyramid: detections of several sizes of one image become one list in its pixels."""

import pytest
import torch

from roilearn import models
from roilearn.data import example_scene


def detections(*rows):
    table = torch.tensor(rows)
    return {"labels": table[:, 0].long(), "scores": table[:, 1], "boxes": table[:, 2:]}


@pytest.fixture(scope="module")
def shapes():
    return models.load_model("SHAPES")[0].eval()


def test_of_two_boxes_around_one_object_the_better_stays():
    small = detections((1, 0.6, 0, 0, 10, 10), (2, 0.5, 0, 0, 10, 10), (1, 0.4, 40, 0, 50, 9))
    large = detections((1, 0.9, 0, 0, 10, 9))
    merged = models.merge_detections([small, large])
    assert merged["labels"].tolist() == [1, 2, 1]
    torch.testing.assert_close(merged["scores"], torch.tensor([0.9, 0.5, 0.4]))
    assert merged["boxes"][0].tolist() == [0, 0, 10, 9]


def test_the_threshold_and_the_limit_are_kept():
    pair = detections((1, 0.6, 0, 0, 10, 10)), detections((1, 0.9, 0, 0, 10, 6))
    assert [len(models.merge_detections(pair, t)["scores"]) for t in (0.55, 0.65)] == [1, 2]
    assert models.merge_detections(pair, 0.65, limit=1)["scores"].tolist() == [pytest.approx(0.9)]


def test_what_else_a_detection_has_stays_with_it():
    first = detections((1, 0.6, 0, 0, 10, 10)) | {"masks": torch.full((1, 1, 4, 4), 0.25)}
    other = detections((1, 0.9, 30, 0, 40, 6)) | {"masks": torch.full((1, 1, 4, 4), 0.75)}
    merged = models.merge_detections([first, other])
    assert merged["masks"][:, 0, 0, 0].tolist() == [0.75, 0.25]


@torch.no_grad()
def test_a_pyramid_of_one_size_is_the_detector_itself(shapes):
    image, _ = example_scene()
    (plain,) = shapes([image])
    (found,) = models.ImagePyramid(shapes, [128])([image])
    assert len(plain["scores"]) > 3
    for name, rows in plain.items():
        torch.testing.assert_close(found[name], rows)


@torch.no_grad()
def test_boxes_of_every_size_are_in_the_image_s_pixels(shapes):
    image, target = example_scene()
    (found,) = models.ImagePyramid(shapes, [128, 192])([image])
    best = found["boxes"][:3]
    ious = [max(row) for row in models_iou(target["boxes"], best)]
    assert min(ious) > 0.7
    assert found["masks"].shape[-2:] == image.shape[-2:]


@torch.no_grad()
def test_a_pyramid_merges_the_detections_of_each_of_its_sizes(shapes):
    image, _ = example_scene()
    (found,) = models.ImagePyramid(shapes, [128, 192])([image])
    alone = {}
    for size in (192, 128):  # the size of the fixture comes last
        shapes.transform.min_size = (size,)
        (alone[size],) = shapes([image])
    assert not torch.equal(alone[128]["boxes"][:3], alone[192]["boxes"][:3])
    for name, rows in models.merge_detections([alone[128], alone[192]]).items():
        torch.testing.assert_close(found[name], rows)


def models_iou(boxes, others):
    from roilearn import ops  # noqa: PLC0415

    return ops.box_iou(boxes, others).tolist()


def test_a_size_must_be_a_count(shapes):
    with pytest.raises(ValueError, match="sizes"):
        models.ImagePyramid(shapes, [128, 0])


@torch.no_grad()
def test_the_model_keeps_its_own_size(shapes):
    image, _ = example_scene()
    shapes.transform.min_size = (128,)
    models.ImagePyramid(shapes, [64, 192])([image])
    assert shapes.transform.min_size == (128,)
    with pytest.raises(ValueError, match="images"):
        models.ImagePyramid(shapes, [192])([])
    assert shapes.transform.min_size == (128,)


@pytest.mark.parametrize(("sizes", "error"), [((), ValueError), (128, TypeError)])
def test_sizes_are_a_list_with_at_least_one(shapes, sizes, error):
    with pytest.raises(error, match="sizes"):
        models.ImagePyramid(shapes, sizes)


@pytest.mark.parametrize("missing", ["boxes", "labels", "scores", "masks"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_entry_is_named(missing, which):
    pair = [detections((1, 0.6, 0, 0, 9, 9)) | {"masks": torch.zeros(1, 1, 4, 4)} for _ in "ab"]
    del pair[which][missing]
    with pytest.raises(ValueError, match=rf"found\[{which}\].*{missing} is missing"):
        models.merge_detections(pair)


def test_nothing_to_merge_and_no_limit_are_refused():
    with pytest.raises(ValueError, match="found must have at least one"):
        models.merge_detections([])
    with pytest.raises(ValueError, match="limit"):
        models.merge_detections([detections((1, 0.6, 0, 0, 9, 9))], limit=-1)

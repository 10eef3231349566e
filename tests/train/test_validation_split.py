"""What is learned from and what is measured on: never the same image, and nothing without masks."""

import dataclasses
import json

import pytest

from roilearn.data import ShapeScenes, export_coco, find_annotations, image_folders
from roilearn.train import validation_split
from roilearn.train.checked_coco import open_coco


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    return export_coco(ShapeScenes(4, size=64), tmp_path_factory.mktemp("coco"))


@pytest.fixture
def changed(tmp_path):
    """A way to change all annotations of a file of two scenes; None: to leave them out."""
    file = export_coco(ShapeScenes(2, size=(48, 64)), tmp_path)

    def change(make):
        contents = json.loads(file.read_text(encoding="utf-8"))
        contents["annotations"] = [new for each in contents["annotations"] if (new := make(each))]
        file.write_text(json.dumps(contents), encoding="utf-8")
        return file

    return change


def test_a_folder_is_searched_for_its_annotations(tmp_path, coco):
    assert find_annotations(coco) == find_annotations(coco.parent) == (coco, None)
    assert image_folders(coco) == [coco.parent / "images", coco.parent]
    (tmp_path / "annotations").mkdir()
    file = tmp_path / "annotations" / "train.json"
    file.write_bytes(coco.read_bytes())
    assert find_annotations(tmp_path) == (file, None)
    assert image_folders(file) == [file.parent, tmp_path]
    validation = file.with_name("val.json")
    validation.write_bytes(coco.read_bytes())
    assert find_annotations(tmp_path) == (file, validation)
    file.rename(file.with_name("first.json"))
    with pytest.raises(ValueError, match=r"first\.json, annotations/val\.json"):
        find_annotations(tmp_path)


def test_no_image_is_both_learned_and_measured(coco):
    splits = validation_split.coco_splits(coco, None, seed=1)
    assert len(splits.train) == 3
    assert sorted([*splits.train.indices, *splits.validation.indices]) == [0, 1, 2, 3]
    assert (
        splits.validation.indices
        != validation_split.coco_splits(coco, None, seed=2).validation.indices
    )


def test_few_images_to_validate_on_are_remarked_on(coco):
    few = validation_split.coco_splits(coco, None, seed=1)
    assert few.few_remark().startswith("1 image is held out to validate on, so AP says little")
    few = dataclasses.replace(few, validation_images=["a.png"] * 4)
    assert few.few_remark().startswith("4 images are")
    assert dataclasses.replace(few, validation_images=["a.png"] * 5).few_remark() is None
    assert validation_split.coco_splits(coco, coco, seed=1).few_remark() is None


def test_what_is_held_out_is_named(coco):
    splits = validation_split.coco_splits(coco, None, seed=1)
    (index,) = splits.validation.indices
    assert list(splits.validation_images) == [f"{index:06}.png"]
    said, objects = str(splits).splitlines()
    assert said == f"3 images to train on, 1 to validate on: {index:06}.png"
    assert objects.startswith("objects: ")
    assert objects.endswith("; images of 64 x 64 pixels")
    both = validation_split.coco_splits(coco, coco, seed=1)
    assert str(both).startswith("4 images to train on, 4 to validate on\nobjects: ")
    assert both.source == {k: v for k, v in splits.source.items() if k != "validation images"}


def test_another_file_is_another_source(coco, changed):
    one = validation_split.coco_splits(coco, coco, 0).source
    file = changed(lambda each: each)
    assert validation_split.coco_splits(file, file, 0).source != one


@pytest.mark.parametrize(
    ("scenes", "validation_scenes"), [(0, 1), (1, 0), (validation_split.MAX_SCENES + 1, 1)]
)
def test_a_number_of_scenes_that_cannot_be(scenes, validation_scenes):
    with pytest.raises(
        ValueError, match=r"--(scenes|validation-scenes) must lie from 1 to 10000000"
    ):
        validation_split.scene_splits(scenes, validation_scenes, 0)


def test_boxes_alone_are_enough_unless_other_images_have_masks(changed):
    file = changed(lambda each: {k: v for k, v in each.items() if k != "segmentation"})
    splits = validation_split.coco_splits(file, None, 0)
    assert "masks" not in splits.train[0][1]
    assert splits.source["masks"] == "none"
    with pytest.raises(ValueError, match="must have segmentations, as those to train on have"):
        open_coco(file, masks=True)


def test_no_annotations_are_not_called_boxes_alone(changed):
    file = changed(lambda _: None)
    with pytest.raises(ValueError, match=r"must have objects to train on.* has none: no list of"):
        validation_split.coco_splits(file, None, 0)
    contents = json.loads(file.read_text(encoding="utf-8"))
    del contents["annotations"]
    file.write_text(json.dumps(contents), encoding="utf-8")
    with pytest.raises(ValueError, match="has none: no list of annotations, or an empty one"):
        validation_split.coco_splits(file, None, 0)


def test_nothing_but_crowds_teaches_nothing(changed):
    with pytest.raises(ValueError, match="has nothing but crowds"):
        validation_split.coco_splits(changed(lambda each: {**each, "iscrowd": 1}), None, 0)


def test_keypoints_do_not_stop_a_model_that_learns_none(changed):
    file = changed(lambda each: {**each, "keypoints": [10, 10, 2]})
    assert "keypoints" not in validation_split.coco_splits(file, None, 0).train[0][1]

"""Folders in COCO's format: read back as they were written, and every fault by its name."""

import json
import logging
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from roilearn.data import FAULTS, CocoFolder, ShapeScenes, collate, export_coco, read_image
from roilearn.data.coco import contents
from roilearn.data.images import ORIENTATION

SIZE = (40, 60)  # height, width
SQUARE = [[10, 10, 20, 10, 20, 20, 10, 20]]


class Folder:
    """A folder to put images and records into."""

    def __init__(self, path):
        self.path = path
        self.contents = {
            "images": [],
            "annotations": [],
            "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
        }
        (path / "images").mkdir()

    def image(self, number, name=None, save=True, **more):
        name = name or f"{number}.png"
        if save:
            pixels = np.random.RandomState(number).randint(0, 256, (*SIZE, 3), np.uint8)
            Image.fromarray(pixels).save(self.path / "images" / name)
        size = {"width": SIZE[1], "height": SIZE[0]}
        self.contents["images"].append({"id": number, "file_name": name, **size, **more})
        return self.path / "images" / name

    def object(self, image=1, **more):
        record = {"bbox": [10, 10, 10, 10], "segmentation": SQUARE, "category_id": 3, "iscrowd": 0}
        number = len(self.contents["annotations"]) + 1
        record |= {"id": number, "image_id": image, "area": 90 + number, **more}
        self.contents["annotations"].append(
            {key: value for key, value in record.items() if value is not ...}
        )

    def open(self, **options):
        file = self.path / "annotations.json"
        file.write_text(json.dumps(self.contents))
        return CocoFolder(self.path / "images", file, **options)


def found_in(opened):
    """Counts of what was found, but for the class of which most tests have no object."""
    return {k: v for k, v in opened.faults.counts.items() if v and k != "class without objects"}


@pytest.fixture
def folder(tmp_path):
    """One image with one car on it."""
    made = Folder(tmp_path)
    made.image(1)
    made.object()
    return made


def test_an_item(folder):
    folder.object(category_id=18, iscrowd=1, area=7, bbox=[0.5, 1.5, 30, 20])
    image, target = folder.open()[0]
    pixels = np.array(Image.open(folder.path / "images" / "1.png"))
    np.testing.assert_array_equal((image * 255).round().permute(1, 2, 0), pixels)
    assert image.dtype == torch.float32
    assert target["boxes"].tolist() == [[10, 10, 20, 20], [0.5, 1.5, 30.5, 21.5]]
    assert target["labels"].tolist() == [1, 2]
    assert target["iscrowd"].tolist() == [0, 1]
    assert target["area"].tolist() == [91, 7]
    assert target["image_id"] == 1
    assert target["masks"].shape == (2, *SIZE)
    assert target["masks"][0, 10:20, 10:20].all()
    assert target["masks"][0].sum() == 100
    kinds = {name: value.dtype for name, value in target.items() if name != "image_id"}
    assert kinds == {
        "boxes": torch.float32,
        "labels": torch.int64,
        "masks": torch.uint8,
        "iscrowd": torch.int64,
        "area": torch.float32,
    }


POINTS = [12, 13, 2, 0, 0, 0, 39.25, 15, 1]


def test_keypoints(folder):
    """COCO's are numbers of pixels; the house's lie at the centres of these pixels."""
    folder.object(keypoints=POINTS)
    opened = folder.open()
    assert opened.keypoint_names == ("1", "2", "3")
    keypoints = opened[0][1]["keypoints"]
    assert keypoints.dtype == torch.float32
    assert keypoints.tolist() == [
        [[0, 0, 0]] * 3,  # an object without keypoints: none of them is marked
        [[12.5, 13.5, 2], [0, 0, 0], [39.75, 15.5, 1]],
    ]
    folder.image(2)
    assert folder.open()[1][1]["keypoints"].shape == (0, 3, 3)
    assert not folder.open().faults
    folder.contents["categories"][1]["keypoints"] = ["nose", "left eye", "right eye"]
    assert folder.open().keypoint_names == ("nose", "left eye", "right eye")
    assert "keypoints" not in folder.open(keypoints=False)[0][1]
    folder.contents["annotations"].pop()
    assert "keypoints" not in folder.open()[0][1]
    with pytest.raises(ValueError, match="keypoints=True needs annotations with keypoints"):
        folder.open(keypoints=True)


@pytest.mark.parametrize(
    "keypoints",
    [POINTS[:6], POINTS[:8], "x", {"x": 1}, [*POINTS[:8], 3], [*POINTS[:8], 1.5],
     [*POINTS[:7], None, 1], [*POINTS[:7], float("nan"), 1], [*POINTS[:7], True, 1]],
)  # fmt: skip
def test_bad_keypoints_are_named_and_their_object_left_out(folder, keypoints):
    folder.object(keypoints=POINTS)
    folder.object(keypoints=keypoints)
    opened = folder.open()
    assert found_in(opened) == {"bad keypoints": 1}
    assert len(opened[0][1]["boxes"]) == 2
    assert not folder.open(keypoints=False).faults


def test_keypoints_outside_the_image_are_not_marked(folder):
    height, width = SIZE
    folder.object(keypoints=[width - 0.5, height - 0.5, 2, -0.5, -0.5, 1, 3, 4, 2])
    folder.object(keypoints=[width, 3, 2, 3, height, 2, -1, 3, 1])
    opened = folder.open()
    assert found_in(opened) == {"keypoint outside the image": 1}
    keypoints = opened[0][1]["keypoints"]
    assert keypoints[1].tolist() == [[width, height, 2], [0, 0, 1], [3.5, 4.5, 2]]
    assert not keypoints[2].any()


def test_labels_count_from_1_in_the_order_of_the_ids_or_are_the_ids(folder):
    folder.object(category_id=18)
    opened = folder.open()
    assert opened.names == ("car", "dog")
    assert opened.category_ids == (3, 18)
    opened = folder.open(keep_ids=True)
    assert opened[0][1]["labels"].tolist() == [3, 18]
    assert (opened.names[2], opened.names[17], opened.names[0]) == ("car", "dog", "")
    folder.contents["categories"].append({"id": 0, "name": "cat"})
    assert folder.open().names == ("cat", "car", "dog")
    with pytest.raises(ValueError, match="category ids above 0"):
        folder.open(keep_ids=True)


def test_boxes_alone(folder):
    folder.object(segmentation="nonsense")
    opened = folder.open(masks=False)
    assert len(opened[0][1]["boxes"]) == 2
    assert "masks" not in opened[0][1]
    folder.contents["annotations"] = []
    folder.object(segmentation=..., area=..., iscrowd=...)
    folder.object(segmentation=[], bbox=[1, 1, 4, 5], area=-1)
    opened = folder.open()
    assert not opened.masks
    assert not opened.faults
    assert opened[0][1]["area"].tolist() == [100, 20]


def test_what_is_missing_of_an_object_comes_from_its_mask(folder):
    folder.object(bbox=..., area=...)
    target = folder.open()[0][1]
    assert target["boxes"][1].tolist() == [10, 10, 20, 20]
    assert target["area"][1] == 100


def test_items_go_through_a_transform(folder):
    opened = folder.open(transform=lambda image, target: (1 - image, target))
    assert torch.equal(opened[0][0], 1 - folder.open()[0][0])


def test_images_without_objects_are_kept_unless_unwanted(folder):
    folder.image(2)
    opened = folder.open()
    assert opened.faults.counts["empty image"] == 1
    assert not opened.faults
    target = opened[1][1]
    assert (target["boxes"].shape, target["masks"].shape) == ((0, 4), (0, *SIZE))
    assert len(folder.open(keep_empty=False)) == 1


BAD_OBJECTS = {
    "record that cannot be read": {"image_id": ...},
    "unknown image id": {"image_id": 77},
    "unknown category id": {"category_id": 5},
    "bad box": {"bbox": [1, 2, 3]},
    "box of no area": {"bbox": [10, 10, 0, 10]},
    "box outside the image": {"bbox": [60, 10, 10, 10]},
    "no segmentation": {"segmentation": ...},
    "bad polygon": {"segmentation": [[1, 2, 3, 4]]},
    "bad RLE": {"segmentation": {"size": list(SIZE), "counts": [1, 2, 3]}},
}


@pytest.mark.parametrize("fault", BAD_OBJECTS)
def test_a_bad_object_is_named_and_left_out(folder, fault):
    folder.object(**BAD_OBJECTS[fault])
    opened = folder.open()
    assert found_in(opened) == {fault: 1}
    assert len(opened[0][1]["boxes"]) == 1
    assert fault in str(opened.faults)


@pytest.mark.parametrize(
    "bbox", [None, "1 2 3 4", [1, 2, 3, "x"], [1, 2, 3, float("nan")], [1, 2, float("inf"), 4], {}]
)
def test_boxes_that_are_none(folder, bbox):
    folder.object(bbox=bbox)
    found = found_in(folder.open(masks=False))
    assert found == {"bad box": 1}


def test_records_that_are_none(folder):
    folder.contents["annotations"] += [None, [], "x", {"image_id": [], "category_id": 3}]
    folder.contents["images"] += [None, {"id": 5}, {"id": [], "file_name": "1.png"}]
    folder.contents["categories"] += [None, {"name": "x"}]
    assert found_in(folder.open()) == {"record that cannot be read": 9}


def test_things_given_twice(folder):
    folder.image(1, "other.png")
    folder.object(id=1, area=3)
    folder.contents["annotations"].append({**folder.contents["annotations"][0], "id": 9})
    folder.contents["categories"].append({"id": 3, "name": "van"})
    opened = folder.open()
    assert found_in(opened) == {
        "image id given twice": 1,
        "annotation id given twice": 1,
        "annotation given twice": 1,
        "category id given twice": 1,
    }
    assert opened.names == ("car", "dog")
    assert opened[0][1]["area"].tolist() == [91, 3]


@pytest.mark.parametrize(("crowd", "kept"), [(False, [0, 0]), (True, [0, 1]), (1.0, [0, 1])])
def test_a_crowd_is_0_or_1_or_false_or_true(folder, crowd, kept):
    folder.object(iscrowd=crowd)
    assert folder.open()[0][1]["iscrowd"].tolist() == kept


@pytest.mark.parametrize("crowd", ["x", 2, -1, [], [0]])
def test_any_other_crowd_is_named_and_left_out(folder, crowd):
    folder.object(iscrowd=crowd)
    opened = folder.open()
    assert found_in(opened) == {"bad iscrowd": 1}
    assert f"annotation 2 ({crowd!r}, not 0 or 1)" in str(opened.faults)
    assert opened[0][1]["iscrowd"].tolist() == [0]


def test_nothing_but_crowds_is_named(folder):
    folder.image(2)
    folder.object(image=2, iscrowd=1)
    assert not folder.open().faults
    folder.contents["annotations"][0]["iscrowd"] = 1
    opened = folder.open()
    assert found_in(opened) == {"nothing but crowds": 1, "crowd": 2}
    assert [target["iscrowd"].tolist() for _, target in opened] == [[1], [1]]


@pytest.mark.parametrize(("crowd", "kept"), [("0", 0), ("1", 1), (None, 0)])
def test_a_crowd_in_another_type_is_taken_with_a_note(folder, crowd, kept):
    folder.object(iscrowd=crowd)
    opened = folder.open()
    assert opened[0][1]["iscrowd"].tolist() == [0, kept]
    assert not opened.faults
    assert opened.faults.counts["iscrowd of null" if crowd is None else "number written as text"]


def test_numbers_written_as_text_are_taken_with_one_note_each(folder):
    folder.image(2, width="60", height="40")
    folder.contents["images"][-1]["id"] = "2"
    box, polygon = ["10", "10", "10.0", 10], [[str(number) for number in SQUARE[0]]]
    folder.object(image="2", id="2", category_id="3", bbox=box, segmentation=polygon, area="92")
    opened = folder.open()
    assert not opened.faults
    assert opened.faults.counts["number written as text"] == 2
    target = opened[1][1]
    assert target["boxes"].tolist() == [[10, 10, 20, 20]]
    assert (target["area"].tolist(), target["labels"].tolist()) == ([92], [1])
    assert target["masks"].sum() == 100


def test_ids_that_are_words_stay_words(folder):
    for name in ("007", "7", "a"):
        folder.image(name, f"{name}.png", save=False)
        folder.object(image=name)
    folder.contents["images"] = folder.contents["images"][1:]
    for name in ("007", "7", "a"):
        Image.new("RGB", SIZE[::-1]).save(folder.path / "images" / f"{name}.png")
    folder.contents["annotations"] = folder.contents["annotations"][1:]
    opened = folder.open()
    assert [record.id for record, _ in opened.items] == ["007", 7, "a"]
    assert [len(there) for _, there in opened.items] == [1, 1, 1]


@pytest.mark.parametrize("crumb", [[1, 2, 3, 4], [5, 5], []])
def test_a_crumb_beside_a_polygon_costs_the_crumb(folder, crumb):
    folder.object(segmentation=[crumb, *SQUARE])
    opened = folder.open()
    assert not opened.faults
    assert opened.faults.counts["polygon of fewer than three points"] == 1
    assert opened[0][1]["masks"][1].sum() == 100


@pytest.mark.parametrize("area", [0, 1])
def test_an_area_that_says_nothing_is_computed_from_the_mask(folder, area):
    folder.object(area=area)
    opened = folder.open()
    assert opened[0][1]["area"].tolist() == [91, 100]
    assert opened.faults.counts["area of 0 or 1"] == 1


def test_what_may_surprise_is_noted_without_any_fault(folder, caplog):
    folder.contents["categories"] = [
        {"id": 0, "name": "fruit", "supercategory": "none"},
        {"id": 3, "name": "car", "supercategory": "fruit"},
        {"id": 4, "name": "_background_", "supercategory": "fruit"},
        {"id": 5, "name": "bus", "supercategory": "fruit"},
    ]
    folder.object(iscrowd=1)
    opened = folder.open()
    assert not opened.faults
    assert opened.names == ("car", "_background_", "bus")
    assert opened.faults.counts == {
        "crowd": 1,
        "root class": 1,
        "class without objects": 1,
        "class called background": 1,
        "half of the objects are crowds": 1,
    }
    assert "has no faults; what may surprise" in caplog.text
    assert "1 of 2" in caplog.text


def test_a_file_that_was_asked_for_masks_is_not_read_twice(folder, monkeypatch):
    file, read, loads = folder.path / "annotations.json", [], json.loads
    file.write_text(json.dumps(folder.contents))
    monkeypatch.setattr(contents.json, "loads", lambda text: read.append(text) or loads(text))
    assert contents.has_segmentations(file)
    assert len(CocoFolder(None, file)) == 1
    assert len(read) == 1
    assert len(CocoFolder(None, file)) == 1  # which may have changed what was read
    assert len(read) == 2
    assert contents.has_segmentations(file)
    file.write_text(json.dumps({**folder.contents, "annotations": []}))
    assert not contents.has_segmentations(file)
    assert len(read) == 4


@pytest.mark.parametrize("keep_ids", [False, True])
def test_a_root_is_no_class_and_a_group_of_some_is_one(folder, keep_ids):
    def names(*categories):
        keys = ("id", "name", "supercategory")
        listed = [dict(zip(keys, each, strict=False)) for each in categories]
        folder.contents["categories"] = listed
        return [name for name in folder.open(keep_ids=keep_ids).names if name]

    group = (9, "vehicle", "none")
    assert names(group, (3, "car", "vehicle"), (4, "bus", "vehicle")) == ["car", "bus"]
    assert names((9, "vehicle"), (3, "car", "vehicle")) == ["car"]
    assert names(group, (3, "car", "vehicle"), (4, "cat", "animal")) == ["car", "cat", "vehicle"]
    assert names((3, "car", "car"), (4, "bus", "car")) == ["car", "bus"]  # it has an object
    assert names((3, "car", "none")) == ["car"]
    folder.object(category_id=9)
    assert names(group, (3, "car", "vehicle")) == ["car", "vehicle"]


def test_categories_of_one_name_are_kept_apart(folder):
    folder.contents["categories"] += [
        {"id": 5, "name": "car"}, {"id": 6, "name": "car (7)"}, {"id": 7, "name": "car"}
    ]  # fmt: skip
    folder.object(category_id=5)
    opened = folder.open()
    assert opened.names == ("car", "car (5)", "car (7)", "car (7) (7)", "dog")
    assert found_in(opened) == {"category name given twice": 2}
    assert opened[0][1]["labels"].tolist() == [1, 2]


def test_a_file_listed_twice_is_named_and_kept(folder):
    folder.image(2, "1.png")
    opened = folder.open()
    assert found_in(opened) == {"file listed twice": 1, "empty image": 1}
    assert len(opened) == 2


@pytest.mark.parametrize(("x", "far"), [(0, True), (1, False), (19, False), (20, True)])
def test_a_mask_that_does_not_touch_its_box_is_named_and_kept(folder, x, far):
    """The mask goes from 10 to 20 in x, the box from x to x + 10."""
    folder.object(bbox=[x, 10, 10, 10])
    opened = folder.open()
    fault = "mask far from its box" if far else "box unlike its mask"
    assert found_in(opened) == {fault: 1}
    target = opened[0][1]
    assert target["boxes"][1].tolist() == [x, 10, x + 10, 20]
    assert target["masks"][1].sum() == 100


def test_boxes_are_cut_at_the_edge_and_named_if_far_over_it(folder):
    folder.object(bbox=[-0.5, 35, 10, 5.5])
    folder.object(bbox=[50, 30, 20, 20])
    opened = folder.open(masks=False)
    assert found_in(opened) == {"box over the edge": 1}
    assert opened[0][1]["boxes"][1:].tolist() == [[0, 35, 9.5, 40], [50, 30, 60, 40]]


def test_missing_and_broken_images_are_left_out_with_their_objects(folder):
    folder.image(2, save=False)
    folder.object(image=2)
    folder.image(3, "3.jpg").write_bytes(b"no image")
    whole = folder.image(4, "4.jpg")
    whole.write_bytes(whole.read_bytes()[:-900])
    short = folder.image(5, "5.png")
    short.write_bytes(short.read_bytes()[:-900])
    folder.image(6, "6.png").write_bytes(b"")
    opened = folder.open()
    assert found_in(opened) == {"missing file": 1, "broken image": 4}
    assert len(opened) == 1
    assert "3.jpg" in str(opened.faults)
    assert folder.open(check_pixels=False).faults.counts["broken image"] == 2


def test_the_size_of_the_file_counts(folder):
    folder.image(2, width=600, height=400)
    opened = folder.open()
    assert opened.faults.counts["wrong image size"] == 1
    assert "2.png (600 x 400, is 60 x 40)" in str(opened.faults)
    assert opened[1][1]["masks"].shape == (0, *SIZE)


def test_paths_with_folders_of_either_kind(folder):
    (folder.path / "images" / "a").mkdir()
    folder.image(2, "a/2.png")
    folder.contents["images"][-1]["file_name"] = "a\\2.png"
    assert len(folder.open()) == 2


def test_faults_are_logged_once_and_examples_are_few(folder, caplog):
    for _ in range(9):
        folder.object(category_id=5, area=len(folder.contents["annotations"]))
    with caplog.at_level(logging.WARNING):
        opened = folder.open()
    (record,) = caplog.records
    assert str(opened.faults) in record.getMessage()
    assert opened.faults.counts["unknown category id"] == 9
    assert len(opened.faults.examples["unknown category id"]) == 5
    assert str(opened.faults).splitlines()[0].endswith(", ...")


def test_nothing_left(folder):
    with pytest.raises(FileNotFoundError, match="images must be a folder; there is none"):
        CocoFolder(folder.path / "nowhere", folder.path / "annotations.json")
    with pytest.raises(FileNotFoundError, match="annotations must be a file; there is none"):
        CocoFolder(folder.path / "images", folder.path / "annotations.json")
    folder.contents["annotations"][0]["category_id"] = 99
    with pytest.raises(
        ValueError, match=r"must have objects that can be used[^$]*unknown category"
    ):
        folder.open()
    (folder.path / "images" / "1.png").unlink()
    with pytest.raises(ValueError, match=r"must have images that can be used[^$]*missing file"):
        folder.open()
    folder.contents["images"] = []
    folder.contents["annotations"] = []
    with pytest.raises(ValueError, match=r"Its list of images is empty\.\nFile names"):
        folder.open()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"images": [\n1, 2,}', "stops being so in line 2, column 6"),
        ("", "line 1, column 1"),
        ("\ufeff[]", "no list called images"),
        ("[]", "no list called images"),
        ('{"annotations": []}', "no list called images"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_what_is_no_coco_file(folder, text, words):
    file = folder.path / "bad.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=words):
        CocoFolder(folder.path / "images", file)


def save_turned(path, tag, pixels):
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    Image.fromarray(pixels).save(path, exif=exif)


STORED = np.random.RandomState(0).randint(0, 256, (4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("tag", "upright"),
    [
        (1, STORED),
        (2, STORED[:, ::-1]),
        (3, STORED[::-1, ::-1]),
        (4, STORED[::-1]),
        (5, STORED.swapaxes(0, 1)),
        (6, np.rot90(STORED, -1)),
        (7, STORED[::-1, ::-1].swapaxes(0, 1)),
        (8, np.rot90(STORED)),
        (99, STORED),
    ],
)
def test_images_are_set_upright(tmp_path, tag, upright):
    """EXIF 2.32, orientation: which side of the stored picture is up."""
    save_turned(tmp_path / "turned.png", tag, STORED)
    read = read_image(tmp_path / "turned.png")
    np.testing.assert_array_equal((read * 255).round().permute(1, 2, 0), upright)
    read = read_image(tmp_path / "turned.png", upright=False)
    np.testing.assert_array_equal((read * 255).round().permute(1, 2, 0), STORED)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_grey_that_is_no_number_is_refused(folder, value):
    grey = np.zeros(SIZE, np.float32)
    grey[3, 7] = value
    path = folder.image(2, "2.tif", save=False)
    Image.fromarray(grey).save(path)
    with pytest.raises(ValueError, match=rf"got {value} in row 3, column 7, one of 1 such"):
        read_image(path)
    assert found_in(folder.open()) == {"broken image": 1}


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    first, *others = (Image.new("L", (6, 4), grey) for grey in (40, 80, 120))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=others)
    assert (read_image(tmp_path / "moving.gif") * 255).round().unique().tolist() == [40]


def test_boxes_decide_whether_an_image_is_set_upright(folder):
    """Sizes in the file of a sideways picture say in which of the two the boxes were drawn."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    for number, (width, height) in enumerate([SIZE, SIZE[::-1], (7, 7)], start=2):
        save_turned(folder.image(number, width=width, height=height), 6, pixels)
    opened = folder.open()
    assert [tuple(opened[k][0].shape[1:]) for k in (1, 2, 3)] == [SIZE[::-1], SIZE, SIZE[::-1]]
    found = {k: v for k, v in opened.faults.counts.items() if k in FAULTS}
    assert found == {"image not upright": 1, "wrong image size": 1}


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "transparent P"])
def test_every_kind_of_image_becomes_rgb(tmp_path, mode):
    grey = np.arange(0, 256, 8, np.uint8).reshape(4, 8)
    made = Image.fromarray(grey)
    options = {}
    if mode == "I;16":
        made = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "transparent P":
        made, options = made.convert("P"), {"transparency": bytes(range(200))}
    else:
        made = made.convert("RGB").convert(mode)
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    made.save(path, **options)
    read = (read_image(path) * 255).round().numpy()
    assert read.shape == (3, 4, 8)
    wanted = grey if mode != "1" else np.array(made).astype(int) * 255
    if mode != "P":  # a palette of 216 colours is near, not equal
        np.testing.assert_array_equal(read, np.broadcast_to(wanted, (3, 4, 8)))
    assert read.std() > 50


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's, and not ours to hide
def test_broken_exif_does_not_break_the_picture(tmp_path):
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHI", ORIENTATION, 3, 1)
    Image.fromarray(STORED).save(tmp_path / "broken.jpg", exif=exif)
    assert read_image(tmp_path / "broken.jpg").shape == (3, 4, 6)


@pytest.mark.parametrize("segmentation", ["rle", "polygons"])
def test_what_is_exported_is_read_back(tmp_path, segmentation):
    scenes = ShapeScenes(3, size=(48, 64))
    file = export_coco(scenes, tmp_path, segmentation=segmentation)
    opened = CocoFolder(tmp_path / "images", file)
    assert not opened.faults
    assert opened.names == scenes.shapes
    for (image, target), (old_image, old) in zip(opened, scenes, strict=False):
        assert (image - old_image).abs().max() <= 0.5 / 255 + 1e-6
        for name in ("boxes", "labels", "masks"):
            assert torch.equal(target[name], old[name]), name
        assert torch.equal(target["area"], old["masks"].sum((1, 2)).float())
        assert target["image_id"] == old["image_id"]


def test_an_export_of_an_export_is_the_same_in_every_entry(folder, tmp_path):
    folder.object(iscrowd=1, area=5, bbox=[3.25, 4.5, 7.125, 9.0625], category_id=18)
    folder.object(keypoints=POINTS)
    folder.contents["categories"][0]["keypoints"] = ["nose", "left eye", "right eye"]
    folder.image(2)
    first = folder.open()
    file = export_coco(first, tmp_path / "again", segmentation="polygons")
    second = CocoFolder(tmp_path / "again" / "images", file)
    assert second.names == first.names
    assert second.keypoint_names == first.keypoint_names == ("nose", "left eye", "right eye")
    written = json.loads(file.read_text())["annotations"]
    assert [each["num_keypoints"] for each in written] == [0, 0, 2]
    assert written[2]["keypoints"] == POINTS
    assert len(second) == 2
    for (image, target), (old_image, old) in zip(first, second, strict=False):
        assert torch.equal(image, old_image)
        for name in ("boxes", "labels", "masks", "iscrowd", "area", "keypoints"):
            assert torch.equal(target[name], old[name]), name
    assert ".part" not in [path.suffix for path in (tmp_path / "again").iterdir()]
    with pytest.raises(ValueError, match="segmentation must be one of"):
        export_coco(first, tmp_path, segmentation="mask")


def test_batches(folder):
    folder.image(2)
    loader = torch.utils.data.DataLoader(folder.open(), batch_size=2, collate_fn=collate)
    ((images, targets),) = loader
    assert [len(target["labels"]) for target in targets] == [1, 0]
    assert len(images) == 2

"""Boxes in another format than COCO's are named, and read when one says so."""

import json
from itertools import product

import numpy as np
import pytest
from tool_exports import SIZE, open_export, picture

from roilearn.data import CocoFolder
from roilearn.data.coco.box_formats import as_corners
from roilearn.train import validation_split

WRITTEN = {
    "xyxy": lambda x, y, w, h: [x, y, x + w, y + h],
    "cxcywh": lambda x, y, w, h: [x + w / 2, y + h / 2, w, h],
    "upwards": lambda x, y, w, h: [x, SIZE[1] - y - h, w, h],
}


@pytest.fixture
def rewritten(tmp_path):
    """A way to rewrite all annotations of an export; returns the COCO file."""

    def rewrite(change):
        file = open_export("fiftyone", tmp_path) / "labels.json"
        contents = json.loads(file.read_text(encoding="utf-8"))
        contents["annotations"] = [change(dict(each)) for each in contents["annotations"]]
        file.write_text(json.dumps(contents), encoding="utf-8")
        return file

    return rewrite


def boxes_as(name, masks=True):
    def change(record):
        record["bbox"] = WRITTEN[name](*record["bbox"])
        if not masks:
            del record["segmentation"]
        return record

    return change


@pytest.mark.parametrize("name", WRITTEN)
def test_masks_tell_the_format_of_boxes(rewritten, name):
    file = rewritten(boxes_as(name))
    assert CocoFolder(None, file).likely_format.startswith(f"{name}: ")
    wanted = name if name != "upwards" else "masks"
    with pytest.raises(ValueError, match=rf"are likely {name}: .*0\.9\d so.*--boxes {wanted}\."):
        validation_split.coco_splits(file, None, 0)
    splits = validation_split.coco_splits(file, None, 0, boxes=wanted)
    assert not splits.folder.faults
    x, y, width, height = picture(0)[1][0][2]
    box = splits.folder[0][1]["boxes"][0]
    np.testing.assert_allclose(box, [x, y, x + width, y + height], atol=1)
    assert splits.source["boxes"] == wanted


@pytest.mark.parametrize("name", ["xyxy", "cxcywh"])
def test_without_masks_the_edges_of_the_image_tell(rewritten, name):
    opened = CocoFolder(None, rewritten(boxes_as(name, masks=False)))
    assert opened.likely_format.startswith(f"{name}: ")
    assert "boxes in another format" in str(opened.faults)
    assert CocoFolder(None, rewritten(boxes_as(name, False)), box_format=name).likely_format is None


def test_right_boxes_are_left_alone(rewritten):
    for masks in (True, False):
        file = rewritten(lambda each, masks=masks: each if masks else {**each, "segmentation": []})
        opened = CocoFolder(None, file)
        assert not opened.faults
        assert opened.likely_format is None


@pytest.mark.parametrize(("every", "stops"), [(2, True), (6, False)])
def test_a_share_of_faults_above_the_limit_stops(rewritten, every, stops):
    """Boxes of twice the sides: IoU 1 / 4 with their masks."""

    def change(record):
        if record["id"] % every == 0:
            x, y, width, height = record["bbox"]
            record["bbox"] = [x, y, width / 2, height / 2]
        return record

    file = rewritten(change)
    opened = CocoFolder(None, file)
    assert opened.faults.counts == {"box unlike its mask": 24 // every}
    assert opened.likely_format is None
    if stops:
        with pytest.raises(ValueError, match=r"50% have this: box unlike its mask, .*IoU 0\.2"):
            validation_split.coco_splits(file, None, 0)
    assert validation_split.coco_splits(file, None, 0, max_faults=0.5 if stops else 0.2)


def test_images_resized_after_labelling_stop_a_run(rewritten):
    file = rewritten(lambda each: each)
    contents = json.loads(file.read_text(encoding="utf-8"))
    for image in contents["images"]:
        image |= {"width": 2 * SIZE[0], "height": 2 * SIZE[1]}
    file.write_text(json.dumps(contents), encoding="utf-8")
    with pytest.raises(ValueError, match=r"100% have this: wrong image size, .*192 x 144, is 96"):
        validation_split.coco_splits(file, None, 0)


def test_formats_are_each_others_inverse():
    for name, box in product(WRITTEN, [(3.0, 4.0, 10.0, 20.0), (0.0, 5.0, 1.0, 2.0)]):
        x, y, width, height = box
        expected = (x, y, x + width, y + height)
        assert as_corners(tuple(WRITTEN[name](*box)), name, SIZE[1]) == expected

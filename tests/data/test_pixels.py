"""Grey images of every type keep their brightness; orientation and recorded size agree or not."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from tool_exports import SIZE, open_export, picture

from roilearn.data import CocoFolder, read_image
from roilearn.data.images import ORIENTATION

RAMP = np.linspace(0, 1, 48).reshape(6, 8)


@pytest.mark.parametrize(
    ("white", "kind"),
    [
        (1, np.float32),
        (255, np.float32),
        (65535, np.float32),
        (255, np.int32),
        (4095, np.int32),
        (65535, np.int32),
        (2**20, np.int32),
        (255, np.uint16),
        (4095, np.uint16),
        (65535, np.uint16),
    ],
)
def test_a_ramp_from_black_to_white_is_one_in_every_type(tmp_path, white, kind):
    Image.fromarray((RAMP * white).astype(kind)).save(tmp_path / "ramp.tif")
    read = read_image(tmp_path / "ramp.tif")
    tolerance = 0.003 + 1 / white if kind != np.float32 else 0.003
    torch.testing.assert_close(
        read, torch.from_numpy(RAMP).float().expand(3, -1, -1), rtol=0, atol=tolerance
    )


def test_a_value_between_two_whites_takes_the_larger(tmp_path):
    for largest, white in ((256, 4095), (4096, 65535), (1.5, 255)):
        kind = np.float32 if largest == 1.5 else np.uint16
        Image.fromarray(np.array([[0, largest]], kind)).save(tmp_path / "two.tif")
        assert read_image(tmp_path / "two.tif").max() == pytest.approx(largest / white, abs=0.003)


def test_a_nearly_constant_image_is_named(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    dark = np.full((*SIZE[::-1], 3), 7, np.uint8)
    dark[3, 4] = 10
    Image.fromarray(dark).save(folder / "data" / "shelf-02.png")
    dark[3, 4] = 11
    Image.fromarray(dark).save(folder / "data" / "shelf-03.png")
    opened = CocoFolder(None, folder / "labels.json")
    assert opened.faults.examples["nearly constant image"] == ["shelf-02.png"]
    assert not opened.faults


@pytest.mark.parametrize(
    ("turned", "swapped", "fault", "shape"),
    [
        (False, False, None, SIZE[::-1]),
        (False, True, "image turned after labelling", SIZE[::-1]),
        (True, True, None, SIZE),
        (True, False, "image not upright", SIZE[::-1]),
    ],
)
def test_orientation_against_recorded_width_and_height(tmp_path, turned, swapped, fault, shape):
    folder = open_export("fiftyone", tmp_path)
    exif = Image.Exif()
    exif[ORIENTATION] = 6 if turned else 1
    picture(0)[0].save(folder / "data" / "shelf-00.png", exif=exif)
    contents = json.loads((folder / "labels.json").read_text())
    if swapped:
        contents["images"][0] |= {"width": SIZE[1], "height": SIZE[0]}
    contents["annotations"] = contents["annotations"][2:]
    (folder / "labels.json").write_text(json.dumps(contents))
    opened = CocoFolder(None, folder / "labels.json")
    assert opened[0][0].shape[1:] == shape
    assert [name for name in opened.faults.counts if "image" in name and name != "empty image"] == (
        [fault] if fault else []
    )

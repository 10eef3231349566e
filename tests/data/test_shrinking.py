"""Large images are read at about the size that a model sees, and nothing else changes."""

import json
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tool_exports import SIZE, open_export

from roilearn.data import CocoFolder, Transformed, decode_segmentation, read_image
from roilearn.data.coco.segmentation import decode_columns, run_lengths
from roilearn.data.coco.shrinking import shrunk_mask
from roilearn.data.images import ORIENTATION


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("shrink", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("tag", [1, 6])
def test_a_shrunk_image_has_the_mean_colours(tmp_path, ending, shrink, tag):
    ramp = np.linspace(20, 230, 131)
    pixels = np.stack([np.add.outer(ramp[:90] * 0.4, ramp * 0.6)] * 3, -1).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    path = tmp_path / f"image.{ending}"
    Image.fromarray(pixels).save(path, exif=exif, **({"quality": 98} if ending == "jpg" else {}))
    whole, small = read_image(path), read_image(path, shrink=shrink)
    height, width = whole.shape[1:]
    assert small.shape == (3, -(-height // shrink), -(-width // shrink))
    rows, columns = (side // shrink * shrink for side in (height, width))
    inside = whole[:, :rows, :columns]
    means = inside.unfold(1, shrink, shrink).unfold(2, shrink, shrink).mean((-1, -2))
    if means.numel():
        found = small[:, : means.shape[1], : means.shape[2]]
        torch.testing.assert_close(found, means, rtol=0, atol=0.02)


def test_boxes_masks_and_areas_are_shrunk_with_the_image(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    opened = CocoFolder(None, folder / "labels.json")
    seen = opened.seen_at(SIZE[1] // 2, SIZE[0])
    assert seen.shrink_factor(0) == 2
    assert opened.shrink_factor(0) == 1
    (_, target), (image, small) = opened[0], seen[0]
    assert image.shape[1:] == (SIZE[1] // 2, SIZE[0] // 2)
    assert torch.equal(small["boxes"], target["boxes"] / 2)
    assert torch.equal(small["area"], target["area"] / 4)
    means = torch.nn.functional.avg_pool2d(target["masks"].float(), 2)
    assert torch.equal(small["masks"], (means >= 0.5).byte())
    assert torch.equal(seen[0][1]["masks"], small["masks"])  # as they were kept
    opened.mask_pixels = 1000  # which shrinks the same image to an eighth for evaluation
    assert opened[0][1]["masks"].shape == (2, SIZE[1] // 4, SIZE[0] // 4)
    assert torch.equal(seen[0][1]["masks"], small["masks"])
    opened.mask_pixels = None
    assert opened.seen_at(SIZE[1], SIZE[0]).shrink_factor(0) == 1


def test_an_object_of_one_pixel_is_not_lost(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    contents = json.loads((folder / "labels.json").read_text())
    contents["annotations"][0] |= {
        "segmentation": [[9, 9, 10, 9, 10, 10, 9, 10]],
        "bbox": [9, 9, 1, 1],
    }
    (folder / "labels.json").write_text(json.dumps(contents))
    seen = CocoFolder(None, folder / "labels.json").seen_at(18, 36)
    assert seen.shrink_factor(0) == 4
    assert seen[0][1]["masks"][0].sum() == 1


def test_many_objects_of_a_large_image_need_little_memory(tmp_path):
    """450 objects in 2 megapixels: 900 MB of masks at full size, 14 MB as a model sees them."""
    width, height, count = 1600, 1200, 450
    Image.new("RGB", (width, height), "grey").save(tmp_path / "shelf.jpg")
    objects = []
    for number in range(count):
        x, y = 16 + number % 30 * 50.0, 16 + number // 30 * 70.0
        polygon = [x, y, x + 40, y, x + 40, y + 40, x, y + 40]
        record = {"id": number, "image_id": 1, "category_id": 1, "bbox": [x, y, 40, 40]}
        objects.append({**record, "segmentation": [polygon], "area": 1600})
    image = {"id": 1, "file_name": "shelf.jpg", "width": width, "height": height}
    contents = {
        "images": [image],
        "annotations": objects,
        "categories": [{"id": 1, "name": "plum"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(contents))
    opened = CocoFolder(None, tmp_path / "annotations.json")
    tracemalloc.start()
    _, target = Transformed(opened.seen_at(128, 256), lambda *item: item)[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert target["masks"].shape == (count, 150, 200)
    assert peak < 100e6
    opened.mask_pixels = 2**25
    assert opened.shrink_factor(0) == 8


@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([2, 4, 8]), st.integers(0, 99))
def test_a_mask_is_shrunk_as_its_block_means_say(height, width, factor, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.6
    mask[height // 2, width // 2] = True
    small = decode_segmentation(shrunk_mask(encode(mask), factor))
    whole = [mask[r * factor :, c * factor :][:factor, :factor].mean() >= 0.5
             for r, c in np.ndindex(small.shape)]  # fmt: skip
    if any(whole):
        assert small.ravel().tolist() == whole
    first, last = sorted((seed % width, width // 2))
    columns = decode_columns(encode(mask), first, last + 1)
    np.testing.assert_array_equal(columns, mask[:, first : last + 1])


def encode(mask):
    return run_lengths.encode(np.asfortranarray(mask, np.uint8))

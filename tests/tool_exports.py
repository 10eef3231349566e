"""Small exports as labelling tools write them: twelve pictures of plums and pears each time.

Each function writes a folder and returns it. Ids, names and the fields of the files are as the tool
writes them; the pictures and the words are our own.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (96, 72)  # width, height
PICTURES = 12


def picture(number):
    """Draw a plum or two and a pear; return the image and its objects: name, polygon, box."""
    random = np.random.default_rng(number)
    image = Image.fromarray(random.integers(90, 130, (SIZE[1], SIZE[0], 3), np.uint8))
    draw, objects = ImageDraw.Draw(image), []
    for name, left, colour in (("plum", 6, (90, 30, 110)), ("pear", 52, (170, 180, 40))):
        x, y = left + int(random.integers(0, 8)), int(random.integers(4, 24))
        width, height = int(random.integers(20, 30)), int(random.integers(22, 36))
        points = [(x, y + height / 2), (x + width / 2, y), (x + width, y + height / 2)]
        points.append((x + width / 2, y + height))
        draw.polygon(points, fill=colour)
        flat = [float(number) for point in points for number in point]
        objects.append((name, flat, [float(x), float(y), float(width), float(height)]))
    return image, objects


def contents(names, ids, first=1, numbers=range(PICTURES), categories=None):
    """Make the three lists of a COCO file; ``names`` gives the file name of each picture."""
    images, annotations = [], []
    for index, number in enumerate(numbers):
        size = {"width": SIZE[0], "height": SIZE[1]}
        images.append({"id": index + first, "file_name": names(number), **size, "license": 1})
        for name, polygon, box in picture(number)[1]:
            record = {"id": len(annotations) + first, "image_id": index + first}
            record |= {"category_id": ids[name], "segmentation": [polygon], "bbox": box}
            annotations.append({**record, "area": box[2] * box[3] / 2, "iscrowd": 0})
    listed = categories or [{"id": each, "name": name} for name, each in ids.items()]
    return {"images": images, "categories": listed, "annotations": annotations}


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(text), encoding="utf-8")


def save_pictures(folder, name, numbers=range(PICTURES)):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        picture(number)[0].save(folder / name(number))


def roboflow(folder):
    """COCO segmentation: a folder for each split, a root class with id 0, names with a hash."""
    ids = {"pear": 1, "plum": 2}
    root = [{"id": 0, "name": "fruit-a1b2", "supercategory": "none"}]
    listed = root + [{"id": v, "name": k, "supercategory": "fruit-a1b2"} for k, v in ids.items()]
    for split, numbers in (("train", range(8)), ("valid", range(8, 10)), ("test", range(10, 12))):
        name = "fruit_{}_jpg.rf.0f3c.jpg".format
        save_pictures(folder / split, name, numbers)
        made = contents(name, ids, 0, numbers, listed)
        write(folder / split / "_annotations.coco.json", {"info": {"version": "1"}, **made})
    (folder / "README.dataset.txt").write_text("fruit")
    return folder


def cvat(folder):
    """COCO 1.0 of a task with a subset: bare names, images in a folder of the subset's name."""
    name = "shelf {:02}.png".format
    save_pictures(folder / "images" / "Train", name)
    made = contents(name, {"plum": 1, "pear": 2})
    write(folder / "annotations" / "instances_Train.json", {"licenses": [{"id": 0}], **made})
    return folder


def label_studio(folder):
    r"""COCO with images: ``images\HASH-NAME`` in the file, ids from 0, no sizes lost."""
    name = "1a2b3c4d-shelf_{:02}.png".format
    save_pictures(folder / "images", name)
    made = contents(lambda number: "images\\" + name(number), {"pear": 0, "plum": 1}, 0)
    write(folder / "result.json", {**made, "info": {"contributor": "Label Studio"}})
    return folder


def label_studio_server(folder):
    """The same from a server: its own paths in the file, and the pictures as they once were."""
    save_pictures(folder / "images", "shelf {:02}.png".format)
    path = "/data/upload/7/1a2b3c4d-shelf%20{:02}.png".format
    write(folder / "result.json", contents(path, {"pear": 0, "plum": 1}, 0))
    return folder


def coco_itself(folder):
    """COCO's own layout, with the files of its other tasks."""
    name = "{:012}.jpg".format
    made = {}
    for split, numbers in (("train2017", range(9)), ("val2017", range(9, 12))):
        save_pictures(folder / split, name, numbers)
        made = contents(name, {"plum": 3, "pear": 18}, 1, numbers)
        write(folder / "annotations" / f"instances_{split}.json", made)
        write(folder / "annotations" / f"captions_{split}.json", {**made, "annotations": []})
        write(folder / "annotations" / f"person_keypoints_{split}.json", made)
    return folder


def fiftyone(folder):
    """COCODetectionDataset: ``data`` and ``labels.json``."""
    name = "shelf-{:02}.png".format
    save_pictures(folder / "data", name)
    write(folder / "labels.json", contents(name, {"pear": 1, "plum": 2}))
    return folder


def labelme2coco(folder):
    """labelme's own converter: ``JPEGImages`` is in the names, and a class for the background."""
    name = "shelf_{:02}.jpg".format
    save_pictures(folder / "JPEGImages", name)
    ids = {"_background_": 0, "pear": 1, "plum": 2}
    write(folder / "annotations.json", contents(lambda n: f"JPEGImages/{name(n)}", ids, 0))
    return folder


def labelme2coco_package(folder):
    """The package of that name: paths of the machine on which it ran; images elsewhere."""
    save_pictures(folder / "pictures" / "März", "März {:02}.png".format)
    path = "D:\\labels\\März\\März {:02}.png".format
    write(folder / "dataset.json", contents(path, {"pear": 0, "plum": 1}))
    return folder


EXPORTS = {
    each.__name__: each
    for each in (
        roboflow,
        cvat,
        label_studio,
        label_studio_server,
        coco_itself,
        fiftyone,
        labelme2coco,
        labelme2coco_package,
    )
}
SPLITS = {"roboflow": (8, 2), "coco_itself": (9, 3)}
"""Images to train on and to validate on in exports that say so."""


def open_export(name, folder):
    """Write an export into a folder of its name."""
    return EXPORTS[name](Path(folder) / name)

"""Measure how much gradient reaches the pixels around a cell of the trained SHAPES body.

    python book/tools/measure_receptive_fields.py

A gradient is that of one channel of one cell with respect to the normalised pixels. Its absolute
values are averaged over the three colours, over channels drawn at random, and over cells in the
middle of scenes that are larger than the largest field, so that no padding has a part in it. The
fields of all cells are laid on each other at the cells' own squares. A value is the mean over a
square of a quarter of the stride; the file holds its square root in 255ths of the largest.

Written are `receptive_fields.json`, `example_scene.jpg`, `example_scene.json` (the objects of the
scene, their boxes and masks) and `scene_mask_targets.json` (in 255ths) in `src/roilearn/explore`,
whose live figures load no PyTorch.
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from roilearn import explore
from roilearn.data import ShapeScenes, example_scene
from roilearn.explore.scene import SHAPES
from roilearn.models import load_model
from roilearn.reference import (
    FieldGeometry,
    mask_targets,
    receptive_field,
    resnet_layers,
)

FOLDER = Path(explore.__file__).parent
SIZE = 256  # image pixels along a side; the largest field is 207
SCENES, CELLS, CHANNELS = 16, 3, 8
PARTS = 4  # squares along a side of a cell
SIDES = (7, 14, 28)  # cells along a side of a mask of the scene


def whole_cells(field: FieldGeometry) -> tuple[int, int]:
    """First pixel and size of the field of cell 0, widened to whole squares."""
    square = field.stride // PARTS
    first = field.start // square * square
    end = -(-(field.start + field.size) // square) * square
    return first, end - first


def mean_gradient(
    body: nn.Module, images: Tensor, level: int, field: FieldGeometry, channels: int
) -> np.ndarray:
    """Mean absolute gradient around a cell of map ``level``, (rows, columns) of squares."""
    first, size = whole_cells(field)
    square = field.stride // PARTS
    random = torch.Generator().manual_seed(level)
    middle = images.shape[-1] // field.stride // 2
    cells = [middle - CELLS // 2 + n for n in range(CELLS)]
    total = torch.zeros(size, size, dtype=torch.float64)
    pixels = images.clone().requires_grad_()
    features = body(pixels)[level]
    which = torch.arange(len(images))
    for row in cells:
        for column in cells:
            top, left = row * field.stride + first, column * field.stride + first
            for _ in range(channels):
                channel = torch.randint(features.shape[1], (len(images),), generator=random)
                picked = features[which, channel, row, column].sum()
                (gradient,) = torch.autograd.grad(picked, pixels, retain_graph=True)
                around = gradient[:, :, top : top + size, left : left + size]
                total += around.abs().mean(1).sum(0).double()
    squares = total.reshape(size // square, square, -1, square)
    return squares.mean((1, 3)).numpy() / (len(cells) ** 2 * channels * len(images))


def measure(scenes: int = SCENES, channels: int = CHANNELS) -> dict[str, dict]:
    """Profile of each of C2, C3 and C4, as the file has it."""
    model, _ = load_model("SHAPES")
    model.eval()
    drawn = ShapeScenes(
        scenes, SIZE, seed=7, photographs="held out", radii=(8, 40), objects=(4, 10)
    )
    images = torch.stack([model.transform.normalise(drawn[n][0]) for n in range(scenes)])
    profiles = {}
    for level, layers in enumerate(resnet_layers(3, (2, 2, 2), (3, 3))):
        field = receptive_field(layers)
        mean = mean_gradient(model.backbone.body, images, level, field, channels)
        first, _ = whole_cells(field)
        coded = np.rint(np.sqrt(mean / mean.max()) * 255).astype(np.uint8)
        profiles[f"C{level + 2}"] = {
            "first": first,
            "square": field.stride // PARTS,
            "side": len(coded),
            "roots": base64.b64encode(coded.tobytes()).decode(),
        }
    return profiles


def store_scene() -> None:
    """Write the example scene as a JPEG, for the background of figures."""
    image, _ = example_scene()
    pixels = (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(FOLDER / "example_scene.jpg", quality=88, optimize=True)


def store_objects() -> None:
    """Write the objects of the example scene: of each row of a mask, where it starts and ends."""
    _, target = example_scene()
    objects = []
    for box, label, mask in zip(
        *(target[key] for key in ("boxes", "labels", "masks")), strict=True
    ):
        _, top, _, bottom = edges = [int(edge) for edge in box]
        rows = [row.nonzero()[:, 0].tolist() for row in mask[top:bottom]]
        ends = [[row[0], row[-1] + 1] for row in rows]  # no row has a gap
        objects.append({"name": SHAPES[label - 1], "label": int(label), "box": edges, "rows": ends})
    text = "[\n" + ",\n".join(map(json.dumps, objects)) + "\n]\n"
    (FOLDER / "example_scene.json").write_text(text, encoding="utf-8")


def store_mask_targets() -> None:
    """Write the mask target of each object of the scene in its own box, of three sizes."""
    _, target = example_scene()
    coded: dict[str, dict[int, str]] = {}
    for label, box, mask in zip(
        *(target[key].numpy() for key in ("labels", "boxes", "masks")), strict=True
    ):
        cells = {side: mask_targets(mask[None], [box], [0], side, aligned=True) for side in SIDES}
        coded[SHAPES[label - 1]] = {
            side: base64.b64encode(np.rint(one * 255).astype(np.uint8).tobytes()).decode()
            for side, one in cells.items()
        }
    text = json.dumps(coded, sort_keys=True)
    (FOLDER / "scene_mask_targets.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    store_scene()
    store_objects()
    store_mask_targets()
    text = json.dumps(measure(), indent=1)
    (FOLDER / "receptive_fields.json").write_text(text + "\n", encoding="utf-8")

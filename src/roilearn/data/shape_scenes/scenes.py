"""Scenes of overlapping shapes on photographs, drawn when they are asked for.

A class is an outline and nothing else: colour, texture, size, angle and place are drawn without
looking at it. Later shapes cover earlier ones, and a target holds what is left to be seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from roilearn.arguments import check_choice, check_count, check_fraction, check_output_size
from roilearn.data.shape_scenes.photographs import PHOTOGRAPHS, crop_photograph, crop_texture
from roilearn.data.shape_scenes.signed_distances import SIGNED_DISTANCES, Shape
from roilearn.ops import masks_to_boxes

TRIES = 20
"""Places tried for each shape before a scene goes without it."""


@dataclass(frozen=True)
class Scene:
    """Shapes from back to front, and (n, H, W) which pixels of each are to be seen."""

    shapes: tuple[Shape, ...]
    visible: np.ndarray


class ShapeScenes(Dataset):
    """Images of 2 to 5 overlapping shapes. Scene i depends on the options and i, on nothing else.

    Parameters
    ----------
    count : number of scenes.
    size : side of the square images in pixels, or (height, width).
    seed : another seed, other scenes.
    photographs : ``"train"`` or ``"held out"``: backgrounds and textures, which share no file.
    shapes : names of the classes, from ``SIGNED_DISTANCES``; the first has label 1.
    objects : fewest and most shapes in a scene; fewer where there is no room for more.
    radii : smallest and largest radius in pixels, of the circle around a shape, drawn
        log-uniformly. By default 1/16 and 5/16 of the shorter side: 8 and 40 pixels of 128.
    crowding : share of the shapes that are put against another one on purpose.
    min_visible : share of every shape that the ones in front leave to be seen. Of a shape that
        is hidden by more than half, even we cannot always say what it is.

    Returns
    -------
    ``scenes[i]`` is an image, (3, H, W) float32 from 0 to 1, and a target: ``boxes`` (n, 4)
    float32 x1, y1, x2, y2 in pixels around what is to be seen, ends exclusive; ``labels`` (n,)
    int64 from 1; ``masks`` (n, H, W) uint8; ``image_id``, which is i.

    Raises
    ------
    ValueError: an unknown shape or set of photographs; a size, count or radius that is not
        positive; ranges the wrong way round.
    IndexError: an index outside the scenes.

    Examples
    --------
    >>> scenes = ShapeScenes(100, size=(96, 128))
    >>> image, target = scenes[7]
    >>> image.shape, target["masks"].shape[1:]
    (torch.Size([3, 96, 128]), torch.Size([96, 128]))
    >>> torch.equal(image, ShapeScenes(8, size=(96, 128))[7][0])
    True
    """

    def __init__(
        self,
        count: int,
        size: int | tuple[int, int] = 128,
        seed: int = 0,
        photographs: str = "train",
        shapes: Sequence[str] = ("disc", "square", "triangle"),
        *,
        objects: tuple[int, int] = (2, 5),
        radii: tuple[float, float] | None = None,
        crowding: float = 0.5,
        min_visible: float = 0.6,
    ) -> None:
        check_choice("photographs", photographs, tuple(PHOTOGRAPHS))
        if not shapes:
            raise ValueError(f"shapes must name at least one; got {shapes!r}.")
        for name in shapes:
            check_choice("shapes", name, tuple(SIGNED_DISTANCES))
        self.count = check_count("count", count)
        self.size = check_output_size(size, name="size")
        shorter = min(self.size)
        self.radii = radii or (shorter / 16, 5 * shorter / 16)
        check_range("radii", self.radii)
        check_range("objects", objects)
        self.seed, self.photographs = seed, photographs
        self.shapes, self.objects = tuple(shapes), objects
        self.crowding = check_fraction("crowding", crowding)
        self.min_visible = check_fraction("min_visible", min_visible)

    def __len__(self) -> int:
        """Count the scenes."""
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        """Draw scene ``index``: its image and its target."""
        random = self._random(index)
        scene = self._place(random)
        image = self._paint(scene.shapes, random)
        masks = torch.from_numpy(scene.visible)
        labels = [self.shapes.index(shape.name) + 1 for shape in scene.shapes]
        target = {
            "boxes": masks_to_boxes(masks, exclusive=True),
            "labels": torch.tensor(labels, dtype=torch.int64),
            "masks": masks.byte(),
            "image_id": index,
        }
        return torch.from_numpy(image).permute(2, 0, 1).contiguous(), target

    def scene(self, index: int) -> Scene:
        """Shapes of scene ``index`` as they were placed, without painting them."""
        return self._place(self._random(index))

    def _random(self, index: int) -> np.random.Generator:
        if not 0 <= index < self.count:
            raise IndexError(f"there are scenes 0 to {self.count - 1}; got {index}.")
        which = tuple(PHOTOGRAPHS).index(self.photographs)  # no shapes of one set in the other
        return np.random.default_rng((self.seed, index, which))

    def _place(self, random: np.random.Generator) -> Scene:
        """Put shapes down one after another where no earlier one gets hidden too much."""
        wanted = random.integers(self.objects[0], self.objects[1] + 1)
        shapes: list[Shape] = []
        visible = np.zeros((0, *self.size), dtype=bool)
        whole = np.zeros(0)  # pixels of each shape before anything covers it
        for _ in range(wanted):
            name = self.shapes[random.integers(len(self.shapes))]
            radius = self.radii[0] * (self.radii[1] / self.radii[0]) ** random.random()
            for _ in range(TRIES):  # other places, not another size: large ones fit less often
                shape = self._put(name, radius, random, shapes)
                mask = shape.mask(self.size)
                left = np.concatenate([visible & ~mask, mask[None]])
                areas = np.append(whole, mask.sum())
                seen = left.sum((1, 2))
                if (seen > 0).all() and (seen >= self.min_visible * areas).all():
                    shapes.append(shape)
                    visible, whole = left, areas
                    break
        return Scene(tuple(shapes), visible)

    def _put(
        self, name: str, radius: float, random: np.random.Generator, shapes: Sequence[Shape]
    ) -> Shape:
        """Put a shape anywhere or against an earlier one, inside the image if it fits."""
        height, width = self.size
        x, y = random.uniform(0, width), random.uniform(0, height)
        if shapes and random.random() < self.crowding:
            other = shapes[int(random.integers(len(shapes)))]
            direction = random.uniform(0, 2 * math.pi)
            apart = random.uniform(0.3, 0.8) * (radius + other.radius)
            x = other.x + apart * math.cos(direction)
            y = other.y + apart * math.sin(direction)
        x, y = (
            min(max(place, min(radius, side / 2)), side - min(radius, side / 2))
            for place, side in ((x, width), (y, height))
        )
        return Shape(name, x, y, radius, random.uniform(0, 2 * math.pi))

    def _paint(self, shapes: Sequence[Shape], random: np.random.Generator) -> np.ndarray:
        """Draw the shapes from back to front; a pixel on an outline is covered in part."""
        image = crop_photograph(random, self.size, self.photographs)
        for shape in shapes:
            window = shape.window(self.size)
            distance = shape.distance(window)
            covered = np.clip(0.5 - distance, 0, 1)[..., None]
            texture = crop_texture(random, distance.shape, self.photographs)[..., None]
            colour = random.random(3, np.float32)
            contrast = np.float32(random.uniform(0.02, 0.15))
            image[window] += covered * (colour + contrast * texture - image[window])
        return np.clip(image, 0, 1)


def check_range(name: str, ends: tuple[float, float]) -> None:
    """Raise unless ``ends`` is a pair of positive numbers, the smaller first."""
    if len(ends) != 2 or not 0 < ends[0] <= ends[1] < math.inf:
        raise ValueError(f"{name} must be two positive numbers, the smaller first; got {ends!r}.")

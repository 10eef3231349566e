"""Drawn scenes: a data set of overlapping shapes on photographs.

The class of an object is its outline and nothing else: colour, texture, size, angle and position
do not depend on it. Later shapes cover earlier ones, and targets hold the visible part of each.
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

MAX_TRIES = 20
"""Maximum number of positions tried for a shape before the scene goes without it."""


@dataclass(frozen=True)
class Scene:
    """Shapes from back to front, and the visible pixels of each as an (n, H, W) mask."""

    shapes: tuple[Shape, ...]
    visible: np.ndarray


class ShapeScenes(Dataset):
    """Images of 2 to 5 overlapping shapes. Scene i depends on i and the options alone.

    Parameters
    ----------
    count : number of scenes.
    size : side of the square images in pixels, or (height, width).
    seed : seed of all random choices.
    photographs : set of backgrounds and textures, ``"train"`` or ``"held out"``, which share no
        file.
    shapes : class names, keys of ``SIGNED_DISTANCES``; the first has label 1.
    objects : minimum and maximum number of shapes in a scene; fewer if there is no room.
    radii : minimum and maximum radius in pixels of the circle around a shape, drawn
        log-uniformly. By default 1/16 and 5/16 of the shorter side: 8 and 40 pixels of 128.
    crowding : fraction of the shapes that are placed next to an earlier one on purpose.
    min_visible : minimum fraction of each shape that stays visible. A shape that is hidden by more
        than half cannot always be recognised.

    Returns
    -------
    ``scenes[i]`` is an image, (3, H, W) float32 from 0 to 1, and a target: ``boxes`` (n, 4)
    float32 x1, y1, x2, y2 in pixels around the visible part, ends exclusive; ``labels`` (n,)
    int64 from 1; ``masks`` (n, H, W) uint8; ``image_id``, which is i.

    Raises
    ------
    ValueError: an unknown shape or set of photographs; a size, count or radius that is not
        positive; a range whose first number is larger.
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
        """Place the shapes of scene ``index``, without painting them."""
        return self._place(self._random(index))

    def _random(self, index: int) -> np.random.Generator:
        if not 0 <= index < self.count:
            raise IndexError(f"there are scenes 0 to {self.count - 1}; got {index}.")
        which = tuple(PHOTOGRAPHS).index(
            self.photographs
        )  # so the two sets differ in their shapes too
        return np.random.default_rng((self.seed, index, which))

    def _place(self, random: np.random.Generator) -> Scene:
        """Place shapes one after another where they do not hide too much of an earlier one."""
        wanted = random.integers(self.objects[0], self.objects[1] + 1)
        shapes: list[Shape] = []
        visible = np.zeros((0, *self.size), dtype=bool)
        whole = np.zeros(0)  # pixels of each shape before anything covers it
        for _ in range(wanted):
            name = self.shapes[random.integers(len(self.shapes))]
            radius = self.radii[0] * (self.radii[1] / self.radii[0]) ** random.random()
            for _ in range(
                MAX_TRIES
            ):  # the size is not drawn again, since small shapes fit more often
                shape = self._place_shape(name, radius, random, shapes)
                mask = shape.mask(self.size)
                left = np.concatenate([visible & ~mask, mask[None]])
                areas = np.append(whole, mask.sum())
                seen = left.sum((1, 2))
                if (seen > 0).all() and (seen >= self.min_visible * areas).all():
                    shapes.append(shape)
                    visible, whole = left, areas
                    break
        return Scene(tuple(shapes), visible)

    def _place_shape(
        self, name: str, radius: float, random: np.random.Generator, shapes: Sequence[Shape]
    ) -> Shape:
        """Place a shape anywhere or next to an earlier one, inside the image if it fits."""
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
        """Draw the shapes from back to front; pixels on an outline are blended."""
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

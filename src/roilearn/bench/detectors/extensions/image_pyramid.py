"""An image pyramid at test time: SHAPES on one size of the image, or on three, merged by NMS.

The scenes are measured twice: as SHAPES was trained on them, and with objects from half to nearly
twice that size.
"""

from functools import cache

import torch
from torch import nn

from roilearn.bench.detectors.extensions.runs import box_metrics, held_out, trained_model
from roilearn.models.extensions.image_pyramid import Detections, merge_detections

SIZES = {"96": (96,), "128": (128,), "192": (192,), "96, 128 and 192": (96, 128, 192)}
"""Lengths in pixels to which the side of an image of 128 pixels is resized, by variant."""
VARIANTS = tuple(SIZES)
UNTRAINED = VARIANTS
STEPS = 0
WIDER = (4.0, 62.0)
"""Radii in pixels of the second measurement; the usual ones are 8 to 40."""


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Measure AP on scenes of a seed, and the pixels that are computed for each of the image's."""
    del steps
    usual = box_metrics(Recorded(variant, seed, None), held_out(seed, 128))
    wider = box_metrics(Recorded(variant, seed, WIDER), held_out(seed, 128, radii=WIDER))
    pixels = sum(size**2 for size in SIZES[variant]) / 128**2
    return {"AP": usual["AP"], "AP, wider sizes": wider["AP"], "pixels": pixels}


class Recorded(nn.Module):
    """Gives the merged detections of a variant, image after image; each size is computed once."""

    def __init__(self, variant: str, seed: int, radii: tuple[float, float] | None) -> None:
        super().__init__()
        sizes = [detections(size, seed, radii) for size in SIZES[variant]]
        self.images = iter([merge_detections(of_image) for of_image in zip(*sizes, strict=True)])

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        """Give the detections of the next image."""
        return [next(self.images) for _ in images]


@cache
@torch.no_grad()
def detections(size: int, seed: int, radii: tuple[float, float] | None) -> list[Detections]:
    """Detect the objects of all scenes of a seed with SHAPES, at one size."""
    model = trained_model().eval()
    model.transform.min_size = (size,)
    scenes = held_out(seed, 128, radii=radii)
    return [model([scenes[k][0]])[0] for k in range(len(scenes))]

"""An image pyramid at test time: SHAPES on one size of the image, or on three, merged by NMS.

The scenes are measured twice: as SHAPES was trained on them, and with objects from half to nearly
twice that size.
"""

from roilearn.bench.detectors.extensions.runs import box_metrics, held_out, trained_model
from roilearn.models.extensions.image_pyramid import ImagePyramid

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
    model = ImagePyramid(trained_model(), SIZES[variant])
    usual = box_metrics(model, held_out(seed))
    wider = box_metrics(model, held_out(seed, radii=WIDER))
    pixels = sum(size**2 for size in SIZES[variant]) / 128**2
    return {"AP": usual["AP"], "AP, wider sizes": wider["AP"], "pixels": pixels}

"""The one scene that the book follows through the detector, from its pixels to its masks."""

from typing import Any

from torch import Tensor

from roilearn.data.shape_scenes.scenes import ShapeScenes


def example_scene() -> tuple[Tensor, dict[str, Any]]:
    """Draw the scene of the book: a large disc, a square and a small triangle on a photograph.

    The photograph is held out, so the trained model ``"SHAPES"`` has not seen it. The objects have
    sides of about 13, 32 and 78 pixels, so that different levels of a pyramid serve them.

    Returns
    -------
    image : (3, 128, 160) float32 from 0 to 1.
    target : ``boxes`` (3, 4) x1, y1, x2, y2 in pixels, ends exclusive, ``labels``, ``masks`` and
        ``image_id``, as ``ShapeScenes`` gives them: triangle, square, disc.

    Examples
    --------
    >>> image, target = example_scene()
    >>> target["boxes"].int().tolist()
    [[119, 104, 133, 117], [18, 54, 50, 86], [39, 0, 118, 78]]
    >>> target["labels"].tolist()
    [3, 2, 1]
    """
    scenes = ShapeScenes(4, size=(128, 160), seed=7, photographs="held out", objects=(3, 3))
    return scenes[3]

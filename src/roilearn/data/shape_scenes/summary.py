"""Dataset summary: what a set of scenes holds, to look at before training on it."""

from dataclasses import dataclass

import numpy as np

from roilearn.data.shape_scenes.scenes import Scene, ShapeScenes


@dataclass(frozen=True)
class SceneSummary:
    """Summary of a set of scenes.

    Attributes
    ----------
    scenes, shapes : number of each.
    overlapped : fraction of the shapes that cover another one or are covered, by at least a pixel.
    hidden : hidden fraction of a shape's pixels, mean over the shapes that are covered.
    radii : smallest and largest radius in pixels.
    classes : fraction of each class, by name.
    colour_accuracy : accuracy of a linear classifier that predicts the class from the mean colour
        of the visible part, on the half of the shapes that it was not fitted to. Chance is the
        largest fraction in ``classes``.
    """

    scenes: int
    shapes: int
    overlapped: float
    hidden: float
    radii: tuple[float, float]
    classes: dict[str, float]
    colour_accuracy: float

    def __str__(self) -> str:
        """Write the summary in four lines."""
        classes = ", ".join(f"{name} {fraction:.0%}" for name, fraction in self.classes.items())
        return "\n".join(
            [
                f"{self.scenes} scenes, {self.shapes} shapes: {classes}",
                f"radius {self.radii[0]:.1f} to {self.radii[1]:.1f} pixels",
                f"{self.overlapped:.0%} overlap another; covered ones lack {self.hidden:.0%}",
                f"class predicted from the mean colour: {self.colour_accuracy:.0%}",
            ]
        )


def summarise_scenes(scenes: ShapeScenes) -> SceneSummary:
    """Summarise a set of scenes, each of which is drawn once.

    Examples
    --------
    >>> print(summarise_scenes(ShapeScenes(20)).scenes)
    20
    """
    placed = [scenes.scene(index) for index in range(len(scenes))]
    shapes = [shape for scene in placed for shape in scene.shapes]
    classes = np.array([scenes.shapes.index(shape.name) for shape in shapes])
    colours = np.concatenate([mean_colours(scenes, index) for index in range(len(scenes))])
    overlapped, hidden = (
        np.concatenate(each) for each in zip(*(overlaps(scene) for scene in placed), strict=True)
    )
    radii = [shape.radius for shape in shapes]
    return SceneSummary(
        scenes=len(scenes),
        shapes=len(shapes),
        overlapped=float(overlapped.mean()),
        hidden=float(hidden[hidden > 0].mean()) if (hidden > 0).any() else 0.0,
        radii=(min(radii), max(radii)),
        classes={
            name: float((classes == number).mean()) for number, name in enumerate(scenes.shapes)
        },
        colour_accuracy=linear_accuracy(colours, classes),
    )


def overlaps(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Whether each shape overlaps another, and the fraction of each that is hidden."""
    size = scene.visible.shape[1:]
    whole = np.array([shape.mask(size) for shape in scene.shapes])  # [n, H, W]
    pixels = whole.reshape(len(whole), -1).astype(np.float32)
    common = pixels @ pixels.T  # pixels that two shapes have in common, hidden or not
    overlapped = (common > 0).sum(1) > 1
    return overlapped, 1 - scene.visible.sum((1, 2)) / common.diagonal()


def mean_colours(scenes: ShapeScenes, index: int) -> np.ndarray:
    """Mean red, green and blue over the visible part of each shape of a scene, (n, 3)."""
    image, target = scenes[index]
    masks = target["masks"].flatten(1).float()
    return (masks @ image.flatten(1).T / masks.sum(1, keepdim=True)).numpy()


def linear_accuracy(features: np.ndarray, classes: np.ndarray) -> float:
    """Fit a linear classifier to the even rows by least squares; return its accuracy on the odd."""
    inputs = np.hstack([features, np.ones((len(features), 1))])
    targets = np.eye(classes.max() + 1)[classes]
    weights = np.linalg.lstsq(inputs[::2], targets[::2], rcond=None)[0]
    predicted = (inputs[1::2] @ weights).argmax(1)
    return float((predicted == classes[1::2]).mean())

"""Augmentation by torchvision's transforms, and collation of items into batches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from roilearn.arguments.lists import is_list
from roilearn.ops import clip_boxes_to_image, masks_to_boxes

Target = dict[str, Any]
Item = tuple[Tensor, Target]
PER_OBJECT = ("labels", "masks", "iscrowd", "area")
"""Entries of a target with a row for each object, besides the boxes."""


class Transformed(Dataset):
    """A data set whose items are transformed by one of ``torchvision.transforms.v2``.

    Boxes and masks are transformed with the image. Boxes are then computed from the masks, since a
    crop or a rotation leaves them too large, and objects without a pixel are dropped. Where there
    are no masks, boxes are clipped to the image.

    Parameters
    ----------
    items : data set of images and targets, such as ``ShapeScenes``.
    transform : takes and returns an image and a target; by default ``augment()``.

    Raises
    ------
    ValueError: a target with keypoints. A mirrored left hand is a right hand, and no transform
        knows which pairs to swap.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> scenes = ShapeScenes(10)
    >>> mirrored = Transformed(scenes, v2.RandomHorizontalFlip(p=1))
    >>> bool((mirrored[0][1]["boxes"][:, 0] == 128 - scenes[0][1]["boxes"][:, 2]).all())
    True
    """

    def __init__(self, items: Any, transform: Callable[..., Any] | None = None) -> None:
        self.items = items
        self.transform = transform or augment()

    def __len__(self) -> int:
        """Count the items."""
        return len(self.items)

    def __getitem__(self, index: int) -> Item:
        """Load and transform item ``index``; random choices come from PyTorch's generator."""
        return as_plain(*self.transform(*as_tv_tensors(*self.items[index])))


def augment(flip: float = 0.5, brightness: float = 0.2, contrast: float = 0.2) -> v2.Compose:
    """Flip some images horizontally, and change brightness and contrast of all slightly.

    Parameters
    ----------
    flip : probability of a horizontal flip.
    brightness, contrast : maximum change, as a fraction.
    """
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(flip),
            v2.ColorJitter(brightness=brightness, contrast=contrast),
        ]
    )


def as_tv_tensors(image: Tensor, target: Target) -> Item:
    """Wrap image, boxes and masks in the types by which torchvision's transforms know them."""
    if "keypoints" in target:
        raise ValueError(
            "target must have no keypoints to be transformed; got some. Which of them swap when "
            "an image is mirrored depends on the data: transform such items in the dataset."
        )
    size = (image.shape[-2], image.shape[-1])
    masks = {"masks": tv_tensors.Mask(target["masks"])} if "masks" in target else {}
    boxes: Any = tv_tensors.BoundingBoxes(
        target["boxes"],
        format="XYXY",
        canvas_size=size,  # pyright: ignore[reportCallIssue]
    )
    return tv_tensors.Image(image), {**target, "boxes": boxes, **masks}


def as_plain(image: Tensor, target: Target) -> Item:
    """Unwrap into plain tensors, compute boxes from masks, and drop objects without a pixel."""
    if "masks" not in target:
        return image.as_subclass(Tensor), {**target, **boxes_as_plain(image, target)}
    kept = (target["masks"].as_subclass(Tensor) != 0).flatten(1).any(1)
    plain = {name: target[name].as_subclass(Tensor)[kept] for name in PER_OBJECT if name in target}
    plain["boxes"] = masks_to_boxes(plain["masks"], exclusive=True)
    if "area" in plain:
        plain["area"] = plain["masks"].flatten(1).sum(1).float()
    return image.as_subclass(Tensor), {**target, **plain}


def boxes_as_plain(image: Tensor, target: Target) -> Target:
    """Unwrap boxes without masks, clip them to the image, and drop those outside it."""
    size = (image.shape[-2], image.shape[-1])
    boxes = clip_boxes_to_image(target["boxes"].as_subclass(Tensor), size)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(1)
    plain = {name: target[name].as_subclass(Tensor)[kept] for name in PER_OBJECT if name in target}
    if "area" in plain:
        plain["area"] = (boxes[:, 2:] - boxes[:, :2])[kept].prod(1)
    return {**plain, "boxes": boxes[kept]}


def collate(items: Iterable[Item]) -> tuple[Sequence[Tensor], Sequence[Target]]:
    """Collate items into a list of images and a list of targets, since their sizes differ.

    Raises
    ------
    TypeError: an item that is not a pair of an image and a dictionary.

    Examples
    --------
    >>> images, targets = collate([("image 0", {"boxes": 2}), ("image 1", {"boxes": 5})])
    >>> images
    ['image 0', 'image 1']
    """
    pairs = list(items)
    for pair in pairs:
        if not (is_list(pair) and len(pair) == 2 and isinstance(pair[1], Mapping)):
            came = ", ".join(type(part).__name__ for part in pair) if is_list(pair) else pair
            raise TypeError(
                "items of a dataset must be pairs, an image and a dictionary with its target; "
                f"got ({came!s:.80})."
            )
    images, targets = zip(*pairs, strict=True)
    return list(images), list(targets)

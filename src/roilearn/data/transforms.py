"""Images and targets through torchvision's transforms, and from items to batches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from roilearn.arguments.lists import is_list
from roilearn.ops import masks_to_boxes

Target = dict[str, Any]
Item = tuple[Tensor, Target]
PER_OBJECT = ("labels", "masks", "iscrowd", "area")
"""Entries of a target with a row for each object, beside the boxes."""


class Transformed(Dataset):
    """A dataset whose items go through one of ``torchvision.transforms.v2``.

    Boxes and masks follow the image. Boxes are drawn anew around the masks, since a crop or a
    turn leaves them too large, and objects of which no pixel is left are dropped.

    Parameters
    ----------
    items : dataset of images and targets, as ``ShapeScenes``.
    transform : takes and gives an image and a target; ``augment()`` unless another is given.

    Raises
    ------
    ValueError: a target with keypoints. A mirrored left hand is a right hand: which pairs swap,
        no transform knows.

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
        """Item ``index``, transformed; random choices come from PyTorch's generator."""
        return as_plain(*self.transform(*as_tv_tensors(*self.items[index])))


def augment(flip: float = 0.5, brightness: float = 0.2, contrast: float = 0.2) -> v2.Compose:
    """Mirror some images, and change brightness and contrast of all a little.

    Parameters
    ----------
    flip : share of the images that are mirrored left to right.
    brightness, contrast : largest change, as a share.
    """
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(flip),
            v2.ColorJitter(brightness=brightness, contrast=contrast),
        ]
    )


def as_tv_tensors(image: Tensor, target: Target) -> Item:
    """Say of each tensor what it is, so that torchvision's transforms move all of them alike."""
    if "keypoints" in target:
        raise ValueError(
            "target must have no keypoints to be transformed; got some. Which of them swap when "
            "an image is mirrored depends on the data: transform such items in the dataset."
        )
    size = (image.shape[-2], image.shape[-1])
    boxes: Any = tv_tensors.BoundingBoxes(
        target["boxes"],
        format="XYXY",
        canvas_size=size,  # pyright: ignore[reportCallIssue]
    )
    typed = {**target, "boxes": boxes, "masks": tv_tensors.Mask(target["masks"])}
    return tv_tensors.Image(image), typed


def as_plain(image: Tensor, target: Target) -> Item:
    """Plain tensors again, boxes around what the masks hold, without objects that left."""
    kept = (target["masks"].as_subclass(Tensor) != 0).flatten(1).any(1)
    plain = {name: target[name].as_subclass(Tensor)[kept] for name in PER_OBJECT if name in target}
    plain["boxes"] = masks_to_boxes(plain["masks"], exclusive=True)
    if "area" in plain:
        plain["area"] = plain["masks"].flatten(1).sum(1).float()
    return image.as_subclass(Tensor), {**target, **plain}


def collate(items: Iterable[Item]) -> tuple[Sequence[Tensor], Sequence[Target]]:
    """List the images, and the targets: sizes differ in a batch, and numbers of objects.

    Raises
    ------
    TypeError: an item that is not an image and a dictionary.

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
                "items of a dataset must be pairs, an image and a dictionary of what is true of "
                f"it; got ({came!s:.80})."
            )
    images, targets = zip(*pairs, strict=True)
    return list(images), list(targets)

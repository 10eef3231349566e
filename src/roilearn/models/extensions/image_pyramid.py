"""An image pyramid at test time: detect at several sizes of the image, and merge the detections."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_count, check_entries, check_items
from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN
from roilearn.ops import batched_nms

Detections = Mapping[str, Tensor]


class ImagePyramid(torch.nn.Module):
    """A detector that looks at every image in several sizes.

    Parameters
    ----------
    model : a trained detector. It brings its detections back to the pixels of the image itself.
    sizes : lengths of the shorter side to which images are resized, one after another.
    nms_threshold : IoU above which a detection of the same class and a lower score is dropped.

    Raises
    ------
    TypeError, ValueError: sizes that are no list of whole numbers above 0, or an empty list.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.4, looks at several sizes too, but there each proposal is
    read at the size that suits it, and nothing is merged.
    """

    def __init__(
        self, model: GeneralizedRCNN, sizes: Sequence[int], nms_threshold: float = 0.5
    ) -> None:
        super().__init__()
        check_items("sizes", sizes)
        self.model = model
        self.sizes = tuple(check_count("sizes", size) for size in sizes)
        self.nms_threshold = nms_threshold

    def forward(self, images: Sequence[Float[Tensor, "3 _ _"]]) -> list[dict[str, Tensor]]:
        """Detect the objects in images (3, H, W); boxes are in pixels of each image."""
        transform, found = self.model.transform, []
        usual = transform.min_size
        try:
            for size in self.sizes:
                transform.min_size = (size,)
                found.append(self.model(images))
        finally:
            transform.min_size = usual
        limit = self.model.roi_heads.options.detections_per_image
        return [
            merge_detections(of_image, self.nms_threshold, limit)
            for of_image in zip(*found, strict=True)
        ]


def merge_detections(
    found: Sequence[Detections], nms_threshold: float = 0.5, limit: int = 100
) -> dict[str, Tensor]:
    """Merge several lists of detections of one image by NMS within each class.

    Parameters
    ----------
    found : dictionaries with ``boxes`` (n, 4), all in pixels of the same image, ``labels``,
        ``scores`` and others with a row for each box.
    nms_threshold : IoU above which the detection of lower score is dropped.
    limit : maximum number of detections that are kept, at least 1.

    Raises
    ------
    TypeError, ValueError: an empty list, a limit below 1, or an entry that some of them lack.

    Examples
    --------
    >>> one = {"boxes": torch.tensor([[0.0, 0, 9, 9]]), "labels": torch.tensor([1])}
    >>> other = {"boxes": torch.tensor([[0.0, 0, 9, 8]]), "labels": torch.tensor([1])}
    >>> pair = one | {"scores": torch.tensor([0.6])}, other | {"scores": torch.tensor([0.9])}
    >>> merge_detections(pair)["boxes"]
    tensor([[0., 0., 9., 8.]])
    """
    check_items("found", found)
    entries = dict.fromkeys(("boxes", "labels", "scores", *(name for one in found for name in one)))
    for size, one in enumerate(found):
        check_entries(f"found[{size}]", one, *entries)
    every = {name: torch.cat([one[name] for one in found]) for name in entries}
    limit = check_count("limit", limit)
    kept = batched_nms(every["boxes"], every["scores"], every["labels"], nms_threshold)[:limit]
    return {name: rows[kept] for name, rows in every.items()}

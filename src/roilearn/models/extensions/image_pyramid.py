"""An image pyramid at test time: detect at several sizes of the image, and merge the detections."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_count
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

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.4.
    """

    def __init__(
        self, model: GeneralizedRCNN, sizes: Sequence[int], nms_threshold: float = 0.5
    ) -> None:
        super().__init__()
        self.model = model
        self.sizes = tuple(check_count("sizes", size) for size in sizes)
        self.nms_threshold = nms_threshold

    def forward(self, images: Sequence[Float[Tensor, "3 _ _"]]) -> list[dict[str, Tensor]]:
        """Detect the objects in images (3, H, W); boxes are in pixels of each image."""
        found = []
        for size in self.sizes:
            self.model.transform.min_size = (size,)
            found.append(self.model(images))
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
    limit : maximum number of detections that are kept.

    Examples
    --------
    >>> one = {"boxes": torch.tensor([[0.0, 0, 9, 9]]), "labels": torch.tensor([1])}
    >>> other = {"boxes": torch.tensor([[0.0, 0, 9, 8]]), "labels": torch.tensor([1])}
    >>> pair = one | {"scores": torch.tensor([0.6])}, other | {"scores": torch.tensor([0.9])}
    >>> merge_detections(pair)["boxes"]
    tensor([[0., 0., 9., 8.]])
    """
    every = {name: torch.cat([one[name] for one in found]) for name in found[0]}
    kept = batched_nms(every["boxes"], every["scores"], every["labels"], nms_threshold)[:limit]
    return {name: rows[kept] for name, rows in every.items()}

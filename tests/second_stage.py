"""Small heads, features and ground truth of two images, for several tests of the second stage."""

import torch

from roilearn import models

CHANNELS, CLASSES = 4, 3
SIZES = [(64, 48), (48, 64)]


def make_heads(**options):
    """Box head and mask head of few channels, the same ones at every call."""
    torch.manual_seed(0)
    return models.RoIHeads(
        models.RoIPooler(7, aligned=True),
        models.BoxHead(CHANNELS * 49, 12),
        models.BoxPredictor(12, CLASSES),
        models.RoIPooler(14, aligned=True),
        models.MaskHead(CHANNELS, (6, 6)),
        models.MaskPredictor(6, 6, CLASSES),
        models.HeadOptions(**options),
    )


def make_features():
    """Four levels of random maps for two images."""
    torch.manual_seed(1)
    return [torch.randn(2, CHANNELS, 16 // 2**k, 16 // 2**k) for k in range(4)]


def ground_truth(size, *boxes):
    """Boxes filled by their masks, of class 1 and 2 in turn."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = 1
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor([1 + k % 2 for k in range(len(boxes))], dtype=torch.int64),
        "masks": masks,
    }


PROPOSALS = [torch.tensor([[4.0, 4, 30, 30], [0, 30, 20, 60]]), torch.tensor([[8.0, 8, 40, 40]])]
TARGETS = [ground_truth(SIZES[0], (5, 5, 29, 31)), ground_truth(SIZES[1], (9, 3, 33, 41))]
NOTHING = [ground_truth(size) for size in SIZES]
NO_PROPOSALS = [torch.zeros(0, 4), torch.zeros(0, 4)]

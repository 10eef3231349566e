"""Keypoint heatmaps: target cells, the loss, and keypoints from predicted heatmaps."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.arguments import check_same_rows


def keypoint_targets(
    keypoints: Float[Tensor, "K points 3"], boxes: Float[Tensor, "K 4"], size: int
) -> tuple[Int64[Tensor, "K points"], Bool[Tensor, "K points"]]:
    """Compute the target cell of each keypoint in its box.

    Parameters
    ----------
    keypoints : (K, points, 3) x, y in image pixels, and 0 for a keypoint that is not annotated.
    boxes : (K, 4) boxes x1, y1, x2, y2 in image pixels, cut into ``size`` x ``size`` cells. A point
        on the last edge lies in the last cell.

    Returns
    -------
    cells : (K, points) row * size + column; 0 where it does not count.
    counts : whether the keypoint is annotated and lies in the box.

    Source
    ------
    He et al., Mask R-CNN (2017), section 5; as in torchvision 0.29.

    Examples
    --------
    >>> points = torch.tensor([[[5.0, 1, 1], [9, 9, 1], [4, 4, 0]]])
    >>> keypoint_targets(points, torch.tensor([[0.0, 0, 8, 8]]), 4)
    (tensor([[2, 0, 0]]), tensor([[ True, False, False]]))
    """
    first, last = boxes[:, None, :2], boxes[:, None, 2:]  # [K, 1, 2]
    place = keypoints[..., :2]
    cell = ((place - first) * (size / (last - first))).floor().long()  # [K, points, 2]: x, y
    cell = torch.where(place == last, size - 1, cell)
    counts = ((cell >= 0) & (cell < size)).all(-1) & (keypoints[..., 2] > 0)
    return torch.where(counts, cell[..., 1] * size + cell[..., 0], 0), counts


def keypoint_loss(
    heatmaps: Float[Tensor, "K points S S"],
    cells: Int64[Tensor, "K points"],
    counts: Bool[Tensor, "K points"],
) -> Float[Tensor, ""]:
    """Cross-entropy of the right cell among all cells, the mean of all keypoints that count.

    Returns
    -------
    A number; 0 where no keypoint counts.

    Examples
    --------
    Equal logits give the logarithm of the number of cells:

    >>> keypoint_loss(torch.zeros(1, 1, 4, 4), torch.tensor([[7]]), torch.tensor([[True]])).exp()
    tensor(16.)
    """
    if not counts.any():
        return heatmaps.sum() * 0
    return F.cross_entropy(heatmaps.flatten(2)[counts], cells[counts])


def heatmaps_to_keypoints(
    heatmaps: Float[Tensor, "K points S S"], boxes: Float[Tensor, "K 4"]
) -> tuple[Float[Tensor, "K points 3"], Float[Tensor, "K points"]]:
    """Resize each heatmap to its box and find the pixel of highest logit.

    Returns
    -------
    keypoints : (K, points, 3) x, y of that pixel's centre in image pixels, and 1.
    scores : (K, points) its logit.

    Source
    ------
    Bicubic, as in torchvision 0.29.

    Examples
    --------
    >>> heatmap = torch.zeros(1, 1, 4, 4)
    >>> heatmap[0, 0, 1, 2] = 1
    >>> heatmaps_to_keypoints(heatmap, torch.tensor([[10.0, 20, 14, 24]]))[0]
    tensor([[[12.5000, 21.5000,  1.0000]]])
    """
    check_same_rows("boxes", boxes, "heatmaps", heatmaps.shape[0])
    if torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]
        places, scores = _recorded_places(heatmaps, boxes)
        return torch.cat([places, torch.ones_like(scores)[..., None]], 2), scores
    keypoints = boxes.new_ones(*heatmaps.shape[:2], 3)
    scores = heatmaps.new_zeros(heatmaps.shape[:2])
    for k, (x1, y1, x2, y2) in enumerate(boxes):
        width, height = (x2 - x1).clamp(min=1), (y2 - y1).clamp(min=1)
        columns, rows = int(width.ceil()), int(height.ceil())
        pixels = F.interpolate(heatmaps[k, None], (rows, columns), mode="bicubic")[0]
        scores[k], highest = pixels.flatten(1).max(1)
        keypoints[k, :, 0] = x1 + (highest % columns + 0.5) * (width / columns)
        keypoints[k, :, 1] = y1 + (highest // columns + 0.5) * (height / rows)
    return keypoints, scores


@torch.jit.script_if_tracing
def _recorded_places(heatmaps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Do what ``heatmaps_to_keypoints`` does, for the older ONNX exporter: x and y, and the scores.

    The exporter records a loop only of a function that is compiled, and knows few operators in it:
    no ``ones_like``, and no ``//`` whose result stays a whole number.
    """
    found = torch.zeros([0, heatmaps.size(1), 3], device=heatmaps.device)
    for k in range(heatmaps.size(0)):
        first, size = boxes[k][:2], (boxes[k][2:] - boxes[k][:2]).clamp(min=1)
        whole = size.ceil().long()
        columns, rows = int(whole[0]), int(whole[1])
        pixels = F.interpolate(heatmaps[k].unsqueeze(0), [rows, columns], mode="bicubic")[0]
        score, highest = pixels.flatten(1).max(1)
        column = (highest % columns).float()
        cell = torch.stack([column, (highest.float() - column) / columns], 1)  # [points, 2]: x, y
        place = first + (cell + 0.5) * (size / whole.float())
        found = torch.cat([found, torch.cat([place, score.unsqueeze(1)], 1).unsqueeze(0)], 0)
    return found[:, :, :2], found[:, :, 2]

"""Mask pasting: small masks of boxes, resized to their boxes in an image."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import interpolate, pad

from roilearn.arguments import (
    check_choice,
    check_one_device,
    check_output_size,
    check_padding,
    check_same_rows,
    check_square_masks,
    check_tensor,
    check_threshold,
)
from roilearn.ops.boxes.boxes import box_corners
from roilearn.ops.masks.paste_sampling import Window, sample_everywhere, sample_patches
from roilearn.ops.tracing import may_read_values

PASTE_RULES = ("torchvision", "aligned")
PIXEL_LIMIT = 2**28
"""Pixels of one box above which pasting raises: 1 GB of float32."""


def paste_masks_in_image(
    masks: Float[Tensor, "N 1 M M"],
    boxes: Num[Tensor, "N 4"],
    img_shape: Sequence[int],
    padding: int = 1,
    threshold: float | None = None,
    coordinates: str = "torchvision",
) -> Float[Tensor, "N 1 H W"] | Bool[Tensor, "N 1 H W"]:
    """Paste masks: resize each mask to its box, in an image of zeros.

    Parameters
    ----------
    masks : (N, 1, M, M) values; the M x M cells divide the box evenly.
    boxes : (N, 4) boxes as x1, y1, x2, y2 in image pixels.
    img_shape : (height, width) of the image.
    padding : cells of zeros added on each side of the mask; its box grows by as many mask cells.
        With 1 the values fall to 0 over a cell. With 0 they end at the edge of the box.
    threshold : if given, return whether each value is above it, instead of values.
    coordinates : ``"aligned"``: a pixel reads the mask at its centre. ``"torchvision"``: the same,
        but every box is first truncated to whole numbers and made one pixel wider and higher.

    Returns
    -------
    (N, 1, height, width) values, or booleans. With ``"aligned"``, a box of no area or an inverted
    one pastes nothing; torchvision's rule makes it one pixel long unless it is inverted by more.
    Values are differentiable in the masks and, with ``"aligned"``, in the boxes.

    Raises
    ------
    ValueError: a box of more than ``PIXEL_LIMIT`` pixels.
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    ``"torchvision"``: torchvision 0.29, ``models.detection.roi_heads``; ``"aligned"``: the rule of
    Detectron2's ``paste_masks_in_image``.

    Differs from
    ------------
    torchvision 0.29: a box wholly outside the image may raise there; here it pastes nothing.

    Examples
    --------
    >>> mask, box = torch.ones(1, 1, 4, 4), torch.tensor([[1.0, 1, 3, 3]])
    >>> paste_masks_in_image(mask, box, (4, 5), 0, 0.5, "aligned")[0, 0].int()
    tensor([[0, 0, 0, 0, 0],
            [0, 1, 1, 0, 0],
            [0, 1, 1, 0, 0],
            [0, 0, 0, 0, 0]], dtype=torch.int32)
    """
    check_choice("coordinates", coordinates, PASTE_RULES)
    size = check_output_size(img_shape, name="img_shape")
    rings, limit = check_padding(padding), check_threshold(threshold)
    check_tensor("masks", masks)
    check_square_masks(masks)
    boxes = box_corners("boxes", boxes)
    check_same_rows("boxes", boxes, "masks", masks.shape[0])
    check_one_device(masks=masks, boxes=boxes)
    regions = pasted_regions(boxes, masks.shape[-1], rings, coordinates)
    cells = pad(masks[:, 0], (rings,) * 4)  # [N, M + 2 * rings, M + 2 * rings]
    if not may_read_values(boxes):
        pasted = sample_everywhere(cells, regions, size)
        return pasted if limit is None else pasted > limit
    windows = windows_of(regions, size)
    if coordinates == "aligned":
        patches = sample_patches(cells, regions, windows, size)
    else:
        patches = resize_patches(cells, regions, windows)
    if limit is None:
        return _Paste.apply(windows, (len(cells), 1, *size), cells, *patches)
    pasted = torch.zeros(len(cells), 1, *size, dtype=torch.bool, device=cells.device)
    for n, (window, patch) in enumerate(zip(windows, patches, strict=True)):
        torch.gt(patch, limit, out=pasted[n, 0][window])
    return pasted


def pasted_regions(
    boxes: Num[Tensor, "N 4"], side: int, padding: int, coordinates: str
) -> Float[Tensor, "N 4"]:
    """Boxes of the padded masks: each box grown by ``padding`` of its ``side`` mask cells."""
    boxes = boxes.to(torch.promote_types(boxes.dtype, torch.float32))
    first, last = boxes[:, :2], boxes[:, 2:]
    if coordinates == "aligned":
        grow = (last - first) * padding / side
        return torch.cat([first - grow, last + grow], 1)
    half = (last - first) * 0.5 * (float(side + 2 * padding) / side)  # torchvision's order
    centre = (last + first) * 0.5
    return torch.cat([_truncated(centre - half), _truncated(centre + half) + 1], 1).detach()


def _truncated(numbers: Tensor) -> Tensor:
    """Round towards zero, as ``Tensor.trunc``, which the older ONNX exporter cannot write."""
    return numbers.sign() * numbers.abs().floor()


def windows_of(regions: Float[Tensor, "N 4"], size: tuple[int, int]) -> list[Window]:
    """Rows and columns of the image whose pixel centres lie in each region."""
    edges = (regions.detach() - 0.5).ceil()
    x, y = edges[:, 0::2].clamp(0, size[1]), edges[:, 1::2].clamp(0, size[0])  # [N, 2] each
    return [
        (slice(y1, max(y1, y2)), slice(x1, max(x1, x2)))
        for (x1, x2), (y1, y2) in zip(x.long().tolist(), y.long().tolist(), strict=True)
    ]


def resize_patches(
    cells: Float[Tensor, "N P P"], regions: Float[Tensor, "N 4"], windows: list[Window]
) -> list[Tensor]:
    """Resize each mask to its region of whole pixels, and crop the result to its window."""
    patches = []
    for mask, (x1, y1, x2, y2), (rows, columns) in zip(
        cells[:, None, None], regions.long().tolist(), windows, strict=True
    ):
        height, width = max(y2 - y1, 1), max(x2 - x1, 1)
        if height * width > PIXEL_LIMIT:
            raise ValueError(
                f"boxes must be small enough to paste; got one of {height} x {width} pixels, more "
                f"than {PIXEL_LIMIT} in all. Clip boxes to the image."
            )
        if rows.start == rows.stop or columns.start == columns.stop:
            patches.append(mask.new_zeros(rows.stop - rows.start, columns.stop - columns.start))
            continue
        whole = interpolate(mask, (height, width), mode="bilinear", align_corners=False)[0, 0]
        patches.append(
            whole[rows.start - y1 : rows.stop - y1, columns.start - x1 : columns.stop - x1]
        )
    return patches


class _Paste(Function):
    """For each patch an image of zeros with the patch in its window; backward crops the window."""

    @staticmethod
    def forward(
        ctx: Any, windows: list[Window], shape: tuple[int, ...], like: Tensor, *patches: Tensor
    ) -> Tensor:
        ctx.windows = windows
        pasted = like.new_zeros(shape)
        for n, (window, patch) in enumerate(zip(windows, patches, strict=True)):
            pasted[n, 0][window] = patch
        return pasted

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        cut = [gradient[n, 0][window] for n, window in enumerate(ctx.windows)]
        return None, None, None, *cut

"""The RPN head: objectness and box deltas of every anchor, from convolutions of the pyramid."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_count


class RPNHead(nn.Module):
    """A 3x3 convolution, then two 1x1 convolutions that predict objectness and deltas.

    The same weights are used at every cell of every level. That is why anchors have to be larger on
    a coarser level: relative to the cells they look the same.

    Parameters
    ----------
    in_channels : channels of the maps.
    num_anchors : anchors at each cell.
    conv_depth : number of 3x3 convolutions.

    Raises
    ------
    ValueError, TypeError: a number that is not a positive integer.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1. Names of parameters, and their initial values for
    a seed, as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: returns maps; here predictions are in the order of the anchors.

    Examples
    --------
    Three anchors a cell, and 8 x 12 cells:

    >>> import torch
    >>> objectness, deltas = RPNHead(16, num_anchors=3)([torch.zeros(2, 16, 8, 12)])
    >>> objectness[0].shape, deltas[0].shape
    (torch.Size([2, 288]), torch.Size([2, 288, 4]))
    """

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        channels = check_count("in_channels", in_channels)
        anchors = check_count("num_anchors", num_anchors)
        self.conv = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True))
                for _ in range(check_count("conv_depth", conv_depth))
            )
        )
        self.cls_logits = nn.Conv2d(channels, anchors, 1)
        self.bbox_pred = nn.Conv2d(channels, 4 * anchors, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)
        self.register_load_state_dict_pre_hook(_rename_old_convolution)

    def forward(
        self, features: Sequence[Float[Tensor, "N C _ _"]]
    ) -> tuple[list[Float[Tensor, "N _"]], list[Float[Tensor, "N _ 4"]]]:
        """Predict objectness and deltas of each anchor of each level.

        Parameters
        ----------
        features : the map of each level.

        Returns
        -------
        objectness : for each level (N, cells * A) logits; above 0: rather an object than not.
        deltas : for each level (N, cells * A, 4) dx, dy, dw, dh, from the anchor to the object.
            Both in the order of ``generate_anchors``: all anchors of a cell, then the next cell.
        """
        objectness, deltas = [], []
        for level_map in features:
            hidden = self.conv(level_map)
            logits = self.cls_logits(hidden).permute(0, 2, 3, 1)  # [N, H, W, A]
            boxes = self.bbox_pred(hidden).permute(0, 2, 3, 1)  # [N, H, W, A * 4]
            objectness.append(logits.flatten(1))
            deltas.append(boxes.reshape(len(boxes), -1, 4))
        return objectness, deltas


def in_anchor_order(
    objectness: Sequence[Float[Tensor, "N *_"]], deltas: Sequence[Float[Tensor, "N *_"]]
) -> tuple[list[Float[Tensor, "N _"]], list[Float[Tensor, "N _ 4"]]]:
    """Bring maps, as torchvision's heads give them, into the order of the anchors.

    Parameters
    ----------
    objectness, deltas : for each level (N, A, H, W) and (N, 4 * A, H, W); or (N, n) and (N, n, 4),
        as ``RPNHead`` gives them, which are returned as they are.
    """
    logits = [m.permute(0, 2, 3, 1).flatten(1) if m.ndim == 4 else m for m in objectness]
    boxes = [m.permute(0, 2, 3, 1).reshape(len(m), -1, 4) if m.ndim == 4 else m for m in deltas]
    return logits, boxes


def _rename_old_convolution(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *others: object
) -> None:
    """Rename the one convolution of files from before torchvision 0.13, such as COCO_V1."""
    del module, others
    for kind in ("weight", "bias"):
        if f"{prefix}conv.{kind}" in state_dict:
            state_dict[f"{prefix}conv.0.0.{kind}"] = state_dict.pop(f"{prefix}conv.{kind}")

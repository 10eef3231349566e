"""The head of a region proposal network: whether each anchor holds an object, and where."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_count


class RPNHead(nn.Module):
    """A 3x3 convolution that looks around each cell, then two 1x1 ones that answer.

    The same few weights serve every cell of every level: that is why anchors of one shape have to
    be larger where the map is coarser.

    Parameters
    ----------
    in_channels : channels of the maps.
    num_anchors : anchors at each cell.
    depth : how many 3x3 convolutions.

    Raises
    ------
    ValueError, TypeError: a number that is not whole and positive.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1. Names of parameters, and their first values from
    one seed, as in torchvision 0.27.

    Differs from
    ------------
    torchvision 0.27: gives answers in the order of the anchors, not as maps of them.

    Examples
    --------
    Three anchors a cell, and 8 x 12 cells:

    >>> import torch
    >>> objectness, deltas = RPNHead(16, num_anchors=3)([torch.zeros(2, 16, 8, 12)])
    >>> objectness[0].shape, deltas[0].shape
    (torch.Size([2, 288]), torch.Size([2, 288, 4]))
    """

    def __init__(self, in_channels: int, num_anchors: int, depth: int = 1) -> None:
        super().__init__()
        channels = check_count("in_channels", in_channels)
        anchors = check_count("num_anchors", num_anchors)
        self.conv = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True))
                for _ in range(check_count("depth", depth))
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
        """Answer for each anchor of each level.

        Parameters
        ----------
        features : the map of each level.

        Returns
        -------
        objectness : for each level (N, cells * A) logits: above 0, an object is likelier than not.
        deltas : for each level (N, cells * A, 4) dx, dy, dw, dh, from the anchor to the object.
            Both in the order of ``generate_anchors``: all anchors of a cell, then the next cell.
        """
        objectness, deltas = [], []
        for level_map in features:
            seen = self.conv(level_map)
            logits = self.cls_logits(seen).permute(0, 2, 3, 1)  # [N, H, W, A]
            moves = self.bbox_pred(seen).permute(0, 2, 3, 1)  # [N, H, W, A * 4]
            objectness.append(logits.flatten(1))
            deltas.append(moves.reshape(len(moves), -1, 4))
        return objectness, deltas


def _rename_old_convolution(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *others: object
) -> None:
    """Read files from before torchvision 0.13, when there was one convolution: COCO_V1 is one."""
    del module, others
    for kind in ("weight", "bias"):
        if f"{prefix}conv.{kind}" in state_dict:
            state_dict[f"{prefix}conv.0.0.{kind}"] = state_dict.pop(f"{prefix}conv.{kind}")

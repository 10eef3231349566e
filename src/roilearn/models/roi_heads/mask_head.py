"""The mask head: a small picture of the object in each box, one for each class.

It keeps rows and columns, where the box head mixes them. Classes do not compete: the box head says
which class it is, and only that class's picture is learned from and looked at.
"""

from collections.abc import Sequence

from jaxtyping import Float, Int64
from torch import Tensor, einsum, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.arguments import check_same_rows
from roilearn.models.backbone.convolution_blocks import rectified_block
from roilearn.models.backbone.residual_blocks import Norm


class MaskHead(nn.Sequential):
    """Convolutions of 3 x 3 cells, each with ReLU, that keep the size.

    Parameters
    ----------
    in_channels : channels of the pooled features.
    layers : channels that each convolution gives.
    norm : makes a normalisation after each convolution, which then has no bias. None: there is
        none, as in the paper.

    Source
    ------
    He et al., Mask R-CNN (2017), figure 4, right; names of parameters as in torchvision 0.27.
    """

    def __init__(
        self,
        in_channels: int,
        layers: Sequence[int] = (256, 256, 256, 256),
        norm: Norm | None = None,
    ) -> None:
        channels = [in_channels, *layers]
        super().__init__(
            *(
                rectified_block(before, after, norm)
                for before, after in zip(channels, layers, strict=False)
            )
        )


class MaskPredictor(nn.Module):
    """Twice the size, then a logit for each class in each cell.

    Parameters
    ----------
    in_channels : channels that the mask head gives.
    dim_reduced : channels of the larger map.
    num_classes : classes, background among them as class 0: its picture is never looked at.
    """

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int) -> None:
        super().__init__()
        self.conv5_mask = nn.ConvTranspose2d(in_channels, dim_reduced, 2, stride=2)
        self.mask_fcn_logits = nn.Conv2d(dim_reduced, num_classes, 1)
        for layer in (self.conv5_mask, self.mask_fcn_logits):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(
        self, features: Float[Tensor, "K C H W"], labels: Int64[Tensor, " K"] | None = None
    ) -> Float[Tensor, "K classes 2*H 2*W"]:
        """Draw the logits of all classes or, told each box's class, of that class alone.

        A convolution of 1 x 1 cells has a row of weights for each class. Picking rows before it is
        applied gives what picking channels afterwards would, for a share of the work.

        Returns
        -------
        (K, classes, 2 H, 2 W); with ``labels``: (K, 1, 2 H, 2 W).
        """
        larger = self.conv5_mask(features).relu()
        if labels is None:
            return self.mask_fcn_logits(larger)
        check_same_rows("labels", labels, "features", len(features))
        weight = self.mask_fcn_logits.weight[labels, :, 0, 0]  # [K, C]
        bias = self.mask_fcn_logits.bias[labels, None, None]  # pyright: ignore[reportOptionalSubscript]
        return (einsum("kchw,kc->khw", larger, weight) + bias)[:, None]


def mask_loss(
    mask_logits: Float[Tensor, "K 1 M M"], targets: Float[Tensor, "K M M"]
) -> Float[Tensor, ""]:
    """Compare each object's picture with what its mask shows, cell by cell.

    Parameters
    ----------
    mask_logits : (K, 1, M, M) logits of the true class of each box that stands for an object.
    targets : (K, M, M) from 0 to 1, as from ``mask_targets``.

    Returns
    -------
    Binary cross-entropy, the mean of all cells of all boxes; 0 where there are none.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3; as in torchvision 0.27.

    Examples
    --------
    A logit of 0 is one bit short in every cell:

    >>> import torch
    >>> mask_loss(torch.zeros(1, 1, 2, 2), torch.tensor([[[0.0, 1], [1, 1]]])).exp()
    tensor(2.)
    """
    if targets.numel() == 0:
        return mask_logits.sum() * 0  # a mean of nothing is NaN; gradients are zeros, not missing
    return F.binary_cross_entropy_with_logits(mask_logits[:, 0], targets)

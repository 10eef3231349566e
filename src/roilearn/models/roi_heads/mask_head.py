"""The mask head: mask logits of every box, one small map for each class, and their loss.

It is fully convolutional, so rows and columns are kept. Classes do not compete: the box head
predicts the class, and only the map of that class is trained and used. ``softmax_mask_loss``, in
which they do compete, is what the paper compares this with; no detector here trains with it.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, einsum, fx, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.arguments import check_labels, check_same_rows
from roilearn.models.backbone.convolution_blocks import conv_norm_relu
from roilearn.models.backbone.residual_blocks import Norm


class MaskHead(nn.Sequential):
    """Convolutions of 3 x 3 cells, each with ReLU, that keep the size.

    Parameters
    ----------
    in_channels : channels of the pooled features.
    layers : output channels of each convolution.
    norm : builds the normalisation after each convolution, which then has no bias. None: there is
        none, as in the paper.

    Source
    ------
    He et al., Mask R-CNN (2017), figure 4, right; names of parameters as in torchvision 0.29.
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
                conv_norm_relu(before, after, norm)
                for before, after in zip(channels, layers, strict=False)
            )
        )


class MaskPredictor(nn.Module):
    """A transposed convolution that doubles the size, then a logit for each class in each cell.

    Parameters
    ----------
    in_channels : output channels of the mask head.
    dim_reduced : channels of the enlarged map.
    num_classes : number of classes, background included as class 0; its map is never used.
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
        """Predict the mask logits of all classes or, with labels, of each box's class only.

        A 1 x 1 convolution has a row of weights for each class. To select rows before it is applied
        gives the same result as to select channels afterwards, for a fraction of the work.

        Returns
        -------
        (K, classes, 2 H, 2 W); with ``labels``: (K, 1, 2 H, 2 W).
        """
        larger = self.conv5_mask(features).relu()
        if labels is None or isinstance(labels, fx.Proxy):  # torch.fx records all classes
            return self.mask_fcn_logits(larger)
        check_same_rows("labels", labels, "features", features.shape[0])
        weight = self.mask_fcn_logits.weight[labels, :, 0, 0]  # [K, C]
        bias = self.mask_fcn_logits.bias[labels, None, None]  # pyright: ignore[reportOptionalSubscript]
        return (einsum("kchw,kc->khw", larger, weight) + bias)[:, None]


MaskRCNNPredictor = MaskPredictor
"""torchvision's name of ``MaskPredictor``, whose arguments are the same."""


def mask_loss(
    mask_logits: Float[Tensor, "K 1 M M"], targets: Float[Tensor, "K M M"]
) -> Float[Tensor, ""]:
    """Compute the mask loss: binary cross-entropy of every cell.

    Parameters
    ----------
    mask_logits : (K, 1, M, M) logits of the true class of each positive box.
    targets : (K, M, M) from 0 to 1, as from ``mask_targets``.

    Returns
    -------
    Binary cross-entropy, the mean of all cells of all boxes; 0 where there are none.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3; as in torchvision 0.29.

    Examples
    --------
    A logit of 0 gives a loss of ln 2 in every cell:

    >>> import torch
    >>> mask_loss(torch.zeros(1, 1, 2, 2), torch.tensor([[[0.0, 1], [1, 1]]])).exp()
    tensor(2.)
    """
    if targets.numel() == 0:
        return mask_logits.sum() * 0  # a mean of nothing is NaN; gradients are zeros, not missing
    return F.binary_cross_entropy_with_logits(mask_logits[:, 0], targets)


def softmax_mask_loss(
    mask_logits: Float[Tensor, "K classes M M"],
    targets: Float[Tensor, "K M M"],
    labels: Int64[Tensor, " K"],
) -> Float[Tensor, ""]:
    """Compute the mask loss if classes compete: one softmax over all maps in every cell.

    A cell in the object should be its class, a cell outside it background, the map 0. So every
    logit takes part, and gradients reach the maps of all classes; with ``mask_loss`` they reach the
    map of the true class only.

    Parameters
    ----------
    mask_logits : (K, classes, M, M) logits of all classes, background included as class 0.
    targets : (K, M, M) from 0 to 1, as from ``mask_targets``. A cell that is covered in part is
        that part its class, and background for the rest.
    labels : (K,) true class of each positive box, from 1.

    Returns
    -------
    Cross-entropy, the mean of all cells of all boxes; 0 where there are none.

    Raises
    ------
    ValueError, TypeError: a label that is background or has no map; not a label for each box.

    Source
    ------
    The baseline of He et al., Mask R-CNN (2017), table 2b: a softmax and a multinomial loss in
    every cell, as in Long et al., Fully Convolutional Networks (2015).

    Examples
    --------
    Two equal logits share the probability, and four share it as well:

    >>> label = torch.tensor([1])
    >>> softmax_mask_loss(torch.zeros(1, 2, 3, 3), torch.ones(1, 3, 3), label).exp()
    tensor(2.)
    >>> softmax_mask_loss(torch.zeros(1, 4, 3, 3), torch.ones(1, 3, 3), label).exp()
    tensor(4.)
    """
    check_same_rows("labels", labels, "mask_logits", len(mask_logits))
    check_labels(labels, 1, mask_logits.shape[1])
    if len(labels) == 0:
        return mask_logits.sum() * 0
    log_probabilities = mask_logits.log_softmax(1)  # [K, classes, M, M]
    of_class = log_probabilities[torch.arange(len(labels), device=labels.device), labels]
    background = log_probabilities[:, 0]  # [K, M, M]
    return -(targets * of_class + (1 - targets) * background).mean()

"""The box head: class logits and box deltas of every proposal, and their two losses."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.arguments import check_labels
from roilearn.models.backbone.convolution_blocks import conv_norm_relu
from roilearn.models.backbone.residual_blocks import Norm
from roilearn.ops.tracing import may_read_values

SMOOTH_L1_BETA = 1 / 9
"""Smooth L1 is a parabola up to this error of a delta, and a straight line above it."""


class BoxHead(nn.Module):
    """Two fully connected layers, each with ReLU.

    Parameters
    ----------
    in_channels : number of features of one pooled box: channels * height * width.
    representation_size : number of features of the output.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.2; names of parameters as in
    torchvision 0.29.
    """

    def __init__(self, in_channels: int, representation_size: int = 1024) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, pooled: Float[Tensor, "K C PH PW"]) -> Float[Tensor, "K R"]:
        """Compute a feature vector for each pooled box."""
        hidden = self.fc6(pooled.flatten(1)).relu()
        return self.fc7(hidden).relu()


class ConvolutionalBoxHead(nn.Sequential):
    """Convolutions that keep rows and columns, then one fully connected layer.

    Parameters
    ----------
    in_channels : channels of the pooled features.
    pooler_resolution : bins along each side of a pooled box.
    layers : output channels of each convolution.
    representation_size : number of features of the output.
    norm : builds the normalisation after each convolution; None: there is none.

    Source
    ------
    Wu and He, Group Normalization (2018), section 4.2; names of parameters as in torchvision 0.29's
    ``FastRCNNConvFCHead``.
    """

    def __init__(
        self,
        in_channels: int,
        pooler_resolution: int,
        layers: Sequence[int] = (256, 256, 256, 256),
        representation_size: int = 1024,
        norm: Norm | None = None,
    ) -> None:
        channels = [in_channels, *layers]
        super().__init__(
            *(
                conv_norm_relu(before, after, norm)
                for before, after in zip(channels, layers, strict=False)
            ),
            nn.Flatten(),
            nn.Linear(channels[-1] * pooler_resolution**2, representation_size),
            nn.ReLU(inplace=True),
        )


class BoxPredictor(nn.Module):
    """A logit for each class, and four deltas for each class.

    Parameters
    ----------
    in_channels : number of features from the box head.
    num_classes : number of classes, background included as class 0.
    class_agnostic : predict one row of deltas for all classes, as in a cascade.
    """

    def __init__(self, in_channels: int, num_classes: int, class_agnostic: bool = False) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, 4 if class_agnostic else 4 * num_classes)

    def forward(
        self, hidden: Float[Tensor, "K R"]
    ) -> tuple[Float[Tensor, "K classes"], Float[Tensor, "K rows 4"]]:
        """Predict the logits of all classes and their rows of deltas."""
        return self.cls_score(hidden), self.bbox_pred(hidden).unflatten(1, (-1, 4))


class FastRCNNPredictor(BoxPredictor):
    """``BoxPredictor`` with torchvision's form of the deltas: (K, 4 * C), not (K, C, 4).

    ``RoIHeads`` take either. Put a new one in the place of a trained one to fine-tune a detector on
    other classes.

    Parameters
    ----------
    in_channels : number of features from the box head.
    num_classes : number of classes, background included as class 0.

    Examples
    --------
    >>> import torch
    >>> [tuple(part.shape) for part in FastRCNNPredictor(1024, 3)(torch.zeros(5, 1024))]
    [(5, 3), (5, 12)]
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes)

    def forward(
        self, hidden: Float[Tensor, "K R"]
    ) -> tuple[Float[Tensor, "K classes"], Float[Tensor, "K deltas"]]:
        """Predict the logits and the deltas of all classes."""
        logits, deltas = super().forward(hidden.flatten(1))
        return logits, deltas.flatten(1)


def predicted_classes(predictor: nn.Module) -> int | None:
    """Return the number of classes of a box predictor, with background; None if it has no layer."""
    return getattr(getattr(predictor, "cls_score", None), "out_features", None)


def box_losses(
    class_logits: Float[Tensor, "K classes"],
    deltas: Float[Tensor, "K rows 4"],
    labels: Int64[Tensor, " K"],
    target_deltas: Float[Tensor, "K 4"],
) -> dict[str, Float[Tensor, ""]]:
    """Compute the losses of the class logits and of the deltas of sampled proposals.

    Parameters
    ----------
    class_logits : (K, C) logits of the classes.
    deltas : (K, C, 4) a row for each class, or (K, 1, 4) one for all.
    labels : (K,) true class of each, 0 for background.
    target_deltas : (K, 4) true deltas; those of background are not used.

    Returns
    -------
    ``loss_classifier``: cross-entropy, the mean of all. ``loss_box_reg``: smooth L1 of the true
    class's deltas, summed over positives and divided by the number of *all* sampled proposals: the
    fewer positives among them, the less it counts. Both are 0 where nothing was sampled.

    Raises
    ------
    ValueError: a class that the logits do not have.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; as in torchvision 0.29.

    Examples
    --------
    Equal logits give the logarithm of the number of classes. A delta that is wrong by 1 gives 1
    minus half of beta, and the deltas of background do not count:

    >>> import torch
    >>> labels, true = torch.tensor([3, 0]), torch.tensor([[0.0, 1, 1, 1], [0, 0, 0, 0]])
    >>> losses = box_losses(torch.zeros(2, 4), torch.ones(2, 4, 4), labels, true)
    >>> losses["loss_classifier"].exp(), losses["loss_box_reg"] * 2
    (tensor(4.), tensor(0.9444))
    """
    if may_read_values(labels):
        check_labels(labels, 0, class_logits.shape[1])
    return {
        "loss_classifier": classifier_loss(class_logits, labels),
        "loss_box_reg": box_regression_loss(deltas, labels, target_deltas),
    }


def classifier_loss(
    class_logits: Float[Tensor, "K classes"], labels: Int64[Tensor, " K"]
) -> Float[Tensor, ""]:
    """Cross-entropy of the classes, the mean of all sampled proposals."""
    total = F.cross_entropy(class_logits, labels, reduction="sum")
    return total / max(len(labels), 1)


def box_regression_loss(
    deltas: Float[Tensor, "K rows 4"],
    labels: Int64[Tensor, " K"],
    target_deltas: Float[Tensor, "K 4"],
) -> Float[Tensor, ""]:
    """Smooth L1 of the positives' deltas, their sum divided by the number of all proposals."""
    positive = labels.nonzero()[:, 0]  # [P]
    chosen = deltas_of_class(deltas[positive], labels[positive])  # [P, 4]
    total = F.smooth_l1_loss(chosen, target_deltas[positive], beta=SMOOTH_L1_BETA, reduction="sum")
    return total / max(len(labels), 1)


def deltas_of_class(
    deltas: Float[Tensor, "K rows 4"], labels: Int64[Tensor, " K"]
) -> Float[Tensor, "K 4"]:
    """Take from the deltas of each box the row of its class; the only row, if there is one."""
    row = labels.clamp(max=deltas.shape[1] - 1)
    return deltas[torch.arange(labels.shape[0], device=labels.device), row]

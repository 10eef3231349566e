"""The box head: what is in a proposal, and how far is it from fitting."""

from collections.abc import Sequence

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.arguments import check_labels
from roilearn.models.backbone.convolution_blocks import rectified_block
from roilearn.models.backbone.residual_blocks import Norm
from roilearn.ops.tracing import reads_values

BETA = 1 / 9
"""Error of a delta up to which its loss is a parabola, and a straight line from there on."""


class BoxHead(nn.Module):
    """Two layers that see all cells of a pooled box at once.

    Parameters
    ----------
    in_channels : numbers of one pooled box: channels * height * width.
    representation_size : numbers that come out.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.2; names of parameters as in
    torchvision 0.27.
    """

    def __init__(self, in_channels: int, representation_size: int = 1024) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, pooled: Float[Tensor, "K C PH PW"]) -> Float[Tensor, "K R"]:
        """Read pooled features."""
        hidden = self.fc6(pooled.flatten(1)).relu()
        return self.fc7(hidden).relu()


class ConvolutionalBoxHead(nn.Sequential):
    """Convolutions that keep rows and columns, then one layer that sees all cells at once.

    Parameters
    ----------
    in_channels : channels of the pooled features.
    cells : bins along each side of a pooled box.
    layers : channels that each convolution gives.
    representation_size : numbers that come out.
    norm : makes a normalisation after each convolution; None: there is none.

    Source
    ------
    Wu and He, Group Normalization (2018), section 4.2; names of parameters as in torchvision 0.27's
    ``FastRCNNConvFCHead``.
    """

    def __init__(
        self,
        in_channels: int,
        cells: int,
        layers: Sequence[int] = (256, 256, 256, 256),
        representation_size: int = 1024,
        norm: Norm | None = None,
    ) -> None:
        channels = [in_channels, *layers]
        super().__init__(
            *(
                rectified_block(before, after, norm)
                for before, after in zip(channels, layers, strict=False)
            ),
            nn.Flatten(),
            nn.Linear(channels[-1] * cells**2, representation_size),
            nn.ReLU(inplace=True),
        )


class BoxPredictor(nn.Module):
    """A score for each class, and four deltas for each class: a chair sits otherwise than a cat.

    Parameters
    ----------
    in_channels : numbers that the box head gives.
    num_classes : classes, background among them as class 0.
    class_agnostic : one row of deltas for all classes, as in a cascade.
    """

    def __init__(self, in_channels: int, num_classes: int, class_agnostic: bool = False) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, 4 if class_agnostic else 4 * num_classes)

    def forward(
        self, hidden: Float[Tensor, "K R"]
    ) -> tuple[Float[Tensor, "K classes"], Float[Tensor, "K rows 4"]]:
        """Give the logits of all classes and their rows of deltas."""
        return self.cls_score(hidden), self.bbox_pred(hidden).unflatten(1, (-1, 4))


def box_losses(
    class_logits: Float[Tensor, "K classes"],
    deltas: Float[Tensor, "K rows 4"],
    labels: Int64[Tensor, " K"],
    target_deltas: Float[Tensor, "K 4"],
) -> dict[str, Float[Tensor, ""]]:
    """Compare what the box head says of the sampled proposals with what it should have said.

    Parameters
    ----------
    class_logits : (K, C) logits of the classes.
    deltas : (K, C, 4) a row for each class, or (K, 1, 4) one for all.
    labels : (K,) true class of each, 0 for background.
    target_deltas : (K, 4) true deltas; those of background are not looked at.

    Returns
    -------
    ``loss_classifier``: cross-entropy, the mean of all. ``loss_box_reg``: smooth L1 of the true
    class's deltas, summed over objects and divided by the number of *all* sampled proposals: the
    fewer objects among them, the less it counts. Both are 0 where nothing was sampled.

    Raises
    ------
    ValueError: a class that the logits do not have.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; as in torchvision 0.27.

    Examples
    --------
    Logits that know nothing cost the logarithm of the number of classes, and a delta that is off
    by 1 costs 1 less half of beta; the background's deltas do not count:

    >>> import torch
    >>> labels, true = torch.tensor([3, 0]), torch.tensor([[0.0, 1, 1, 1], [0, 0, 0, 0]])
    >>> losses = box_losses(torch.zeros(2, 4), torch.ones(2, 4, 4), labels, true)
    >>> losses["loss_classifier"].exp(), losses["loss_box_reg"] * 2
    (tensor(4.), tensor(0.9444))
    """
    if reads_values(labels):
        check_labels(labels, 0, class_logits.shape[1])
    sampled = max(len(labels), 1)
    classifier = F.cross_entropy(class_logits, labels, reduction="sum") / sampled
    positive = labels.nonzero()[:, 0]
    column = labels[positive].clamp(max=deltas.shape[1] - 1)  # the only row, if there is one
    regression = F.smooth_l1_loss(
        deltas[positive, column], target_deltas[positive], beta=BETA, reduction="sum"
    )
    return {"loss_classifier": classifier, "loss_box_reg": regression / sampled}

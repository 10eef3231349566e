"""Residual networks as a detector's body: maps of several resolutions, and nothing after them.

C2 has stride 4, and each map after it half the resolution of the one before. The layer that told
classes apart in the classifier is left off.
"""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from roilearn.arguments import check_between, check_count, check_flag, check_levels
from roilearn.models.backbone.residual_blocks import (
    Branch,
    ConvolutionBlock,
    IdentityBlock,
    Norm,
    basic_branch,
    bottleneck_branch,
    convolution,
)


class ResNet(nn.Module):
    """A stem that takes the image to stride 4, then stages of residual blocks.

    Parameters
    ----------
    widths : of the blocks' branches, one a stage. The stem has as many channels as the first.
    depths : blocks in each stage. The first of a stage changes the shape, where it must.
    branch : ``basic_branch`` or ``bottleneck_branch``.
    norm : makes a normalisation: ``nn.BatchNorm2d``; ``FrozenBatchNorm2d`` for weights that were
        trained elsewhere.
    stem_size : side of the first convolution, which has stride 2.
    stem_pool : True: a maximum over 3 x 3 cells takes the stem to stride 4. False: the first stage
        does, at less cost and with more of the fine detail.
    zero_init_residual : begin with blocks that pass on what they get (``IdentityBlock.silence``).
    trainable_layers : see ``train_last``; None: all are trained.

    Raises
    ------
    ValueError: lists of different lengths; a number below 1.

    Source
    ------
    He et al., Deep Residual Learning (2015), table 1 and, for the start, Delving Deep into
    Rectifiers (2015). The names conv1, bn1, layer1, ... are those of torchvision 0.27.
    """

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int],
        branch: Branch = basic_branch,
        norm: Norm = nn.BatchNorm2d,
        *,
        stem_size: int = 7,
        stem_pool: bool = True,
        zero_init_residual: bool = False,
        trainable_layers: int | None = None,
    ) -> None:
        super().__init__()
        check_levels(widths=widths, depths=depths)
        for name, numbers in (("widths", widths), ("depths", depths), ("stem_size", [stem_size])):
            for number in numbers:
                check_count(name, number)
        check_flag("stem_pool", stem_pool)
        check_flag("zero_init_residual", zero_init_residual)
        self.conv1 = convolution(3, widths[0], stem_size, stride=2)
        self.bn1 = norm(widths[0])
        self.stem_pool = stem_pool
        self.stages = [f"layer{number}" for number in range(1, len(widths) + 1)]
        channels = [widths[0]]
        for name, width, depth in zip(self.stages, widths, depths, strict=True):
            stride = 1 if name == "layer1" and stem_pool else 2
            blocks = stage(channels[-1], width, depth, stride, branch, norm)
            self.add_module(name, nn.Sequential(*blocks))
            channels.append(blocks[-1].out_channels)
        self.out_channels = channels[1:]
        self._start(zero_init_residual)
        if trainable_layers is not None:
            self.train_last(trainable_layers)

    def forward(self, images: Float[Tensor, "N 3 H W"]) -> list[Float[Tensor, "N _ _ _"]]:
        """Compute C2, C3, ...: a map for each stage, finest first."""
        features = relu(self.bn1(self.conv1(images)), inplace=True)
        if self.stem_pool:
            features = max_pool2d(features, 3, stride=2, padding=1)
        maps = []
        for name in self.stages:
            features = self.get_submodule(name)(features)
            maps.append(features)
        return maps

    def train_last(self, trainable_layers: int) -> None:
        """Freeze the parameters of all but the last layers; the stem counts as the first layer.

        What the first layers of a net look for serves any images. With few of one's own it is
        better left as it is, and cheaper: torchvision 0.27 trains the last 3 of 5.

        Parameters
        ----------
        trainable_layers : 0: the whole body is frozen; the number of stages and 1: all is trained.
        """
        layers = [("conv1", "bn1"), *((name,) for name in self.stages)]
        check_between("trainable_layers", trainable_layers, 0, len(layers))
        for number, names in enumerate(layers):
            for name in names:
                trained = number >= len(layers) - trainable_layers
                self.get_submodule(name).requires_grad_(trained)

    def _start(self, zero_init_residual: bool) -> None:
        """Begin with weights under which gradients neither grow nor fade on their way back."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, IdentityBlock):
                module.silence()


def stage(
    in_channels: int, width: int, depth: int, stride: int, branch: Branch, norm: Norm
) -> list[IdentityBlock]:
    """Make the blocks of one resolution: a convolution block if the shape changes, then identity.

    Examples
    --------
    >>> [type(block).__name__ for block in stage(64, 64, 2, 1, basic_branch, nn.BatchNorm2d)]
    ['IdentityBlock', 'IdentityBlock']
    >>> [type(block).__name__ for block in stage(64, 64, 2, 1, bottleneck_branch, nn.BatchNorm2d)]
    ['ConvolutionBlock', 'IdentityBlock']
    """
    first = branch(in_channels, width, stride)
    changes = stride > 1 or in_channels != first[-1].out_channels
    blocks = [(ConvolutionBlock if changes else IdentityBlock)(first, norm)]
    for _ in range(1, depth):
        blocks.append(IdentityBlock(branch(blocks[-1].out_channels, width, 1), norm))
    return blocks


def resnet18(norm: Norm = nn.BatchNorm2d, **options: Any) -> ResNet:
    """Make ResNet-18: eight basic blocks, 11.2 M parameters. ``options`` as in ``ResNet``."""
    return ResNet((64, 128, 256, 512), (2, 2, 2, 2), basic_branch, norm, **options)


def resnet50(norm: Norm = nn.BatchNorm2d, **options: Any) -> ResNet:
    """Make ResNet-50: sixteen bottlenecks, 23.5 M parameters. ``options`` as in ``ResNet``.

    Examples
    --------
    >>> resnet50().out_channels
    [256, 512, 1024, 2048]
    """
    return ResNet((64, 128, 256, 512), (3, 4, 6, 3), bottleneck_branch, norm, **options)


def resnet_tiny(
    widths: Sequence[int] = (32, 64, 128),
    depths: Sequence[int] = (2, 2, 2),
    norm: Norm = nn.BatchNorm2d,
    *,
    stem_size: int = 3,
    stem_pool: bool = True,
    zero_init_residual: bool = True,
    **options: Any,
) -> ResNet:
    """Make a net that a laptop trains in minutes: basic blocks, 0.7 M parameters as it stands.

    For images of about 128 x 128 pixels, whose objects are too small for a stride of 32: three
    stages, of strides 4, 8 and 16. A fourth width and depth add stride 32.

    Examples
    --------
    >>> import torch
    >>> body = resnet_tiny()
    >>> [tuple(features.shape[1:]) for features in body(torch.zeros(1, 3, 128, 128))]
    [(32, 32, 32), (64, 16, 16), (128, 8, 8)]
    """
    options |= {"stem_size": stem_size, "stem_pool": stem_pool}
    options |= {"zero_init_residual": zero_init_residual}
    return ResNet(widths, depths, basic_branch, norm, **options)

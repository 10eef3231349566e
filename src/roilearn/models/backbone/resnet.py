"""ResNet as a backbone body: feature maps C2, C3, ... without the classifier's last layers.

C2 has stride 4, and each later map has half the resolution of the one before.
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
from roilearn.models.registry import register_backbone


class ResNet(nn.Module):
    """A stem of stride 4, or 2 without pooling, then stages of residual blocks.

    Parameters
    ----------
    widths : of the blocks' branches, one per stage. The stem has as many channels as the first.
    depths : number of blocks in each stage. The first block of a stage changes the shape if needed.
    branch : ``basic_branch`` or ``bottleneck_branch``.
    norm : builds a normalisation: ``nn.BatchNorm2d``, or ``FrozenBatchNorm2d`` for pretrained
        weights.
    stem_size : side of the first convolution, which has stride 2.
    stem_pool : True: max pooling over 3 x 3 cells brings the stem to stride 4. False: the first
        stage has stride 2 instead, which costs less and keeps more detail.
    zero_init_residual : initialise branches to give 0, see ``IdentityBlock.zero_init``.
    trainable_layers : see ``set_trainable_layers``; None: all are trained.

    Raises
    ------
    ValueError: lists of different lengths; a number below 1.

    Source
    ------
    He et al., Deep Residual Learning (2015), table 1 and, for initial weights, Delving Deep into
    Rectifiers (2015). The names conv1, bn1, layer1, ... are those of torchvision 0.29.
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
        self._init_weights(zero_init_residual)
        if trainable_layers is not None:
            self.set_trainable_layers(trainable_layers)

    def forward(self, images: Float[Tensor, "N 3 H W"]) -> list[Float[Tensor, "N _ _ _"]]:
        """Compute C2, C3, ..., one map for each stage, finest first."""
        features = relu(self.bn1(self.conv1(images)), inplace=True)
        if self.stem_pool:
            features = max_pool2d(features, 3, stride=2, padding=1)
        maps = []
        for name in self.stages:
            features = self.get_submodule(name)(features)
            maps.append(features)
        return maps

    def set_trainable_layers(self, trainable_layers: int) -> None:
        """Freeze the parameters of all but the last layers; the stem counts as the first layer.

        The features of a network's first layers are useful for any images. With few images it is
        better, and cheaper, to keep them: torchvision 0.29 trains the last 3 of 5 layers.

        Parameters
        ----------
        trainable_layers : from 0, all frozen, to the number of stages plus 1, all trained.
        """
        layers = [("conv1", "bn1"), *((name,) for name in self.stages)]
        check_between("trainable_layers", trainable_layers, 0, len(layers))
        for number, names in enumerate(layers):
            for name in names:
                trained = number >= len(layers) - trainable_layers
                self.get_submodule(name).requires_grad_(trained)

    def _init_weights(self, zero_init_residual: bool) -> None:
        """Initialise weights as He et al. (2015): gradients keep their size from layer to layer."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, IdentityBlock):
                module.zero_init()


def stage(
    in_channels: int, width: int, depth: int, stride: int, branch: Branch, norm: Norm
) -> list[IdentityBlock]:
    """Build the blocks of one stage: a convolution block if the shape changes, then identity.

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


@register_backbone
def resnet18(norm: Norm = nn.BatchNorm2d, **options: Any) -> ResNet:
    """Build ResNet-18: eight basic blocks, 11.2 M parameters. ``options`` as in ``ResNet``."""
    return ResNet((64, 128, 256, 512), (2, 2, 2, 2), basic_branch, norm, **options)


@register_backbone
def resnet50(norm: Norm = nn.BatchNorm2d, **options: Any) -> ResNet:
    """Build ResNet-50: sixteen bottlenecks, 23.5 M parameters. ``options`` as in ``ResNet``.

    Examples
    --------
    >>> resnet50().out_channels
    [256, 512, 1024, 2048]
    """
    return ResNet((64, 128, 256, 512), (3, 4, 6, 3), bottleneck_branch, norm, **options)


@register_backbone
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
    """Build a network that a laptop trains in minutes: basic blocks, 0.7 M parameters by default.

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

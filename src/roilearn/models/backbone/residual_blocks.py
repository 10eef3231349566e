"""Residual blocks: a branch of two or three convolutions, and a shortcut around it.

The *identity block* adds its input to the output of the branch. The *convolution block* is used
where the number of channels or the resolution changes: its shortcut is a 1 x 1 convolution that
gives the input the shape of the output. Either has a basic branch or a bottleneck branch.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

Norm = Callable[[int], nn.Module]
"""Builds a normalisation for a number of channels: ``nn.BatchNorm2d``, ``FrozenBatchNorm2d``."""
Branch = Callable[[int, int, int], Sequence[nn.Conv2d]]
"""Builds the convolutions of a branch from the number of input channels, width and stride."""


def basic_branch(in_channels: int, width: int, stride: int = 1) -> list[nn.Conv2d]:
    """Build the two 3 x 3 convolutions of ResNet-18, with ``width`` output channels.

    Source
    ------
    He et al., Deep Residual Learning (2015), figure 5, left.
    """
    return [convolution(in_channels, width, 3, stride), convolution(width, width, 3)]


def bottleneck_branch(in_channels: int, width: int, stride: int = 1) -> list[nn.Conv2d]:
    """Build the three convolutions of ResNet-50: 1 x 1, 3 x 3 on few channels, and 1 x 1.

    There are ``4 * width`` output channels.

    Source
    ------
    He et al., Deep Residual Learning (2015), figure 5, right. There the first convolution has the
    stride; here the second, as in torchvision 0.29, so that every cell of the input is used.
    """
    return [
        convolution(in_channels, width, 1),
        convolution(width, width, 3, stride),
        convolution(width, 4 * width, 1),
    ]


def convolution(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Build a convolution that keeps the resolution at stride 1, without a bias.

    It needs no bias: the normalisation after it subtracts the mean and has a bias of its own.
    """
    return nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False)


class IdentityBlock(nn.Module):
    """relu(x + branch(x)): input and output have the same shape.

    Parameters
    ----------
    branch : convolutions. A normalisation follows each, and a ReLU each except the last.
    norm : builds a normalisation.

    Source
    ------
    He et al., Deep Residual Learning (2015), equation 1. The names conv1, bn1, conv2, ... are those
    of torchvision 0.29.

    Examples
    --------
    If the branch gives 0, the output is the ReLU of the input:

    >>> import torch
    >>> block = IdentityBlock(basic_branch(1, 1))
    >>> block.zero_init()
    >>> block(torch.tensor([[[[-2.0, 3.0]]]])).tolist()
    [[[[0.0, 3.0]]]]
    """

    def __init__(self, branch: Sequence[nn.Conv2d], norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        for number, convolution in enumerate(branch, 1):
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", norm(convolution.out_channels))
        self.depth = len(branch)
        self.out_channels = branch[-1].out_channels

    def forward(self, features: Float[Tensor, "N _ _ _"]) -> Float[Tensor, "N _ _ _"]:
        """Add the branch to the shortcut."""
        total = self.branch(features)
        total += self.shortcut(features)
        return relu(total, inplace=True)

    def branch(self, features: Float[Tensor, "N _ _ _"]) -> Float[Tensor, "N _ _ _"]:
        """Apply the convolutions and normalisations; there is no ReLU after the last."""
        for number in range(1, self.depth + 1):
            features = self.get_submodule(f"conv{number}")(features)
            features = self.get_submodule(f"bn{number}")(features)
            if number < self.depth:
                features = relu(features, inplace=True)
        return features

    def shortcut(self, features: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """Return the input."""
        return features

    def zero_init(self) -> None:
        """Initialise the last normalisation with weight 0, so that the branch begins with output 0.

        Source
        ------
        Goyal et al., Accurate, Large Minibatch SGD (2017), section 5.1.
        """
        last: Any = self.get_submodule(f"bn{self.depth}")
        nn.init.zeros_(last.weight)


class ConvolutionBlock(IdentityBlock):
    """relu(project(x) + branch(x)): a 1 x 1 convolution in the shortcut changes the shape.

    Its names are downsample.0 and downsample.1, also where the resolution stays the same.

    Source
    ------
    He et al., Deep Residual Learning (2015), equation 2 and option B of section 3.3.

    Examples
    --------
    >>> import torch
    >>> block = ConvolutionBlock(bottleneck_branch(64, 32, stride=2))
    >>> block(torch.zeros(1, 64, 10, 14)).shape
    torch.Size([1, 128, 5, 7])
    """

    def __init__(self, branch: Sequence[nn.Conv2d], norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__(branch, norm)
        stride = prod(convolution.stride[0] for convolution in branch)
        project = convolution(branch[0].in_channels, self.out_channels, 1, stride)
        self.downsample = nn.Sequential(project, norm(self.out_channels))

    def shortcut(self, features: Float[Tensor, "N _ _ _"]) -> Float[Tensor, "N _ _ _"]:
        """Project the input to the shape of the branch's output."""
        return self.downsample(features)

"""Residual blocks: a few convolutions, and a shortcut around them.

The *identity block* adds its input to what the convolutions make of it. The *convolution block*
stands where the number of channels or the resolution changes: there the input does not fit, and a
convolution of 1 x 1 makes it fit. Either has a branch of one of two kinds.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

Norm = Callable[[int], nn.Module]
"""Makes a normalisation for a number of channels: ``nn.BatchNorm2d``, ``FrozenBatchNorm2d``."""
Branch = Callable[[int, int, int], Sequence[nn.Conv2d]]
"""Makes the convolutions of a block from channels that come in, width and stride."""


def basic_branch(in_channels: int, width: int, stride: int = 1) -> list[nn.Conv2d]:
    """List the two convolutions of ResNet-18: 3 x 3 each, ``width`` channels come out.

    Source
    ------
    He et al., Deep Residual Learning (2015), figure 5, left.
    """
    return [convolution(in_channels, width, 3, stride), convolution(width, width, 3)]


def bottleneck_branch(in_channels: int, width: int, stride: int = 1) -> list[nn.Conv2d]:
    """List the three convolutions of ResNet-50: 3 x 3 on few channels, 1 x 1 before and after.

    ``4 * width`` channels come out.

    Source
    ------
    He et al., Deep Residual Learning (2015), figure 5, right. There the first convolution has the
    stride; here the second, as in torchvision 0.27, so that no cell is passed over.
    """
    return [
        convolution(in_channels, width, 1),
        convolution(width, width, 3, stride),
        convolution(width, 4 * width, 1),
    ]


def convolution(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Make a convolution that keeps the resolution at stride 1, without a bias.

    The normalisation after it takes off the mean and has a bias of its own.
    """
    return nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False)


class IdentityBlock(nn.Module):
    """relu(x + branch(x)): input and answer have the same shape.

    Parameters
    ----------
    branch : convolutions; a normalisation follows each, and a ReLU each but the last.
    norm : makes a normalisation.

    Source
    ------
    He et al., Deep Residual Learning (2015), equation 1. The names conv1, bn1, conv2, ... are those
    of torchvision 0.27.

    Examples
    --------
    With nothing in its branch, what comes out is what went in, negative numbers cut off:

    >>> import torch
    >>> block = IdentityBlock(basic_branch(1, 1))
    >>> block.silence()
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
        """Convolve and normalise; what is added to the shortcut may be negative."""
        for number in range(1, self.depth + 1):
            features = self.get_submodule(f"conv{number}")(features)
            features = self.get_submodule(f"bn{number}")(features)
            if number < self.depth:
                features = relu(features, inplace=True)
        return features

    def shortcut(self, features: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """Pass the input on as it is."""
        return features

    def silence(self) -> None:
        """Let the branch answer 0 until training changes it, so that a deep net begins shallow.

        Source
        ------
        Goyal et al., Accurate, Large Minibatch SGD (2017), section 5.1.
        """
        last: Any = self.get_submodule(f"bn{self.depth}")
        nn.init.zeros_(last.weight)


class ConvolutionBlock(IdentityBlock):
    """relu(project(x) + branch(x)): a convolution of 1 x 1 in the shortcut changes the shape.

    Its names are downsample.0 and downsample.1, whether or not the resolution becomes less.

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
        """Give the input the shape of the branch's answer."""
        return self.downsample(features)

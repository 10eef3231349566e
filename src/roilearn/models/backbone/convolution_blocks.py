"""Convolution blocks: a convolution, optionally a normalisation, optionally a ReLU.

A normalisation subtracts the mean of each channel and has a bias of its own, so the convolution
before it has none. Networks with random initial weights train faster with it. Each block is an
``nn.Sequential`` even if the convolution is alone, so that parameters are named as in torchvision
0.29.
"""

from torch import nn

from roilearn.models.backbone.residual_blocks import Norm


def conv_norm(in_channels: int, out_channels: int, size: int, norm: Norm | None) -> nn.Sequential:
    """Build a ``size`` x ``size`` convolution that keeps the map's size, without ReLU.

    Examples
    --------
    >>> conv_norm(8, 4, 1, None)
    Sequential(
      (0): Conv2d(8, 4, kernel_size=(1, 1), stride=(1, 1))
    )
    """
    convolution = nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=norm is None)
    nn.init.kaiming_uniform_(convolution.weight, a=1)
    return _sequence(convolution, norm)


def conv_norm_relu(in_channels: int, out_channels: int, norm: Norm | None) -> nn.Sequential:
    """Build a 3 x 3 convolution that keeps the map's size, with ReLU.

    Examples
    --------
    >>> [type(layer).__name__ for layer in conv_norm_relu(8, 4, nn.BatchNorm2d)]
    ['Conv2d', 'BatchNorm2d', 'ReLU']
    """
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=norm is None)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return _sequence(convolution, norm).append(nn.ReLU(inplace=True))


def _sequence(convolution: nn.Conv2d, norm: Norm | None) -> nn.Sequential:
    """Put the normalisation after the convolution; initialise a bias with 0."""
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    blocks = nn.Sequential(convolution)
    return blocks if norm is None else blocks.append(norm(convolution.out_channels))

"""A convolution and what follows it: a normalisation where one is wanted, and a ReLU or nothing.

A normalisation takes the mean of each channel off and adds one that is learned: a bias before it
would do nothing, so there is none. Networks that begin with random weights learn faster with it.
Each block is a sequence even where the convolution is alone, so that parameters are named as
torchvision 0.27 names them.
"""

from torch import nn

from roilearn.models.backbone.residual_blocks import Norm


def linear_block(
    in_channels: int, out_channels: int, size: int, norm: Norm | None
) -> nn.Sequential:
    """Make a convolution of ``size`` x ``size`` cells that keeps the map's size.

    Examples
    --------
    >>> linear_block(8, 4, 1, None)
    Sequential(
      (0): Conv2d(8, 4, kernel_size=(1, 1), stride=(1, 1))
    )
    """
    convolution = nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=norm is None)
    nn.init.kaiming_uniform_(convolution.weight, a=1)
    return _sequence(convolution, norm)


def rectified_block(in_channels: int, out_channels: int, norm: Norm | None) -> nn.Sequential:
    """Make a convolution of 3 x 3 cells that keeps the map's size; what is below 0 becomes 0.

    Examples
    --------
    >>> [type(layer).__name__ for layer in rectified_block(8, 4, nn.BatchNorm2d)]
    ['Conv2d', 'BatchNorm2d', 'ReLU']
    """
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=norm is None)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return _sequence(convolution, norm).append(nn.ReLU(inplace=True))


def _sequence(convolution: nn.Conv2d, norm: Norm | None) -> nn.Sequential:
    """Put the normalisation after the convolution; a bias begins with 0."""
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    blocks = nn.Sequential(convolution)
    return blocks if norm is None else blocks.append(norm(convolution.out_channels))

"""Convolution, normalisation and activation as one block, with torchvision's arguments."""

from collections.abc import Callable, Sequence

from torch import nn

from roilearn.arguments import check_count, check_groups, check_steps


class Conv2dNormActivation(nn.Sequential):
    """A convolution, then a normalisation, then an activation; the last two can be left out.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, groups, dilation : as in ``nn.Conv2d``.
    padding : as there; None: such that at stride 1 a window of odd size keeps the size of the map.
    norm_layer : builds the normalisation for a number of channels; None: there is none.
    activation_layer : builds the activation; None: there is none.
    inplace : passed on to ``activation_layer``; None: it is called without arguments.
    bias : of the convolution; None: only where no normalisation follows, which has its own.

    Raises
    ------
    ValueError, TypeError: sizes that are not whole and positive; see ``roilearn.arguments``.

    Source
    ------
    torchvision 0.29: the same arguments, and the same names of parameters, "0.weight" and so on.

    Examples
    --------
    >>> Conv2dNormActivation(3, 8, norm_layer=None)
    Conv2dNormActivation(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (1): ReLU(inplace=True)
    )
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str | None = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm2d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int | Sequence[int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        check_count("in_channels", in_channels)
        check_count("out_channels", out_channels)
        check_groups(in_channels, out_channels, check_count("groups", groups))
        window = check_steps("kernel_size", kernel_size, 1)
        step, spacing = check_steps("stride", stride, 1), check_steps("dilation", dilation, 1)
        if padding is None:
            padding = [
                (cells - 1) // 2 * apart for cells, apart in zip(window, spacing, strict=True)
            ]
        around = padding if isinstance(padding, str) else check_steps("padding", padding, 0)
        with_bias = norm_layer is None if bias is None else bias
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, out_channels, window, step, around, spacing, groups, with_bias)
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            options = {} if inplace is None else {"inplace": inplace}
            layers.append(activation_layer(**options))
        super().__init__(*layers)
        self.out_channels = out_channels

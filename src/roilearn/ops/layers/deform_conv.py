"""Deformable convolution: each cell of the window is read where a learned offset says.

A convolution reads a grid of cells around each position. Here each point of that grid is moved by
an offset, which another layer predicts, and read between the cells. So each read value is a bag of
four cells, as a sample of RoIAlign is; then the values are weighted and added up as ever.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from roilearn.arguments import (
    ConvolutionSizes,
    check_count,
    check_deform_conv,
    check_flag,
    check_groups,
    check_offset_values,
    check_one_device,
    check_steps,
    check_tensor,
)
from roilearn.ops.clamping import clamp
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.weighted_sum import weighted_sum
from roilearn.ops.interpolation import bilinear_weights
from roilearn.ops.tracing import may_read_values

Steps = int | Sequence[int]


def deform_conv2d(
    input: Float[Tensor, "N C H W"],
    offset: Float[Tensor, "N _ OH OW"],
    weight: Float[Tensor, "D _ KH KW"],
    bias: Float[Tensor, " D"] | None = None,
    stride: Steps = (1, 1),
    padding: Steps = (0, 0),
    dilation: Steps = (1, 1),
    mask: Float[Tensor, "N _ OH OW"] | None = None,
) -> Float[Tensor, "N D OH OW"]:
    """Deformable convolution; with a mask, its second version.

    Cell (i, j) of the window at output (y, x) is read at row y * stride - padding + i * dilation +
    the first offset, and column x * stride - padding + j * dilation + the second, in index
    coordinates: the centre of the first cell is at 0. An offset of 0 reads the cell itself, and
    with all offsets 0 the result is that of a convolution.

    Parameters
    ----------
    input : (N, C, H, W) features.
    offset : (N, 2 * G * KH * KW, OH, OW) offsets in cells, for each of G offset groups and each
        cell of the window, row by row: first down, then across. Group g belongs to the g-th part
        of the channels.
    weight : (D, C / groups, KH, KW) weights; their shape says how many groups there are.
    bias : (D,) numbers that are added.
    stride, padding, dilation : one number, or a pair (down, across).
    mask : (N, G * KH * KW, OH, OW) factors of what is read. None: 1 everywhere.

    Returns
    -------
    (N, D, OH, OW) tensor of the input's dtype; halves are added up in float32. Outside the map
    there are zeros: a position less than one cell outside is read as a mean of a cell and 0, and
    an infinite offset gives 0. Differentiable in all tensors to any order; where a position lies on
    a cell, with the slope to its right. Where values are not checked, as on a GPU, a NaN offset
    gives 0.

    Raises
    ------
    ValueError: shapes that do not fit together; a NaN in ``offset`` or ``mask``.
    TypeError: a tensor that is not floating point; a stride that is not a whole number.

    Source
    ------
    Dai et al., Deformable Convolutional Networks (2017), equations 2 to 4; the mask: Zhu et al.,
    Deformable ConvNets v2 (2018), equation 1. Names and layout as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: a NaN offset reads foreign memory there; all tensors must be of one dtype.

    Examples
    --------
    A window of one cell is read one and a half rows below its place:

    >>> ramp = torch.tensor([[[[0.0], [10.0], [20.0], [30.0]]]])
    >>> offset = torch.stack([torch.full((4, 1), 1.5), torch.zeros(4, 1)])[None]
    >>> deform_conv2d(ramp, offset, torch.ones(1, 1, 1, 1)).flatten()
    tensor([15., 25., 15.,  0.])
    """
    tensors = {"input": input, "offset": offset, "weight": weight, "bias": bias, "mask": mask}
    for name, tensor in tensors.items():
        if tensor is not None:
            check_tensor(name, tensor)
    sizes = check_deform_conv(input, offset, weight, bias, mask, stride, padding, dilation)
    check_one_device(**{name: each for name, each in tensors.items() if each is not None})
    if may_read_values(offset):
        check_offset_values(offset, mask)
    with torch.autocast(input.device.type, enabled=False):  # offsets in halves would be rounded
        windows = read_windows(input, offset, mask, sizes)  # [N, groups, C / groups * K, OH * OW]
        outputs = weight.shape[0]
        rows = weight.to(windows.dtype).reshape(sizes.groups, outputs // sizes.groups, -1)
        output = (rows @ windows).reshape(input.shape[0], outputs, *sizes.output)
        if bias is not None:
            output = output + bias.to(output.dtype)[:, None, None]
    return output.to(input.dtype)


def read_windows(
    input: Float[Tensor, "N C H W"],
    offset: Float[Tensor, "N _ OH OW"],
    mask: Float[Tensor, "N _ OH OW"] | None,
    sizes: ConvolutionSizes,
) -> Float[Tensor, "N groups window cells"]:
    """Values of the window of each output cell, the channels of each group one after the other."""
    images, channels, height, width = input.shape
    parts, window = images * sizes.offset_groups, math.prod(sizes.kernel)
    wide = torch.promote_types(input.dtype, torch.float32)
    rows, columns = positions(offset, sizes)  # [N, G, K, OH, OW]
    # With a border of zeros, whatever lies farther outside is read on the border, and is 0.
    rows, columns = clamp(rows + 1, 0, height + 1), clamp(columns + 1, 0, width + 1)
    maps = pad(input.to(wide), (1, 1, 1, 1))
    maps = maps.reshape(parts, channels // sizes.offset_groups, height + 2, width + 2)
    index = index_dtype(cells_of([maps]) + 4 * rows.numel())
    first = torch.arange(parts, dtype=index, device=input.device) * ((height + 2) * (width + 2))
    first = first.reshape(images, sizes.offset_groups, 1, 1, 1)
    corners = bilinear_weights(rows, columns, height + 2, width + 2)
    entries = torch.stack([first + i.to(index) * (width + 2) + j for i, j, _ in corners], -1)
    weights = torch.stack([share for _, _, share in corners], -1)
    if mask is not None:
        weights = weights * mask.to(weights.dtype).reshape(rows.shape)[..., None]
    begins = torch.arange(0, entries.numel(), 4, dtype=index, device=input.device)
    bag = Bag(entries.to(index).flatten(), weights.flatten(), begins)
    read = weighted_sum(maps, bag, (parts * window, *sizes.output))  # [N * G * K, C / G, OH, OW]
    cells = math.prod(sizes.output)
    read = read.reshape(images, sizes.offset_groups, window, maps.shape[1], cells).transpose(2, 3)
    return read.reshape(images, sizes.groups, channels // sizes.groups * window, cells)


def positions(
    offset: Float[Tensor, "N _ OH OW"], sizes: ConvolutionSizes
) -> tuple[Float[Tensor, "N G K OH OW"], Float[Tensor, "N G K OH OW"]]:
    """Rows and columns that are read, in index coordinates; NaN becomes a place outside."""
    wide = torch.promote_types(offset.dtype, torch.float32)
    moved = offset.to(wide).unflatten(1, (sizes.offset_groups, -1, 2))  # [N, G, K, 2, OH, OW]
    moved = torch.where(moved.isnan(), -math.inf, moved)
    down, across = (
        torch.arange(cells, device=offset.device)[:, None] * step
        - around
        + torch.arange(window, device=offset.device) * apart
        for cells, step, around, window, apart in zip(
            sizes.output, sizes.stride, sizes.padding, sizes.kernel, sizes.dilation, strict=True
        )
    )  # [OH, KH] and [OW, KW]
    rows = down.T.repeat_interleave(sizes.kernel[1], 0)[:, :, None]  # [K, OH, 1]
    columns = across.T.repeat(sizes.kernel[0], 1)[:, None]  # [K, 1, OW]
    return moved[:, :, :, 0] + rows, moved[:, :, :, 1] + columns


class DeformConv2d(nn.Module):
    """Weights of a deformable convolution; offsets and mask are given to each call.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias : as in
        ``nn.Conv2d``.

    Raises
    ------
    ValueError, TypeError: groups that do not divide the channels; see ``roilearn.arguments``.

    Source
    ------
    torchvision 0.29: the same names and initial weights, so that its state dicts can be loaded.

    Examples
    --------
    >>> layer = DeformConv2d(3, 5, 3, padding=1)
    >>> layer(torch.zeros(2, 3, 8, 6), torch.zeros(2, 18, 8, 6)).shape
    torch.Size([2, 5, 8, 6])
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Steps,
        stride: Steps = 1,
        padding: Steps = 0,
        dilation: Steps = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels = check_count("in_channels", in_channels)
        self.out_channels = check_count("out_channels", out_channels)
        self.groups = check_count("groups", groups)
        check_groups(in_channels, out_channels, groups)
        check_flag("bias", bias)
        self.kernel_size = check_steps("kernel_size", kernel_size, 1)
        self.stride = check_steps("stride", stride, 1)
        self.padding = check_steps("padding", padding, 0)
        self.dilation = check_steps("dilation", dilation, 1)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape))
        self.register_parameter("bias", nn.Parameter(torch.empty(out_channels)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights and a new bias, as ``nn.Conv2d`` does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(
        self,
        input: Float[Tensor, "N C H W"],
        offset: Float[Tensor, "N _ OH OW"],
        mask: Float[Tensor, "N _ OH OW"] | None = None,
    ) -> Float[Tensor, "N D OH OW"]:
        """Convolve ``input``, each window read at its offsets; see ``deform_conv2d``."""
        steps = (self.stride, self.padding, self.dilation)
        return deform_conv2d(input, offset, self.weight, self.bias, *steps, mask=mask)

    def extra_repr(self) -> str:
        """Show sizes in the printed model, those at their defaults left out."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        text += f", padding={self.padding}" * (self.padding != (0, 0))
        text += f", dilation={self.dilation}" * (self.dilation != (1, 1))
        text += f", groups={self.groups}" * (self.groups != 1)
        return text + ", bias=False" * (self.bias is None)

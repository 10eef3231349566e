"""Receptive fields: the pixels that a cell of a convolutional network depends on.

A convolution reads a few neighbouring cells of its input, and each of them has read neighbours of
its own. Along one axis three numbers describe the result: how many pixels a cell sees, how far
apart the fields of two neighbouring cells lie, and where the field of cell 0 begins.
"""

from collections.abc import Sequence
from typing import NamedTuple

from roilearn.arguments import check_between, check_count, check_items, check_whole

Layer = tuple[int, int, int]
"""Kernel size, stride and padding of a convolution or a pooling layer, in cells of its input."""


class FieldGeometry(NamedTuple):
    """Receptive fields of the cells of one map, along one axis, in image pixels.

    ``size``: number of pixels that one cell sees. ``stride``: distance between the fields of two
    neighbouring cells. ``start``: first pixel of the field of cell 0; below 0 it is padding.
    """

    size: int
    stride: int
    start: int

    def pixels(self, cell: int) -> tuple[int, int]:
        """Return the first pixel that a cell sees and the first after its field.

        Examples
        --------
        >>> FieldGeometry(size=7, stride=4, start=-3).pixels(2)
        (5, 12)
        """
        first = self.start + cell * self.stride
        return first, first + self.size

    def centre(self, cell: int) -> float:
        """Return the middle of a cell's field, where pixel 0 reaches from 0 to 1.

        Examples
        --------
        >>> FieldGeometry(size=7, stride=4, start=-3).centre(2)
        8.5
        """
        first, end = self.pixels(cell)
        return (first + end) / 2


def receptive_field(layers: Sequence[Layer]) -> FieldGeometry:
    """Follow a chain of layers from the image to a map, and measure the field of its cells.

    Parameters
    ----------
    layers : (kernel, stride, padding) of each layer, the one next to the image first. Of two ways
        through a network give the one that sees more: the branch of a residual block, and not its
        shortcut.

    Returns
    -------
    Size, stride and start of the fields, in image pixels.

    Raises
    ------
    ValueError, TypeError: no layers; a kernel or stride below 1; a padding below 0.

    Source
    ------
    Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks (2019).

    Examples
    --------
    A 3 x 3 convolution of stride 2, and one of stride 1 on its output:

    >>> receptive_field([(3, 2, 1)])
    FieldGeometry(size=3, stride=2, start=-1)
    >>> receptive_field([(3, 2, 1), (3, 1, 1)])
    FieldGeometry(size=7, stride=2, start=-3)
    """
    check_items("layers", layers)
    size, stride, start = 1, 1, 0  # an image's pixel sees itself
    for kernel, step, padding in layers:
        check_layer(kernel, step, padding)
        start -= padding * stride
        size += (kernel - 1) * stride
        stride *= step
    return FieldGeometry(size, stride, start)


def check_layer(kernel: int, stride: int, padding: int) -> None:
    """Raise unless a layer has a kernel and a stride of at least 1 and no negative padding."""
    check_count("kernel", kernel)
    check_count("stride", stride)
    if check_whole("padding", padding) < 0:
        raise ValueError(f"padding must be at least 0; got {padding}.")


def resnet_layers(
    stem_size: int = 7,
    depths: Sequence[int] = (3, 4, 6, 3),
    kernels: Sequence[int] = (1, 3, 1),
) -> list[list[Layer]]:
    """List the layers from the image to each of the maps C2, C3, ... of a ResNet.

    Parameters
    ----------
    stem_size : side of the first convolution. Max pooling over 3 x 3 cells follows it.
    depths : residual blocks in each stage. The default is ResNet-50.
    kernels : of a block's branch: (1, 3, 1) for a bottleneck, (3, 3) for a basic block. The first
        3 x 3 convolution of a stage has stride 2, except in the first stage.

    Returns
    -------
    For each map the (kernel, stride, padding) of every layer on the branches' way to it.

    Source
    ------
    He et al., Deep Residual Learning (2015), table 1; strides as in torchvision 0.29.

    Examples
    --------
    >>> [receptive_field(layers).size for layers in resnet_layers()]
    [35, 91, 267, 427]
    >>> [receptive_field(layers).size for layers in resnet_layers(3, (2, 2, 2), (3, 3))]
    [39, 95, 207]
    """
    check_count("stem_size", stem_size)
    layers = [(stem_size, 2, stem_size // 2), (3, 2, 1)]
    maps = []
    for stage, depth in enumerate(depths):
        for block in range(check_count("depths", depth)):
            step = 2 if stage > 0 and block == 0 else 1
            layers.extend(branch_layers(kernels, step))
        maps.append(list(layers))
    return maps


def branch_layers(kernels: Sequence[int], step: int) -> list[Layer]:
    """List the layers of one branch; its first convolution of 3 x 3 cells has the stride.

    Examples
    --------
    >>> branch_layers((1, 3, 1), 2)
    [(1, 1, 0), (3, 2, 1), (1, 1, 0)]
    """
    check_between("3 x 3 convolutions of a branch", list(kernels).count(3), 1, len(kernels))
    strided = list(kernels).index(3)
    return [
        (kernel, step if number == strided else 1, kernel // 2)
        for number, kernel in enumerate(kernels)
    ]

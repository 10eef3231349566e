"""Folding of batch normalisation into the convolution before it.

Once its statistics are fixed, normalisation is a factor and a summand for each channel, which the
weights of the convolution before it can include.
"""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import nn

from roilearn.ops.layers.frozen_batch_norm import FrozenBatchNorm2d

Model = TypeVar("Model", bound=nn.Module)


def fold_normalisation(model: Model) -> Model:
    """Copy a model in evaluation mode, each batch normalisation folded into its convolution.

    A convolution is linear, so a factor and a summand for each channel can be included in its
    weights and bias. This saves one pass over the maps. Results are equal up to rounding.

    Parameters
    ----------
    model : any module. Where a convolution and a normalisation follow each other among the children
        of one module, the second is assumed to be applied to the output of the first.

    Returns
    -------
    A copy for prediction. Its state dict has other names, so weights must be loaded before. Each
    folded normalisation is replaced by ``nn.Identity``; one without a convolution before it stays.

    Examples
    --------
    >>> layers = nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
    >>> fold_normalisation(layers)
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(1, 1), stride=(1, 1))
      (1): Identity()
      (2): ReLU()
    )
    """
    folded = copy.deepcopy(model).eval()
    for parent in list(folded.modules()):
        for name, convolution, norm in _conv_norm_pairs(parent):
            _fold(convolution, norm)
            setattr(parent, name, nn.Identity())
    return folded


def _conv_norm_pairs(parent: nn.Module) -> Iterator[tuple[str, nn.Conv2d, nn.Module]]:
    """Yield each convolution with the normalisation after it, and the name of the latter."""
    for (_, first), (name, second) in pairwise(list(parent.named_children())):
        fixed = isinstance(second, FrozenBatchNorm2d) or (
            isinstance(second, nn.BatchNorm2d) and second.track_running_stats
        )
        if isinstance(first, nn.Conv2d) and fixed:
            yield name, first, second


@torch.no_grad()
def _fold(convolution: nn.Conv2d, norm: Any) -> None:
    """Include a normalisation in the weights and the bias of the convolution before it."""
    variance = norm.running_var.double()
    weight = torch.ones_like(variance) if norm.weight is None else norm.weight.double()
    bias = torch.zeros_like(variance) if norm.bias is None else norm.bias.double()
    factor = weight / (variance + norm.eps).sqrt()  # [C]
    before = 0.0 if convolution.bias is None else convolution.bias.double()
    summand = bias + (before - norm.running_mean.double()) * factor  # [C]
    kernel = convolution.weight
    kernel.copy_(kernel.double() * factor[:, None, None, None])
    convolution.bias = nn.Parameter(summand.to(kernel.dtype), kernel.requires_grad)

"""Frozen batch normalisation, and folding of batch normalisation into the convolution before it.

A detector is trained on few images per step, too few for batch statistics. So a pretrained backbone
keeps the statistics that it was trained with. Once they are fixed, normalisation is a factor and a
summand for each channel, which the weights of the convolution before it can include.
"""

import copy
from collections.abc import Iterator, MutableMapping
from itertools import pairwise
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import batch_norm

Model = TypeVar("Model", bound=nn.Module)


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation with fixed statistics and fixed affine parameters.

    (x - running_mean) / sqrt(running_var + eps) * weight + bias, where all of these are buffers, so
    that training does not change them.

    Parameters
    ----------
    num_features : number of channels of the maps.
    eps : added to the variance. torchvision 0.27 takes 0 for its weights ``COCO_V1``, which were
        trained before it had one.

    Source
    ------
    torchvision 0.27: the same names. As there, the state dict of an ``nn.BatchNorm2d`` can be
    loaded; its count of batches is dropped.

    Examples
    --------
    >>> norm = FrozenBatchNorm2d(1, eps=0.0)
    >>> _ = norm.load_state_dict({
    ...     "running_mean": torch.tensor([5.0]), "running_var": torch.tensor([4.0]),
    ...     "weight": torch.tensor([10.0]), "bias": torch.tensor([1.0])})
    >>> norm(torch.full((1, 1, 1, 1), 7.0)).item()
    11.0
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, start in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, torch.full((num_features,), float(start)))

    def forward(self, features: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """Normalise, in one pass over the maps."""
        statistics = (self.running_mean, self.running_var)
        return batch_norm(features, *statistics, self.weight, self.bias, eps=self.eps)

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *others: Any
    ) -> None:
        state_dict.pop(f"{prefix}num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *others)

    def extra_repr(self) -> str:
        """Show the number of channels in the printed model."""
        return f"{len(self.weight)}, eps={self.eps:g}"


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

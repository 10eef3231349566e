"""Frozen batch normalisation: statistics and affine parameters that training does not change.

A detector is trained on few images per step, too few for batch statistics. So a pretrained backbone
keeps the statistics that it was trained with.
"""

from collections.abc import MutableMapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from roilearn.arguments import check_at_least, check_count


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation with fixed statistics and fixed affine parameters.

    (x - running_mean) / sqrt(running_var + eps) * weight + bias, where all of these are buffers, so
    that training does not change them.

    Parameters
    ----------
    num_features : number of channels of the maps.
    eps : added to the variance. torchvision 0.29 takes 0 for its weights ``COCO_V1``, which were
        trained before it had one.

    Raises
    ------
    ValueError, TypeError: fewer than one feature, a negative eps.

    Source
    ------
    torchvision 0.29: the same names. As there, the state dict of an ``nn.BatchNorm2d`` can be
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
        check_count("num_features", num_features)
        self.eps = check_at_least("eps", eps, 0)
        for name, start in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, torch.full((num_features,), float(start)))

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """Normalise, in one pass over the maps."""
        statistics = (self.running_mean, self.running_var)
        return batch_norm(x, *statistics, self.weight, self.bias, eps=self.eps)

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *others: Any
    ) -> None:
        state_dict.pop(f"{prefix}num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *others)

    def extra_repr(self) -> str:
        """Show the number of channels in the printed model."""
        return f"{len(self.weight)}, eps={self.eps:g}"

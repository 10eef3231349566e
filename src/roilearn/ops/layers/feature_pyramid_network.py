"""Feature pyramid network, with torchvision's arguments: maps by name in, maps by name out.

``roilearn.models.FeaturePyramid`` is the same network over a list of maps, as the book explains it.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from roilearn.arguments import check_count, check_levels, check_type
from roilearn.ops.layers.conv_norm_activation import Conv2dNormActivation

Maps = list[Float[Tensor, "N _ _ _"]]
ALONE = re.compile(r"((?:inner|layer)_blocks\.\d+)\.(weight|bias)")
"""Older names of parameters in torchvision's state dicts, without the number in the block."""


class ExtraFPNBlock(nn.Module):
    """Base class of what adds maps to a pyramid: a program writes its own ``forward``."""

    def forward(self, results: Maps, x: Maps, names: list[str]) -> tuple[Maps, list[str]]:
        """Return the maps of the pyramid and their names, with others after them.

        Parameters
        ----------
        results : maps of the pyramid, finest first.
        x : the maps that it was computed from.
        names : their names.
        """
        raise NotImplementedError


class LastLevelMaxPool(ExtraFPNBlock):
    """Add the map ``"pool"``: every second row and column of the coarsest one."""

    def forward(self, results: Maps, x: Maps, names: list[str]) -> tuple[Maps, list[str]]:
        """Return the maps and their names with one more at the end."""
        del x
        return [*results, max_pool2d(results[-1], 1, stride=2)], [*names, "pool"]


class FeaturePyramidNetwork(nn.Module):
    """Compute a pyramid: maps of equally many channels, each with the context of the coarser ones.

    Parameters
    ----------
    in_channels_list : channels of each map, finest first.
    out_channels : channels of every map of the pyramid.
    extra_blocks : adds maps at the end; called with the pyramid, the maps that it was computed from
        and their names. ``LastLevelMaxPool()`` is one, and torchvision's are accepted.
    norm_layer : builds the normalisation after each convolution, which then has no bias; None:
        there is none, as in the paper.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 3; names of arguments and of parameters are
    torchvision 0.29's, whose state dicts can be loaded.

    Examples
    --------
    >>> import torch
    >>> pyramid = FeaturePyramidNetwork([32, 64], 16, LastLevelMaxPool())
    >>> maps = {"C2": torch.zeros(1, 32, 25, 34), "C3": torch.zeros(1, 64, 13, 17)}
    >>> {name: tuple(level.shape[1:]) for name, level in pyramid(maps).items()}
    {'C2': (16, 25, 34), 'C3': (16, 13, 17), 'pool': (16, 7, 9)}
    """

    def __init__(
        self,
        in_channels_list: Sequence[int],
        out_channels: int,
        extra_blocks: nn.Module | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.in_channels_list = [check_count("in_channels_list", size) for size in in_channels_list]
        check_count("out_channels", out_channels)
        if extra_blocks is not None:
            check_type("extra_blocks", extra_blocks, nn.Module, "LastLevelMaxPool() is one.")
        self.inner_blocks = nn.ModuleList(
            Conv2dNormActivation(
                channels, out_channels, 1, norm_layer=norm_layer, activation_layer=None
            )
            for channels in in_channels_list
        )
        self.layer_blocks = nn.ModuleList(
            Conv2dNormActivation(
                out_channels, out_channels, 3, norm_layer=norm_layer, activation_layer=None
            )
            for _ in in_channels_list
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *others: Any
    ) -> None:
        """Accept older names as well: a convolution was not in a block of its own once."""
        for name in list(state_dict):
            if name.startswith(prefix) and (old := ALONE.fullmatch(name.removeprefix(prefix))):
                state_dict[f"{prefix}{old[1]}.0.{old[2]}"] = state_dict.pop(name)
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(
        self, x: Mapping[str, Float[Tensor, "N _ _ _"]]
    ) -> dict[str, Float[Tensor, "N _ _ _"]]:
        """Compute the pyramid from maps by name, finest first; the names stay."""
        maps, names = list(x.values()), list(x)
        check_levels(x=maps, in_channels_list=self.in_channels_list)
        results: Maps = []
        merged = None
        blocks = zip(self.inner_blocks, self.layer_blocks, maps, strict=True)
        for lateral, smooth, level in reversed(list(blocks)):
            inner = lateral(level)
            if merged is not None:
                inner = inner + interpolate(merged, inner.shape[-2:], mode="nearest")
            merged = inner
            results.insert(0, smooth(merged))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return dict(zip(names, results, strict=True))

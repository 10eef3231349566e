"""The feature pyramid network (FPN): maps of all resolutions that share the coarsest map's context.

A fine map of the body shows where edges are, a coarse one what they belong to. From the top down,
the coarser map is enlarged twice and added to each map.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from roilearn.arguments import check_choice, check_count, check_levels
from roilearn.models.backbone.convolution_blocks import conv_norm
from roilearn.models.backbone.residual_blocks import Norm
from roilearn.models.registry import BackboneBody

EXTRA_LEVELS = ("pool",)


class FeaturePyramid(nn.Module):
    """Compute P2, P3, ..., all of the same number of channels, from C2, C3, ...

    Parameters
    ----------
    in_channels : channels of each map, finest first.
    out_channels : channels of every map of the pyramid.
    extra : ``"pool"``: add a level at the end, every second row and column of the last. It has the
        largest anchors, and no box is pooled from it. None: no such level.
    norm : builds the normalisation after each convolution, which then has no bias. None: there is
        none, as in the paper.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 3. The names inner_blocks (the laterals)
    and layer_blocks are those of torchvision 0.29.

    Examples
    --------
    >>> import torch
    >>> pyramid = FeaturePyramid([32, 64], out_channels=16)
    >>> maps = pyramid([torch.zeros(1, 32, 25, 34), torch.zeros(1, 64, 13, 17)])
    >>> {name: tuple(level.shape[1:]) for name, level in maps.items()}
    {'0': (16, 25, 34), '1': (16, 13, 17), 'pool': (16, 7, 9)}
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 256,
        extra: str | None = "pool",
        norm: Norm | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = [check_count("in_channels", channels) for channels in in_channels]
        self.out_channels = check_count("out_channels", out_channels)
        if extra is not None:
            check_choice("extra", extra, EXTRA_LEVELS)
        self.extra = extra
        self.inner_blocks = nn.ModuleList(
            conv_norm(channels, out_channels, 1, norm) for channels in in_channels
        )
        self.layer_blocks = nn.ModuleList(
            conv_norm(out_channels, out_channels, 3, norm) for _ in in_channels
        )

    def forward(
        self, maps: Sequence[Float[Tensor, "N _ _ _"]]
    ) -> dict[str, Float[Tensor, "N C _ _"]]:
        """Compute the pyramid from the body's maps.

        Parameters
        ----------
        maps : finest first, one for each of ``in_channels``.

        Returns
        -------
        Maps by torchvision's names, finest first: ``"0"``, ``"1"``, ..., and
        ``"pool"``. With a body of four stages these are P2, P3, P4, P5 and P6.
        """
        check_levels(maps=maps, in_channels=self.in_channels)
        laterals = [lateral(level) for lateral, level in zip(self.inner_blocks, maps, strict=True)]
        merged = top_down(laterals)  # [N, C, _, _] each
        # Enlarging repeats cells; a 3 x 3 convolution smooths the steps between them.
        levels = [smooth(level) for smooth, level in zip(self.layer_blocks, merged, strict=True)]
        pyramid = {str(number): level for number, level in enumerate(levels)}
        if self.extra == "pool":
            pyramid["pool"] = max_pool2d(levels[-1], 1, stride=2)
        return pyramid


def top_down(laterals: Sequence[Float[Tensor, "N C _ _"]]) -> list[Float[Tensor, "N C _ _"]]:
    """Add to each map the sum of all coarser ones, enlarged by repeating cells.

    Parameters
    ----------
    laterals : maps of equally many channels, finest first.

    Returns
    -------
    As many maps of the same sizes. The coarsest is unchanged.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 3.

    Examples
    --------
    >>> import torch
    >>> maps = top_down([torch.ones(1, 1, 2, 2), torch.full((1, 1, 1, 1), 5.0)])
    >>> maps[0].flatten()
    tensor([6., 6., 6., 6.])
    """
    merged = [laterals[-1]]
    for lateral in laterals[-2::-1]:
        enlarged = interpolate(merged[0], lateral.shape[-2:], mode="nearest")
        merged.insert(0, lateral + enlarged)
    return merged


class Backbone(nn.Module):
    """Body and feature pyramid: all that a detector computes once for an image.

    Parameters
    ----------
    body : gives a list of maps, finest first, see ``BackboneBody``; ``ResNet`` is one.
    fpn : computes the pyramid from them.
    """

    def __init__(self, body: BackboneBody, fpn: FeaturePyramid) -> None:
        super().__init__()
        self.body = body
        self.fpn = fpn
        self.out_channels = fpn.out_channels

    def forward(self, images: Float[Tensor, "N 3 H W"]) -> dict[str, Float[Tensor, "N C _ _"]]:
        """Compute the maps of the pyramid, by name, finest first."""
        return self.fpn(self.body(images))

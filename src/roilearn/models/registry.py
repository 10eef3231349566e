"""Decorators that register backbone bodies and model builders under their function's name.

This file need not be edited: a new body stands in ``backbone/``, a new builder in ``builders``,
each with its decorator. From then on its name can stand in a call of ``mask_rcnn``, in a model
file and on the command line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_choice

Function = TypeVar("Function", bound=Callable[..., Any])


@runtime_checkable
class BackboneBody(Protocol):
    """What a detector needs of a backbone's body: feature maps of several resolutions.

    ``out_channels`` : channels of each map, finest first. Called with images (N, 3, H, W) it gives
    a list of as many maps, each of half the resolution of the one before. To be trained and saved
    it must be an ``nn.Module``.
    """

    @property
    def out_channels(self) -> Sequence[int]:
        """Channels of each map, finest first."""
        ...

    def __call__(self, images: Float[Tensor, "N 3 H W"], /) -> list[Float[Tensor, "N _ _ _"]]:
        """Compute the maps of a batch of images, finest first."""
        ...


@dataclass(frozen=True)
class Builder:
    """A function that builds a model, and what programs have to know of it.

    Parameters
    ----------
    name : of the function. A model file says which builder it needs by this name.
    build : the function. Its options can be written as JSON, except ``weights`` and ``fold``.
    command_line_name : what ``roilearn train --model`` calls it; None: it is not offered there.
    training_settings : fields of ``roilearn.train.Settings`` that suit the model, where they differ
        from the defaults there.
    named_weights : names of weights that the builder can download, each with the options that
        follow from it.
    weights_enum : torchvision's enumeration that has them.
    fine_tuning_options : options with which training begins from any weights, where nobody gives
        others.
    without_masks : name of the builder of the same detector without masks, for data that have boxes
        alone.
    """

    name: str
    build: Callable[..., Any]
    command_line_name: str | None = None
    training_settings: Mapping[str, Any] = field(default_factory=dict)
    named_weights: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    weights_enum: str = "MaskRCNN_ResNet50_FPN_Weights"
    fine_tuning_options: Mapping[str, Any] = field(default_factory=dict)
    without_masks: str | None = None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Build the model."""
        return self.build(*arguments, **options)


BACKBONES: dict[str, Callable[..., BackboneBody]] = {}
"""Functions that build a backbone's body, by name. ``roilearn.models.BACKBONES`` has ours."""
BUILDERS: dict[str, Builder] = {}
"""Builders by name: a model file can call no other. ``roilearn.models.BUILDERS`` has ours."""


def register_backbone(build: Function) -> Function:
    """Enter a function that builds a backbone's body; its name is the name it is known by.

    Examples
    --------
    >>> from torch import nn
    >>> class OneMap(nn.Conv2d):
    ...     out_channels = [8]
    ...     def forward(self, images):
    ...         return [super().forward(images)]
    >>> @register_backbone
    ... def one_map():
    ...     return OneMap(3, 8, 4, stride=4)
    >>> "one_map" in BACKBONES
    True
    >>> del BACKBONES["one_map"]
    """
    BACKBONES[build.__name__] = build
    return build


def register_builder(**about: Any) -> Callable[[Function], Function]:
    """Enter a function that builds a model, with what ``Builder`` tells of it.

    Parameters
    ----------
    about : fields of ``Builder`` other than ``name`` and ``build``.
    """

    def register(build: Function) -> Function:
        BUILDERS[build.__name__] = Builder(build.__name__, build, **about)
        return build

    return register


def make_body(body: str | BackboneBody, options: Mapping[str, Any] | None = None) -> BackboneBody:
    """Build the backbone's body of a registered name; a body is returned as it is.

    Parameters
    ----------
    body : a key of ``BACKBONES``, or a body.
    options : of the function of that name.

    Raises
    ------
    ValueError: a name that is not registered; options for a body that is there already.
    TypeError: something that lacks what ``BackboneBody`` asks for.
    """
    if isinstance(body, str):
        check_choice("body", body, tuple(BACKBONES))
        return BACKBONES[body](**(options or {}))
    if options:
        raise ValueError(f"backbone_options must come with the name of a body; got {body!r:.60}.")
    if not isinstance(body, BackboneBody):
        raise TypeError(
            "body must be the name of a backbone or a module with out_channels, whose call gives "
            f"a map for each; got {type(body).__name__}."
        )
    return body

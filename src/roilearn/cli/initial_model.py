"""The initial model of a run: its builder, the builder's options, and the weights to start from."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from torch import Tensor

from roilearn.arguments.options import near_names
from roilearn.models.builders import BUILDERS
from roilearn.models.rcnn.assembly import faster_rcnn, known_options, mask_rcnn
from roilearn.models.rcnn.faster_rcnn import FasterRCNN, parameter_names
from roilearn.models.rcnn.mask_rcnn import MaskRCNN
from roilearn.models.registry import Builder
from roilearn.models.weights.model_config import current_options
from roilearn.models.weights.model_files import TRAINED, read_model_file
from roilearn.models.weights.pretrained import load_weights
from roilearn.models.weights.state_dict import count_classes
from roilearn.train.predict import check_weights, is_name
from roilearn.train.validation_split import file_digest

DEFAULT_MODEL = "tiny"
"""Command-line name of the builder where neither ``--model`` nor ``--weights`` say which."""
RESERVED_OPTIONS = {
    "num_classes": "it follows from the data",
    "weights": "pass --weights",
    "weights_backbone": "pass --weights",
    "fold": "it is for prediction only",
    "progress": "a download always shows it",
}
"""Options of builders that must not stand in ``--model-options``, and why."""
INTERNAL_OPTIONS = {"backbone_options"}
"""Options of detectors that builders set themselves, unless they name them."""
MODULE_ENDINGS = ("_roi_pool", "_head", "_predictor", "_generator")
"""Endings of the names of options that are modules, which no command line can hold."""


@dataclass(frozen=True)
class InitialModel:
    """How to build the model that a run starts from.

    Attributes
    ----------
    builder : key of ``BUILDERS``.
    options : options of the builder, without ``num_classes`` and ``weights``.
    weights : initial weights; None: random.
    source : where the weights come from, as it is written into checkpoints.
    """

    builder: str
    options: dict[str, Any]
    weights: Mapping[str, Tensor] | None
    source: str

    def class_mismatch(self, classes: int) -> str | None:
        """Say that weights and data have different numbers of classes, or None if they do not."""
        known = 0 if self.weights is None else count_classes(self.weights) - 1
        if known in (0, classes):
            return None
        return (
            f"the weights have {known} classes and the data {classes}: the layers whose shape "
            "depends on that start from random numbers"
        )


def choose_initial_model(
    weights: str | None, model: str | None, options: Mapping[str, Any], masks: bool = True
) -> InitialModel:
    """Find out what ``--weights``, ``--model`` and ``--model-options`` ask for.

    Parameters
    ----------
    masks : whether the data have masks. If not, the same detector without masks is built, and
        weights of one with masks lose those of its mask head.

    Raises
    ------
    ConnectionError, ImportError: weights that cannot be downloaded or read.
    FileNotFoundError, ValueError: no such weights or model; weights of another model; options that
        the model does not have.
    """
    builder = find_builder(model or DEFAULT_MODEL)
    described: dict[str, Any] = {}
    state, source = None, "random numbers"
    if weights is not None:
        check_weights(weights)
        digest = "" if is_name(weights) else f" {file_digest(Path(weights))}"
        source = f"{Path(weights).name}{digest}"
    trained_for = next((b for b in BUILDERS.values() if weights in b.named_weights), None)
    named = weights is not None and trained_for is not None
    if weights is not None and trained_for is not None:
        if model is not None and builder != trained_for:
            raise ValueError(
                f"--weights {weights} are for --model {trained_for.command_line_name}; got {model}."
            )
        builder = trained_for
    elif weights is not None and (weights in TRAINED or Path(weights).suffix == ".safetensors"):
        config, state = read_model_file(TRAINED.get(weights, Path(weights)))
        if model is not None and builder.name != config["builder"]:
            raise ValueError(
                f"--weights must be of --model {model}; they are of {config['builder']}."
            )
        builder, described = BUILDERS[config["builder"]], dict(config["options"])
    if not masks:
        builder = builder_without_masks(builder)
        described = {k: v for k, v in described.items() if not k.startswith("mask_")}
    if named and weights is not None:
        described = dict(builder.named_weights[weights])
    options = current_options(options)
    check_options(builder.name, options)
    if weights is not None:
        state = load_weights(weights, builder.weights_enum) if state is None else state
        if not masks:
            state = {k: v for k, v in state.items() if not k.startswith("roi_heads.mask_")}
        fine_tuning = builder.fine_tuning_options.items()
        described |= {k: v for k, v in fine_tuning if described.get(k) is None}
    return InitialModel(builder.name, {**described, **options}, state, source)


def builder_without_masks(builder: Builder) -> Builder:
    """Return the builder of the same detector without masks; itself, if it has none.

    Raises
    ------
    ValueError: a builder of masks that has no such counterpart.
    """
    if builder.without_masks is not None:
        return BUILDERS[builder.without_masks]
    if builds_masks(builder):
        known = [b.command_line_name for b in BUILDERS.values() if b.without_masks]
        names = ", ".join(name for name in known if name is not None)
        raise ValueError(
            f"--model must be one of {names} where boxes alone are trained; got "
            f"{builder.command_line_name or builder.name}, which needs masks."
        )
    return builder


def builds_masks(builder: Builder) -> bool:
    """Whether a builder builds a Mask R-CNN."""
    return issubclass(signature(builder.build).return_annotation, MaskRCNN)


def find_builder(model: str) -> Builder:
    """Find the builder that is called ``model`` on the command line."""
    builders = {each.command_line_name: each for each in BUILDERS.values()}
    if model not in builders:
        names = ", ".join(name for name in builders if name is not None)
        raise ValueError(f"--model must be one of {names}; got {model!r}.")
    return builders[model]


def check_options(builder: str, options: Mapping[str, Any]) -> None:
    """Raise unless ``--model-options`` are options of the builder; name those near a wrong one."""
    for name in options:
        if name in RESERVED_OPTIONS:
            raise ValueError(f"--model-options must not hold {name}: {RESERVED_OPTIONS[name]}.")
        if name not in allowed_options(builder):
            near = near_names(name, allowed_options(builder))
            raise ValueError(f"--model-options must be options of {builder}; got {name!r}. {near}")


def allowed_options(builder: str) -> list[str]:
    """List what ``--model-options`` may hold: numbers and words, no modules."""
    build = BUILDERS[builder].build
    kinds = (MaskRCNN, mask_rcnn) if builds_masks(BUILDERS[builder]) else (FasterRCNN, faster_rcnn)
    allowed = known_options(*kinds) - INTERNAL_OPTIONS
    allowed = allowed.union(parameter_names(build)) - RESERVED_OPTIONS.keys()
    return sorted(each for each in allowed if not each.endswith(MODULE_ENDINGS))

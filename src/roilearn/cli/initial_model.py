"""The initial model of a run: its builder, the builder's options, and the weights to start from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import signature
from pathlib import Path
from typing import Any

from torch import Tensor

from roilearn.models.builders import BUILDERS
from roilearn.models.mask_rcnn import mask_rcnn
from roilearn.models.registry import Builder
from roilearn.models.roi_heads.roi_heads import HeadOptions
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
    "fold": "it is for prediction only",
}
"""Options of builders that must not stand in ``--model-options``, and why."""
INTERNAL_OPTIONS = {"body", "backbone_options", "mask_target_aligned"}
"""Options of ``mask_rcnn`` and its heads that builders set themselves, unless they name them."""


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
    weights: str | None, model: str | None, options: Mapping[str, Any]
) -> InitialModel:
    """Find out what ``--weights``, ``--model`` and ``--model-options`` ask for.

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
    if weights is not None and trained_for is not None:
        if model is not None and builder != trained_for:
            raise ValueError(
                f"--weights {weights} are for --model {trained_for.command_line_name}; got {model}."
            )
        builder, described = trained_for, dict(trained_for.named_weights[weights])
    elif weights is not None and (weights in TRAINED or Path(weights).suffix == ".safetensors"):
        config, state = read_model_file(TRAINED.get(weights, Path(weights)))
        if model is not None and builder.name != config["builder"]:
            raise ValueError(
                f"--weights must be of --model {model}; they are of {config['builder']}."
            )
        builder, described = BUILDERS[config["builder"]], dict(config["options"])
    options = current_options(options)
    check_options(builder.name, options)
    if weights is not None:
        state = load_weights(weights) if state is None else state
        fine_tuning = builder.fine_tuning_options.items()
        described |= {k: v for k, v in fine_tuning if described.get(k) is None}
    return InitialModel(builder.name, {**described, **options}, state, source)


def find_builder(model: str) -> Builder:
    """Find the builder that is called ``model`` on the command line."""
    builders = {each.command_line_name: each for each in BUILDERS.values()}
    if model not in builders:
        names = ", ".join(name for name in builders if name is not None)
        raise ValueError(f"--model must be one of {names}; got {model!r}.")
    return builders[model]


def check_options(builder: str, options: Mapping[str, Any]) -> None:
    """Raise unless ``--model-options`` are options of the builder, and list those that are."""
    allowed = {each.name for each in fields(HeadOptions)} | parameter_names(mask_rcnn)
    allowed -= INTERNAL_OPTIONS
    allowed = (allowed | parameter_names(BUILDERS[builder].build)) - RESERVED_OPTIONS.keys()
    for name in options:
        if name in RESERVED_OPTIONS:
            raise ValueError(f"--model-options must not hold {name}: {RESERVED_OPTIONS[name]}.")
        if name not in allowed:
            listed = ", ".join(sorted(allowed))
            raise ValueError(
                f"--model-options must be options of {builder}, {listed}; got {name!r}."
            )


def parameter_names(function: Callable[..., Any]) -> set[str]:
    """Names of a function's parameters, without ``**options``."""
    parameters = signature(function).parameters.values()
    return {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}

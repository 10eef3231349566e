"""Which model a run begins with: its maker, its options, its first weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import signature
from pathlib import Path
from typing import Any

from torch import Tensor

from roilearn.models.mask_rcnn import mask_rcnn
from roilearn.models.roi_heads.roi_heads import HeadOptions
from roilearn.models.weights.model_config import MAKERS
from roilearn.models.weights.model_files import TRAINED, read_tensors
from roilearn.models.weights.pretrained import WEIGHT_NAMES, classes_of, load_weights
from roilearn.train.recipes import FINE_TUNING
from roilearn.train.validation_split import digest

KNOWN = {"tiny": "mask_rcnn_tiny", "resnet50": "mask_rcnn_resnet50_fpn"}
"""Makers by the names they have on the command line."""
GIVEN = {
    "num_classes": "it follows from the data",
    "weights": "pass --weights",
    "fold": "it is for prediction only",
}
"""Options of makers that nobody gives in ``--model-options``, and why."""


@dataclass(frozen=True)
class Beginning:
    """How to call ``MAKERS[maker]``, and what a checkpoint has to know of the weights."""

    maker: str
    options: dict[str, Any]
    weights: Mapping[str, Tensor] | None
    told: str

    def about_classes(self, names: int) -> str | None:
        """Say that weights and data tell numbers of classes apart that differ, if they do."""
        known = 0 if self.weights is None else classes_of(self.weights) - 1
        if known in (0, names):
            return None
        return (
            f"the weights tell {known} classes apart and the data {names}: the layers that name a "
            "class begin anew"
        )


def choose_beginning(
    weights: str | None, model: str | None, options: Mapping[str, Any]
) -> Beginning:
    """Find out what the options ``--weights``, ``--model`` and ``--model-options`` ask for.

    Raises
    ------
    ConnectionError, ImportError: weights that cannot be fetched or read.
    FileNotFoundError, ValueError: no such weights; weights of another model; options that no model
        has.
    """
    maker, described, state, told = KNOWN[model or "tiny"], {}, None, "random numbers"
    if weights is not None:
        check_weights(weights)
        told = weights if is_name(weights) else f"{Path(weights).name} {digest(Path(weights))}"
    if weights in WEIGHT_NAMES:
        if model == "tiny":
            raise ValueError(f"--weights {weights} are for --model resnet50; got tiny.")
        maker, described = KNOWN["resnet50"], {"norm_eps": 0.0}
    elif weights is not None and (weights in TRAINED or Path(weights).suffix == ".safetensors"):
        header, state = read_tensors(TRAINED.get(weights, Path(weights)))
        maker, described = header["maker"], dict(header["options"])
        if model is not None and KNOWN[model] != maker:
            raise ValueError(f"--weights must be of --model {model}; they are of {maker}.")
    check_options(maker, options)
    if weights is not None:
        state = load_weights(weights) if state is None else state
        if maker == KNOWN["resnet50"]:
            described |= {k: v for k, v in FINE_TUNING.items() if described.get(k) is None}
    return Beginning(maker, {**described, **options}, state, told)


def check_options(maker: str, options: Mapping[str, Any]) -> None:
    """Raise unless ``--model-options`` are options of the maker, naming those that are."""
    allowed = {each.name for each in fields(HeadOptions)} | named(mask_rcnn)
    allowed = (allowed - {"body", "target_half_cell"} | named(MAKERS[maker])) - GIVEN.keys()
    for name in options:
        if name in GIVEN:
            raise ValueError(f"--model-options must not hold {name}: {GIVEN[name]}.")
        if name not in allowed:
            listed = ", ".join(sorted(allowed))
            raise ValueError(f"--model-options must be options of {maker}, {listed}; got {name!r}.")


def named(function: Callable[..., Any]) -> set[str]:
    """Names of the arguments that a function spells out."""
    parameters = signature(function).parameters.values()
    return {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}


def check_weights(weights: str | Path) -> None:
    """Raise unless weights are a name that is known or a file.

    Raises
    ------
    FileNotFoundError: neither of them.
    """
    if not is_name(weights) and not Path(weights).is_file():
        names = ", ".join(map(repr, (*WEIGHT_NAMES, *TRAINED)))
        what = "is a folder: name a file in it" if Path(weights).is_dir() else "is not there"
        raise FileNotFoundError(
            f"weights must be one of {names} or the path of a file; {str(weights)!r} {what}."
        )


def is_name(weights: str | Path) -> bool:
    """Whether weights are asked for by name."""
    return str(weights) in (*WEIGHT_NAMES, *TRAINED)

"""Loading a state dict into a model: class layers of another size are reset, errors are short."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

CLASS_LAYERS = (
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.mask_fcn_logits",
    "roi_heads.keypoint_predictor.kps_score_lowres",
)
"""Layers whose shape depends on the number of classes, or of keypoints."""
SHOWN_NAMES = 3
"""Number of names of each kind that an error shows."""


def load_state_dict(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights, also those of another number of classes; see ``reset_class_layers``.

    Raises
    ------
    RuntimeError: weights of another architecture: missing, unexpected or of another shape.
    """
    state, own = reset_class_layers(model, state), model.state_dict()
    shared = [name for name in own if name in state]
    mismatched = [
        f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}"
        for name in shared
        if state[name].shape != own[name].shape
    ]
    alike = {k: v for k, v in state.items() if k not in own or v.shape == own[k].shape}
    missing, unexpected = model.load_state_dict(alike, strict=False)
    missing = [name for name in missing if name not in shared]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": mismatched}
    problems = [f"{summarise_names(names)} {kind}" for kind, names in kinds.items() if names]
    if problems:
        raise RuntimeError(
            f"weights must fit the model; {'; '.join(problems)}. Build the model that they were "
            "saved from, with the same options, or take other weights."
        )


def summarise_names(names: Sequence[str]) -> str:
    """Give the number of names, and the first of them.

    Examples
    --------
    >>> summarise_names(["a", "b", "c", "d"])
    '4 (a, b, c, ...) are'
    """
    more = ", ..." if len(names) > SHOWN_NAMES else ""
    verb = "is" if len(names) == 1 else "are"
    return f"{len(names)} ({', '.join(names[:SHOWN_NAMES])}{more}) {verb}"


def reset_class_layers(model: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace class layers by the model's own where the weights have another number of classes.

    So a model that was trained on one data set can be fine-tuned on another: the layers of
    ``CLASS_LAYERS`` keep their random initial weights, all others are loaded. Other differences
    stay, and ``load_state_dict`` raises for them.
    """
    merged, own = dict(state), model.state_dict()
    for name in own:
        if name.rpartition(".")[0] in CLASS_LAYERS and name in state:
            merged[name] = state[name] if state[name].shape == own[name].shape else own[name]
    return merged


def count_classes(state: Mapping[str, Tensor]) -> int:
    """Count the classes of a state dict, background included.

    Raises
    ------
    ValueError: weights without a box predictor.
    """
    name = f"{CLASS_LAYERS[0]}.bias"
    if name not in state:
        raise ValueError(
            f"weights must be a state dict of a detector such as Mask R-CNN; got one of "
            f"{len(state)} names, and {name!r} is not among them."
        )
    return len(state[name])


def count_keypoints(state: Mapping[str, Tensor]) -> int | None:
    """Count the keypoints of a state dict of Keypoint R-CNN; None for another detector's."""
    bias = state.get(f"{CLASS_LAYERS[-1]}.bias")
    return None if bias is None else len(bias)

"""Weights into a model; where they do not fit, a short word on what differs."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from roilearn.models.weights.pretrained import fit_classes

NAMED = 3
"""Names of each kind that an error shows."""


def put_weights(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights, perhaps of another number of classes; see ``fit_classes``.

    Raises
    ------
    RuntimeError: weights of another architecture.
    """
    fitting, own = fit_classes(model, state), model.state_dict()
    shared = [name for name in own if name in fitting]
    other = [
        f"{name} {tuple(fitting[name].shape)} for {tuple(own[name].shape)}"
        for name in shared
        if fitting[name].shape != own[name].shape
    ]
    alike = {k: v for k, v in fitting.items() if k not in own or v.shape == own[k].shape}
    missing, foreign = model.load_state_dict(alike, strict=False)
    missing = [name for name in missing if name not in shared]
    found = {"missing": missing, "foreign to the model": foreign, "of another shape": other}
    told = [f"{first_of(names)} {what}" for what, names in found.items() if names]
    if told:
        raise RuntimeError(
            f"weights must fit the model; {'; '.join(told)}. Make the model that they are of, with "
            "the options that it had, or take other weights."
        )


def first_of(names: Sequence[str]) -> str:
    """Count names and show the first.

    Examples
    --------
    >>> first_of(["a", "b", "c", "d"])
    '4 (a, b, c, ...) are'
    """
    more = ", ..." if len(names) > NAMED else ""
    return f"{len(names)} ({', '.join(names[:NAMED])}{more}) {'is' if len(names) == 1 else 'are'}"

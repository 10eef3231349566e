"""Two models on the same images, compared layer by layer in the order of the data flow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from roilearn.arguments import check_at_least, check_finite_number, check_type
from roilearn.models.comparison.differences import (
    MADE_HERE,
    LayerDifference,
    relative_difference,
    shape_text,
    verdict_of,
)
from roilearn.models.comparison.recording import (
    ROOT,
    CallKey,
    LayerCalls,
    Tensors,
    record_calls,
    run_watched,
)

TOLERANCE = 1e-4
"""Difference, as a fraction of the largest value, that rounding may make in a deep network."""
OTHER_SIZE = "other size"
"""What a table says where the numbers of values differ, so that they cannot be subtracted."""


@dataclass(frozen=True)
class LayerComparison:
    """What came of a comparison.

    Parameters
    ----------
    layers : a row for each call of a layer that both models make, in the order in which the first
        model's layers return; a layer stands after the layers inside it, the model comes last.
    only_ours, only_theirs : layers of one model that have no counterpart or were called more often.
    tolerance : differences up to this count as rounding.
    """

    layers: tuple[LayerDifference, ...]
    only_ours: tuple[str, ...]
    only_theirs: tuple[str, ...]
    tolerance: float

    @property
    def first(self) -> LayerDifference | None:
        """The first layer that makes a difference of its own; None if there is none."""
        return next((layer for layer in self.layers if layer.verdict == MADE_HERE), None)

    def __getitem__(self, name: str) -> LayerDifference:
        """Return the row of a layer."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no layer {name!r} was called in both models; see the names in layers.")

    def table(self, depth: int = 2) -> str:
        """Write a line for each layer whose name has at most ``depth`` parts, and the result.

        A line has the name, the shape of the output, its difference where that is more than
        rounding, and the verdict.
        """
        rows = [layer for layer in self.layers if layer.name.count(".") < depth]
        texts = [(row.name, row.shapes, self.shown(row)) for row in rows]
        name, shape, shown = (max(map(len, column)) for column in zip(*texts, strict=True))
        lines = [
            f"{one[0]:{name}}  {one[1]:{shape}}  {one[2]:>{shown}}  {row.verdict}"
            for one, row in zip(texts, rows, strict=True)
        ]
        return "\n".join([*lines, str(self)])

    def shown(self, row: LayerDifference) -> str:
        """Write a difference with one digit, and nothing where it is rounding."""
        if row.difference <= self.tolerance:
            return ""
        return OTHER_SIZE if row.shapes != row.shape else f"{row.difference:.0e}"

    def __str__(self) -> str:
        """Write the result in a sentence, and which layers could not be compared."""
        first = self.first
        found = f"No difference above {self.tolerance:.0e} in {len(self.layers)} calls of layers."
        if first:
            found = f"First difference: {first.name}. Its input is the same, "
            shown = self.shown(first)
            apart = "has another size" if shown == OTHER_SIZE else f"differs by {shown}"
            found += f"its output {apart}."
        lines = [found]
        for whose, names in (("first", self.only_ours), ("second", self.only_theirs)):
            if names:
                more = f" and {len(names) - 2} more" if len(names) > 3 else ""
                few = names[:2] if more else names
                lines.append(f"Only in the {whose} model: {', '.join(few)}{more}")
        return "\n".join(lines)


def compare_layers(
    ours: nn.Module,
    theirs: nn.Module,
    images: Any,
    *,
    names: Mapping[str, str | None] | None = None,
    tolerance: float = TOLERANCE,
) -> LayerComparison:
    """Run two models on the same images and say which layer is the first that differs.

    Both models stay as they are: the hooks are removed, also after an error, and no random number
    is used up. What goes into every layer of the first model and comes out of it is held in memory.

    Parameters
    ----------
    ours, theirs : any modules, in evaluation mode. Layers of equal name are compared.
    images : what both are called with; each gets a copy.
    names : for layers of the first model the name in the second one, which also holds for the
        layers inside; None leaves a layer out.
    tolerance : differences up to this fraction of the largest value count as rounding.

    Raises
    ------
    ValueError: a model in training mode, in which layers may draw random numbers and change
        statistics; a name that a model does not have; models without a common name; a tolerance
        below 0.
    TypeError: a model that is no module, ``names`` that are no mapping, a tolerance that is no
        number.

    Examples
    --------
    >>> import torch
    >>> one = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    >>> other = nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(0.5), nn.Linear(4, 2)).eval()
    >>> _ = other.load_state_dict(one.state_dict())
    >>> compared = compare_layers(one, other, torch.randn(8, 4))
    >>> compared.first.name
    '1'
    >>> [layer.verdict for layer in compared.layers]
    ['same', 'made here', 'input differs', 'made inside']
    """
    for which, model in (("ours", ours), ("theirs", theirs)):
        check_type(which, model, nn.Module)
    if names is not None:
        check_type("names", names, Mapping, "Give {'name in ours': 'name in theirs'}.")
    check_finite_number("tolerance", check_at_least("tolerance", tolerance, 0))
    names = names or {}
    check_comparable(ours, theirs, names)
    recorded = record_calls(ours, images)
    their_keys: dict[CallKey, CallKey] = {}
    for key in recorded.outputs:
        their_name = name_there(key.name, names)
        if their_name is not None:
            their_keys[CallKey(their_name, key.number)] = key
    compared = Compared(recorded, their_keys)
    run_watched(theirs, images, compared.before, compared.after)
    return compared.result(names, tolerance)


class Compared:
    """Differences that are computed while the second model runs, so that it need not be kept."""

    def __init__(self, recorded: LayerCalls, their_keys: Mapping[CallKey, CallKey]) -> None:
        self.recorded, self.their_keys = recorded, their_keys
        self.input_differences: dict[CallKey, float] = {}
        self.found: dict[CallKey, tuple[str, str, float]] = {}
        self.only_theirs: list[CallKey] = []

    def before(self, their_key: CallKey, tensors: Tensors) -> None:
        """Compare the inputs of a layer, before it may write into them."""
        key = self.their_keys.get(their_key)
        if key is not None:
            inputs = self.recorded.inputs.pop(key)
            self.input_differences[key] = relative_difference(inputs, tensors)

    def after(self, their_key: CallKey, tensors: Tensors) -> None:
        """Compare the outputs of a layer."""
        key = self.their_keys.get(their_key)
        if key is None:
            self.only_theirs.append(their_key)
            return
        outputs = self.recorded.outputs[key]
        shapes = shape_text(outputs), shape_text(tensors)
        self.found[key] = (*shapes, relative_difference(outputs, tensors))

    def result(self, names: Mapping[str, str | None], tolerance: float) -> LayerComparison:
        """Put the rows in the order of the first model's layers, each with its verdict."""
        rows: list[LayerDifference] = []
        makers: list[str] = []
        for key in (key for key in self.recorded.outputs if key in self.found):
            inputs, (shape, theirs, outputs) = self.input_differences[key], self.found[key]
            inside = any(key.name == ROOT or one.startswith(f"{key.name}.") for one in makers)
            verdict = verdict_of(inputs, outputs, tolerance, inside)
            if verdict == MADE_HERE:
                makers.append(key.name)
            rows.append(LayerDifference(str(key), shape, theirs, inputs, outputs, verdict))
        left_out = {name for name, there in names.items() if there is None}
        ours = [
            str(key)
            for key in self.recorded.outputs
            if key not in self.found and not within(key.name, left_out)
        ]
        theirs_only = [str(key) for key in self.only_theirs if not within(key.name, left_out)]
        return LayerComparison(tuple(rows), tuple(ours), tuple(theirs_only), tolerance)


def name_there(name: str, names: Mapping[str, str | None]) -> str | None:
    """Name of a layer in the second model, by the longest of ``names`` that it lies in.

    Examples
    --------
    >>> name_there("body.conv1", {"body": "bottom_up.stem"}), name_there("rpn", {})
    ('bottom_up.stem.conv1', 'rpn')
    """
    around = [one for one in names if within(name, {one})]
    if not around:
        return name
    longest = max(around, key=len)
    there = names[longest]
    return None if there is None else there + name[len(longest) :]


def within(name: str, parents: set[str]) -> bool:
    """Whether a layer is one of ``parents`` or lies inside one."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def check_comparable(ours: nn.Module, theirs: nn.Module, names: Mapping[str, str | None]) -> None:
    """Raise unless both models are in evaluation mode and have the layers that are named."""
    layers = []
    for which, model in (("ours", ours), ("theirs", theirs)):
        layers.append({name for name, _ in model.named_modules()} - {""})
        if any(layer.training for layer in model.modules()):
            raise ValueError(
                f"{which} must be in evaluation mode, in which no layer draws random numbers or "
                f"changes its statistics; call {which}.eval() first."
            )
    for name, there in names.items():
        for which, wanted, known in (("ours", name, layers[0]), ("theirs", there, layers[1])):
            if wanted is not None and wanted not in known:
                raise ValueError(f"names must be those of layers; {which} has no layer {wanted!r}.")
    if layers[0] and not any(name_there(name, names) in layers[1] for name in layers[0]):
        raise ValueError(
            "ours and theirs must have a layer of the same name; they have none. Give the pairs as "
            "names={'name in ours': 'name in theirs'}."
        )

"""Live figure: the position that each output of a resized signal reads, under four grid rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def signal_with_mass(name: str, value: Any) -> list[float]:
    """Check for 2 to 8 values from 0 upwards that are not all 0: they need a centre of mass."""
    signal = checks.several(checks.number(0, 1e6), 2, 8)(name, value)
    if not any(signal):
        raise ValueError(f"{name} must have a value above 0; got {value!r}.")
    return signal


class ResizeGrids(Explorable):
    """Resize a signal: each grid rule reads it at other positions, and some shift it.

    Parameters
    ----------
    signal : the input, 2 to 8 values from 0 upwards, not all 0; one that is the same from both
        ends stays in place under a rule that shifts nothing.
    out_size : number of output pixels, 1 to 12.
    selected : index of the output pixel whose position is written out.
    """

    modules = ("operators.mjs", "resize_grids.mjs")
    stylesheets = ("resize_grids.css",)

    signal = Checked([0, 9, 0], signal_with_mass)
    out_size = Checked(4, checks.whole(1, 12))
    selected = Checked(2, checks.whole(0, 11))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        selected = min(self.selected, self.out_size - 1)
        scale = len(self.signal) / self.out_size
        return {
            "in_size": len(self.signal),
            "out_size": self.out_size,
            "scale": scale,
            "selected": selected,
            "x": (selected + 0.5) * scale,
            "mass": centre_of_mass(self.signal, 1.0),
            "rules": {rule: self.rule_numbers(rule, selected) for rule in reference.GRID_RULES},
        }

    def rule_numbers(self, rule: str, selected: int) -> dict[str, Any]:
        """Positions and output of one rule, and the shift of the picture in pixels."""
        signal = np.array(self.signal, dtype=np.float64)
        positions = reference.source_positions(self.out_size, len(signal), rule)
        resized = reference.resize_linear(signal, self.out_size, rule)
        mass = centre_of_mass(resized, len(signal) / self.out_size)
        middle = centre_of_mass(signal, 1.0)
        return {
            "positions": positions.tolist(),
            "resized": resized.tolist(),
            "mass": mass,
            "shift": None if mass is None or middle is None else mass - middle,
            "position": float(positions[selected]),
            "x": float(positions[selected]) + 0.5,
            "value": float(resized[selected]),
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        rules = "; ".join(
            f"{rule.replace('_', ' ')} reads index {one['position']:.3f} for it and {moves(one)}"
            for rule, one in numbers["rules"].items()
        )
        return (
            f"A signal of {numbers['in_size']} pixels resized to {numbers['out_size']} under four "
            f"grid rules, one row each: input above, output below, a line from each output pixel "
            f"to where it reads. Under half pixel the lines are upright. Output pixel "
            f"{numbers['selected']} is selected: {rules}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, rows = plot.new_figure(1, 4, width=7.0, height=5.6, sharex=True)
        for axes, (rule, one) in zip(rows, numbers["rules"].items(), strict=True):
            draw_strip(axes, self.signal, max(self.signal), top=0.0, width=1.0)
            draw_strip(axes, one["resized"], max(self.signal), top=2.2, width=numbers["scale"])
            draw_reads(axes, one["positions"], numbers)
            axes.plot([numbers["mass"]] * 2, [1, 3.6], color="0.4", linestyle="--", zorder=0)
            if one["mass"] is not None:
                axes.plot(one["mass"], 3.5, marker="^", color="black", clip_on=False)
            axes.set_title(f"{rule.replace('_', ' ')} {moves(one)}", loc="left")
            axes.set(ylim=(3.7, 0), xlim=(0, numbers["in_size"]), yticks=[])
            axes.spines["left"].set_visible(False)
        rows[-1].set_xlabel("x (input pixels)")
        return figure


def centre_of_mass(values: Any, width: float) -> float | None:
    """Centre of mass in input pixels, each value covering ``width`` of them; None for zeros."""
    weights = np.asarray(values, dtype=np.float64)
    if not weights.any():
        return None
    places = (np.arange(len(weights)) + 0.5) * width
    return float((weights * places).sum() / weights.sum())


def moves(rule_numbers: dict[str, Any]) -> str:
    """Say how far a rule moves the picture."""
    shift = rule_numbers["shift"]
    if shift is None:
        return "leaves nothing of the picture"
    return f"moves the picture by {shift:+.3f} px" if abs(shift) >= 0.0005 else "keeps it in place"


def draw_strip(axes: Axes, values: list[float], peak: float, *, top: float, width: float) -> None:
    """Draw a row of pixels in greys, each with its value."""
    for i, value in enumerate(values):
        grey = str(0.97 - 0.4 * value / peak)
        axes.fill_between([i * width, (i + 1) * width], top, top + 1, color=grey, edgecolor="white")
        axes.text((i + 0.5) * width, top + 0.5, f"{value:.3g}", ha="center", va="center")


def draw_reads(axes: Axes, positions: list[float], numbers: dict[str, Any]) -> None:
    """Draw a line from each output pixel's centre to where it reads; open when moved to an end."""
    for i, position in enumerate(positions):
        inside = min(max(position, 0), numbers["in_size"] - 1)
        style: dict[str, Any] = {"color": COLOURS["sample"], "zorder": 3}
        wide = 3 if i == numbers["selected"] else 1.3
        axes.plot([(i + 0.5) * numbers["scale"], position + 0.5], [2.2, 1], linewidth=wide, **style)
        axes.plot([position + 0.5, inside + 0.5], [1, 1], linestyle=":", **style)
        face = COLOURS["sample"] if inside == position else "white"
        axes.plot(inside + 0.5, 1, marker="o", markerfacecolor=face, **style)

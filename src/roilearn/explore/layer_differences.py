"""Live figure: a port with one mistake, and the stage at which its numbers begin to differ."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roilearn import plot
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORD = json.loads(Path(__file__).with_name("layer_differences.json").read_text("utf-8"))
"""What ``roilearn.models.compare_layers`` finds for each port, on the example scene."""
PORTS = RECORD["ports"]
STAGES = RECORD["stages"]
LEAST = 1e-5
"""Difference at the left end of the logarithmic axis; the right end is 1."""
TOLERANCE = 1e-4
"""Largest difference that counts as rounding, drawn as a dashed line."""
ADVICE = {
    "same": "Its output is the same in both programs: no difference has come through it.",
    "input differs": "Its input is different already, so look at an earlier stage.",
    "made inside": "Its input is the same, but an earlier stage lies inside it and has made the "
    "difference.",
    "made here": "Its input is the same and its output is not: the mistake is in this stage.",
}


class LayerDifferences(Explorable):
    """Choose a port and a stage, and see whether its output differs and whether its input did.

    The differences are recorded: a port is the SHAPES model with one mistake, both models see the
    example scene, and a difference is the largest one as a fraction of the largest value.

    Parameters
    ----------
    port : ``"A"`` to ``"G"``, see ``roilearn.models.broken_port``.
    stage : 0 to 13, the stage that is looked at, in the order of the data flow.
    revealed : whether the mistake is told.
    """

    modules = ("layer_differences.mjs",)
    stylesheets = ("layer_differences.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "PORTS": PORTS,
        "STAGES": STAGES,
        "EXPECTED": RECORD["detections"],
        "LEAST": LEAST,
        "TOLERANCE": TOLERANCE,
        "ADVICE": ADVICE,
    }

    port = Checked("A", checks.one_of(*PORTS))
    stage = Checked(len(STAGES) - 1, checks.whole(0, len(STAGES) - 1))
    revealed = Checked(False, checks.flag)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, as it was recorded."""
        port = PORTS[self.port]
        here = port["rows"][self.stage]
        return {
            "port": self.port,
            "stage": self.stage,
            "name": STAGES[self.stage],
            "input": here["input_text"],
            "output": here["text"],
            "verdict": here["verdict"],
            "found": port["detections"],
            "expected": RECORD["detections"],
            "fault": port["fault"] if self.revealed else None,
            "rows": [
                {"text": row["text"], "share": share(row["difference"])} for row in port["rows"]
            ],
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        rows = ", ".join(
            f"{name} {row['text']}" for name, row in zip(STAGES, numbers["rows"], strict=True)
        )
        told = f" The mistake is to {numbers['fault']}" if self.revealed else ""
        return (
            f"Port {self.port}: a bar for each of {len(STAGES)} stages, from the image to the "
            f"detections, on a logarithmic scale: the largest difference from the right model as a "
            f"fraction of the largest value. {rows}. Chosen is {numbers['name']}. "
            f"{ADVICE[numbers['verdict']]}{told}"
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, axes = plot.new_figure(width=7.0, height=4.6)
        for y, row in enumerate(numbers["rows"]):
            chosen = y == self.stage
            axes.barh(y, row["share"], height=0.6, color=COLOURS["loss"])
            axes.text(1.03, y, row["text"], va="center", weight="bold" if chosen else None)
        axes.axvline(share(TOLERANCE), color="black", linewidth=1, linestyle="--")
        axes.axhspan(self.stage - 0.45, self.stage + 0.45, color="0.88", zorder=0)
        axes.set_yticks(range(len(STAGES)), STAGES)
        powers = range(round(math.log10(LEAST)), 1)
        axes.set_xticks([share(10.0**power) for power in powers], [f"1e{p}" for p in powers])
        axes.set(xlim=(0, 1), ylim=(len(STAGES) - 0.4, -0.6))
        axes.set(xlabel="largest difference / largest value")
        axes.set_title(f"Port {self.port}: {numbers['name']}, {numbers['verdict']}", loc="left")
        return figure


def share(difference: float | None) -> float:
    """Length of a bar: 0 for no difference, 1 for a difference of 1 or of sizes (None).

    Examples
    --------
    >>> share(0), share(1e-5), share(1e-3), share(None)
    (0.0, 0.0, 0.4, 1.0)
    """
    if difference is None:
        return 1.0
    if difference <= LEAST:
        return 0.0
    return min(1 - math.log10(difference) / math.log10(LEAST), 1.0)

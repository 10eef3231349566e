"""Live figure: the losses of a healthy training run beside those of six runs with a fault each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roilearn import plot
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RECORD = json.loads(Path(__file__).with_name("loss_curves.json").read_text("utf-8"))
"""Recorded runs: ``steps``; ``rate``, the learning rate as a percentage of the highest; and for
each of ``runs`` its ``losses`` by name at each of these steps, and its ``ap`` in hundredths."""
LOSSES = tuple(RECORD["runs"]["healthy"]["losses"])
PATIENTS = {
    "A": "labels",
    "B": "boxes",
    "C": "positives",
    "D": "learning rate",
    "E": "normalisation",
    "F": "frozen",
}
"""Fault of each patient, as ``roilearn.bench.detectors.training_faults`` names it."""
DIAGNOSES = {
    "A": "every label is one too high, and the last one is the first. The network learns wrong "
    "names as easily as right ones.",
    "B": "x and y of the boxes are swapped. The masks are right, and so are boxes on the diagonal.",
    "C": "every object is marked as a crowd, so no anchor and no proposal is positive. There is "
    "nothing to learn but background.",
    "D": "the learning rate is 25 times too high.",
    "E": "the images are not normalised in training, but they are in prediction.",
    "F": "the trained weights of the backbone were not loaded, and it is frozen at random ones.",
}


class LossCurves(Explorable):
    """Six losses over the steps of a run: a healthy one, and a patient whose fault is to be found.

    Parameters
    ----------
    patient : ``"A"`` to ``"F"``.
    point : number of the recorded point at which the losses are read, from 0.
    told : whether the fault of the patient is shown.
    """

    modules = ("loss_curves.mjs",)
    stylesheets = ("loss_curves.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "RECORD": RECORD,
        "PATIENTS": PATIENTS,
        "DIAGNOSES": DIAGNOSES,
    }

    patient = Checked("A", checks.one_of(*PATIENTS))
    point = Checked(len(RECORD["steps"]) - 1, checks.whole(0, len(RECORD["steps"]) - 1))
    told = Checked(False, checks.flag)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, read from the record."""
        healthy, patient = (RECORD["runs"][name] for name in ("healthy", PATIENTS[self.patient]))
        pairs = {
            "total": (total(healthy, self.point), total(patient, self.point)),
            **{
                name: (healthy["losses"][name][self.point], patient["losses"][name][self.point])
                for name in LOSSES
            },
        }
        return {
            "patient": self.patient,
            "step": RECORD["steps"][self.point],
            "steps": RECORD["steps"][-1],
            "rate": RECORD["rate"][self.point],
            "losses": [
                {"name": name, "healthy": one, "patient": other, "times": other / one}
                for name, (one, other) in pairs.items()
            ],
            "ap": [
                {"of": what, "healthy": healthy["ap"][what], "patient": patient["ap"][what]}
                for what in ("boxes", "masks")
            ],
            "diagnosis": DIAGNOSES[self.patient] if self.told else None,
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        losses = "; ".join(
            f"{one['name'].removeprefix('loss_')} {one['healthy']:.3f} and {one['patient']:.3f}"
            for one in numbers["losses"]
        )
        boxes, masks = numbers["ap"]
        text = (
            f"Six charts over {numbers['steps']} training steps, the sum of the losses and each of "
            f"the five, with a dashed line for a healthy run and a solid one for patient "
            f"{self.patient}. At step {numbers['step']} they are, healthy first: {losses}. At the "
            f"end the AP of boxes is {boxes['healthy']:.1f} and {boxes['patient']:.1f} hundredths, "
            f"that of masks {masks['healthy']:.1f} and {masks['patient']:.1f}."
        )
        return f"{text} Diagnosis: {numbers['diagnosis']}" if self.told else text

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, panels = plot.new_figure(3, 2, width=9.4, height=4.6, sharex=True)
        runs = [RECORD["runs"][name] for name in ("healthy", PATIENTS[self.patient])]
        for axes, row in zip(panels.flat, numbers["losses"], strict=True):
            draw_loss(axes, row["name"], runs, numbers["step"])
        for axes in panels[1]:
            axes.set_xlabel("step")
        panels[0, 0].lines[0].set_label("healthy")
        panels[0, 0].lines[1].set_label(f"patient {self.patient}")
        figure.legend(loc="outside upper left", ncols=2, frameon=False)
        return figure


def total(run: dict[str, Any], point: int) -> float:
    """Sum of the five losses of a run at a recorded point."""
    return sum(run["losses"][name][point] for name in LOSSES)


def curve(run: dict[str, Any], name: str) -> list[float]:
    """Values of a loss, or of ``"total"``, at all recorded points."""
    if name == "total":
        return [total(run, point) for point in range(len(RECORD["steps"]))]
    return run["losses"][name]


def draw_loss(axes: Axes, name: str, runs: list[dict[str, Any]], step: int) -> None:
    """Draw one loss of the healthy run and of the patient, and a line at the chosen step."""
    looks: tuple[dict[str, Any], ...] = (
        {"color": "0.35", "linestyle": "--"},
        {"color": COLOURS["loss"], "linewidth": 2},
    )
    for run, look in zip(runs, looks, strict=True):
        axes.plot(RECORD["steps"], curve(run, name), **look)
    axes.axvline(step, color="0.75", linewidth=1, zorder=0)
    axes.set(xlim=(0, RECORD["steps"][-1]), ylim=(0, None))
    axes.set_title(name, loc="left")

"""Store the recorded losses of a healthy run and six faulty ones for the live figure.

    python book/tools/store_loss_curves.py

`loss_curves.json` in `src/roilearn/explore` is made from `training_faults.csv` and
`training_fault_curves.csv` in `benchmarks/results`, which live figures cannot read: they know
nothing of measurements.
"""

import json
from pathlib import Path
from typing import Any

from roilearn import explore
from roilearn.bench.recorded.training_faults import (
    FAULTS,
    HEALTHY,
    LOSSES,
    curve_of,
    read_fault_losses,
    read_training_faults,
)

FILE = Path(explore.__file__).parent / "loss_curves.json"
SEED = 0


def collect() -> dict[str, Any]:
    """Collect what the file holds: the runs of one seed, at the same steps."""
    rows = read_fault_losses()
    healthy = curve_of(rows, HEALTHY, SEED)
    highest = max(row.learning_rate for row in healthy)
    ap = {one.fault: one for one in read_training_faults() if one.seed == SEED}
    return {
        "steps": [row.step for row in healthy],
        "rate": [round(100 * row.learning_rate / highest, 1) for row in healthy],
        "runs": {
            fault: {
                "losses": {
                    name: [getattr(row, name) for row in curve_of(rows, fault, SEED)]
                    for name in LOSSES
                },
                "ap": {
                    what: round(100 * getattr(ap[fault], f"AP_{what}"), 1)
                    for what in ("boxes", "masks")
                },
            }
            for fault in (HEALTHY, *FAULTS)
        },
    }


def as_text(record: dict[str, Any]) -> str:
    """Write the record as JSON, a loss a line."""
    text = json.dumps(record)
    return text.replace('"loss_', '\n"loss_').replace('"runs"', '\n"runs"') + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(collect()), encoding="utf-8")

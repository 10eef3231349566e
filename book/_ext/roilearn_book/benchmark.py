"""The ``benchmark`` directive: tables, sentences and pictures from the recorded measurements.

They are made at build time, so a page cannot say what the recorded files do not.
"""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relpath

from roilearn import bench
from roilearn_book import benchmark_load
from roilearn_book.benchmark_load import MISSING, milliseconds, paragraph, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.figure import Figure
    from sphinx.application import Sphinx

NOT_RUN = "Not yet run on a GPU: no number on this page is a GPU's. To record: "
RECORD = "make bench-gpu PYTHON=python3"
OF_ALL = "all"


def ratio(row: bench.Row) -> str:
    """Write a ratio with its spread over the rounds."""
    return f"{row.ratio:.2g} ({row.ratio_min:.2g} to {row.ratio_max:.2g})"


def setting(_: str) -> str:
    """Say on what was measured: every processor and every set of versions of the files."""
    return machines([*bench.read(), *bench.read_series(), *bench.read_load()])


def machines(rows: Iterable[bench.Row | bench.SeriesPoint | bench.LoadRow]) -> str:
    """List every processor and every set of versions."""
    kinds = dict.fromkeys((row.machine, row.versions) for row in rows)
    items = "".join(f"<li>{escape(f'{machine}: {versions}')}</li>" for machine, versions in kinds)
    return f"<ul>{items}</ul>" if items else paragraph(MISSING)


def ratios(operator: str) -> str:
    """Tabulate every implementation's ratio on every workload of one operator."""
    rows = [row for row in bench.read() if row.operator == operator]
    return table_of(rows) if rows else paragraph(MISSING)


def table_of(rows: Sequence[bench.Row]) -> str:
    """Tabulate the ratios of one operator's rows."""
    found = {(row.workload, row.direction, row.implementation): row for row in rows}
    others = [n for n in dict.fromkeys(row.implementation for row in rows) if n != "torchvision"]
    workloads = bench.WORKLOADS.get(rows[0].operator.partition(",")[0], ())
    meanings = {workload.name: f": {workload.meaning}" for workload in workloads}
    lines = [
        [
            f"{workload}{meanings.get(workload, '')}",
            direction,
            milliseconds(found[workload, direction, "torchvision"].milliseconds),
            *(
                ratio(found[key]) if (key := (workload, direction, n)) in found else ""
                for n in others
            ),
        ]
        for workload, direction in dict.fromkeys((row.workload, row.direction) for row in rows)
    ]
    return table(["Workload", "Direction", "torchvision", *others], lines)


def on_a_gpu(_: str) -> str:
    """Tabulate what a GPU measured, operator by operator; or say that none has, and how to."""
    rows = bench.read_gpu()
    if not rows:
        return f"<p>{escape(NOT_RUN)}<code>{RECORD}</code>.</p>"
    operators = dict.fromkeys(row.operator for row in rows)
    tables = [
        f"<p><code>{escape(name)}</code></p>" + table_of([r for r in rows if r.operator == name])
        for name in operators
    ]
    return machines(rows) + "".join(tables)


def gpu_state(_: str) -> str:
    """Say in a sentence whether anything has been measured on a GPU."""
    named = dict.fromkeys(row.machine for row in bench.read_gpu())
    if not named:
        return paragraph("Nothing here has been measured on a GPU yet.")
    return paragraph(f"Measured on a GPU: {'; '.join(named)}. See the page of measurements.")


TEXTS: dict[str, Callable[[str], str]] = {
    "setting": setting,
    "ratios": ratios,
    "on_a_gpu": on_a_gpu,
    "gpu_state": gpu_state,
    **benchmark_load.TEXTS,
}


def highest(rows: Sequence[bench.Row], direction: str) -> str:
    """Say between what the ratios of our plain implementation lie."""
    found = [r.ratio for r in rows if r.direction == direction and r.implementation == "roilearn"]
    return f"{direction}, {min(found):.2g} to {max(found):.2g} times as fast as torchvision"


def picture_of_ratios(operator: str) -> tuple[Figure, str]:
    """Draw the ratios of one operator."""
    from roilearn import plot  # noqa: PLC0415 - only when a page has a picture

    rows = [row for row in bench.read() if row.operator == operator]
    parts = [highest(rows, each) for each in dict.fromkeys(row.direction for row in rows)]
    alt = f"Bars of {operator} on each workload, beside a line at 1: {'; '.join(parts)}."
    return plot.speedups(rows, operator), alt


def picture_of_a_gpu(operator: str) -> tuple[Figure, str]:
    """Draw the ratios of one operator on a GPU."""
    from roilearn import plot  # noqa: PLC0415

    rows = [row for row in bench.read_gpu() if row.operator == operator]
    alt = f"Bars of {operator} on a GPU on each workload, beside a line at 1, torchvision's speed."
    return plot.speedups(rows, operator), alt


def picture_of_growth(operator: str) -> tuple[Figure, str]:
    """Draw how the cost of one operator grows."""
    from roilearn import plot  # noqa: PLC0415

    points = [p for p in bench.read_series() if p.operator == operator and p.unit == "ms"]
    series = [name for name in dict.fromkeys(p.series for p in points) if name != "floor"]
    alt = (
        f"Time of {operator} in milliseconds, on logarithmic axes, over {', '.join(series)}; "
        "a line each for torchvision, roilearn, and roilearn on channels-last features."
    )
    return plot.cost_curves(points, operator), alt


def picture_of_memory(_: str) -> tuple[Figure, str]:
    """Draw the peak extra memory."""
    from roilearn import plot  # noqa: PLC0415

    points = [point for point in bench.read_series() if point.series == "memory"]
    most = max(points, key=lambda point: point.value)
    alt = (
        "Bars of peak extra memory in mebibytes on each workload, forward and with the gradients; "
        f"the longest is {most.implementation} on {most.workload}, {most.direction}: "
        f"{most.value:.3g} MiB."
    )
    return plot.peak_memory(points), alt


def picture_of_the_floor(_: str) -> tuple[Figure, str]:
    """Draw how near RoIAlign comes to the byte floor."""
    from roilearn import plot  # noqa: PLC0415

    points = [
        p for p in bench.read_series() if p.series == "floor" and p.implementation != "byte floor"
    ]
    low, high = (limit(point.ratio for point in points) for limit in (min, max))
    alt = (
        "Bars of the speed reached on each workload, in per cent of the byte floor's: "
        f"from {100 * low:.2g} to {100 * high:.2g} per cent."
    )
    return plot.byte_floor_reached(points), alt


PICTURES: dict[str, Callable[[str], tuple[Figure, str]]] = {
    "picture": picture_of_ratios,
    "gpu": picture_of_a_gpu,
    "growth": picture_of_growth,
    "memory": picture_of_memory,
    "floor": picture_of_the_floor,
}


READERS = {"picture": bench.read, "gpu": bench.read_gpu}
"""What a picture beside a text draws: where there is none, the text has said so."""


class Benchmark(SphinxDirective):
    """``{benchmark} part operator``: a text or a table; or a picture, the content its caption."""

    required_arguments = 1
    optional_arguments = 1
    final_argument_whitespace = True  # the names of some topics
    has_content = True
    option_spec: ClassVar[dict[str, object]] = {}

    def run(self) -> list[nodes.Node]:
        """Return the part; the page is read again when a recorded file changes."""
        for path in bench.FOLDER.glob("*.csv"):
            self.env.note_dependency(str(path))
        part, operator, *_ = [*self.arguments, OF_ALL]
        if part in TEXTS:
            return [nodes.raw(text=TEXTS[part](operator), format="html")]
        recorded = READERS.get(part, bench.read_series)()
        if not any(operator in {OF_ALL, row.operator} for row in recorded):
            return [] if part in READERS else [nodes.paragraph(text=MISSING)]
        picture, alt = PICTURES[part](operator)
        return [drawn_figure(self, f"benchmark_{part}_{operator}", picture, alt)]


def drawn_figure(directive: SphinxDirective, name: str, picture: Figure, alt: str) -> nodes.Node:
    """Write a picture beside the build; return it with the directive's content as its caption."""
    path = Path(directive.env.app.outdir).parent / "stills" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    picture.savefig(content, format="png", metadata={"Software": None})
    path.write_bytes(content.getvalue())
    figure = nodes.container(classes=["drawn-figure"])
    figure += nodes.image(uri="/" + relpath(path, directive.env.srcdir), alt=alt)
    caption = directive.parse_inline(" ".join(directive.content), lineno=directive.lineno)[0]
    figure += nodes.paragraph("", "", *caption, classes=["caption"])
    return figure


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("benchmark", Benchmark)

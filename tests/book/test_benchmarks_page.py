"""The benchmark page says what the recorded files say."""

import re
from html import unescape

from roilearn import bench


def page_of(site):
    return unescape((site / "book/benchmarks.html").read_text(encoding="utf-8"))


def test_every_recorded_ratio_is_on_the_page(site):
    page = page_of(site)
    for row in bench.read():
        if row.implementation != "torchvision":
            assert (
                f"<td>{row.ratio:.2g} ({row.ratio_min:.2g} to {row.ratio_max:.2g})</td>" in page
            ), row


def test_every_operator_has_its_section_and_its_table_or_says_that_it_has_none(site):
    page = page_of(site)
    recorded = {row.operator for row in bench.read()}
    for operator in bench.WORKLOADS:
        heading = rf'<h3><code[^>]*><span class="pre">{operator}</span></code>'
        section = re.split(heading, page)[1].split("</section>")[0]
        assert ("<table" in section) == (operator in recorded)
        assert ("Not recorded yet" in section) == (operator not in recorded)


def test_machines_and_versions_are_named(site):
    page = page_of(site)
    for row in (*bench.read(), *bench.read_series()):
        assert f"{row.machine}: {row.versions}" in page


def test_every_slower_row_and_every_goal_below_is_named(site):
    page = page_of(site)
    for row in bench.slower(bench.read()):
        assert f"{row.operator}, {row.workload}, {row.direction}. {bench.reason(row)}" in page
    for key, value in bench.below(bench.read()).items():
        operator, shape, direction, column = key
        numbers = (f"{bench.GOALS[key]:g}", f"{value:.2g}")
        cells = (operator, shape, *numbers, direction, column)
        assert "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" in page
        assert bench.shortfall(*key[:3]) in page
        assert all(f"{p.aten_op} {100 * p.share:.0f} %" in page for p in bench.profile_of(key))


def test_what_a_gpu_measured_is_on_the_page_or_that_none_has(site):
    page, rows = page_of(site), bench.read_gpu()
    assert page.count("Not yet run on a GPU") == (0 if rows else 1)
    assert ("make bench-gpu" in page) == (not rows)
    for row in rows:
        if row.implementation != "torchvision":
            assert (
                f"<td>{row.ratio:.2g} ({row.ratio_min:.2g} to {row.ratio_max:.2g})</td>" in page
            ), row
        assert f"{row.machine}: {row.versions}" in page

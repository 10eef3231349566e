"""The benchmark page says what the recorded files say."""

import re
from html import unescape

from roilearn import bench, patching_limits


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
    for row in (*bench.read(), *bench.read_series(), *bench.read_load()):
        assert f"{row.machine}: {row.versions}" in page


def test_every_row_in_which_torchvision_is_faster_is_named(site):
    page = page_of(site)
    for row in bench.slower(bench.read()):
        case = (row.operator, row.workload, row.direction)
        variant = row.implementation.removeprefix("roilearn").removeprefix(", ") or "as called"
        cells = "".join(f"<td>{cell}</td>" for cell in (*case, variant))
        line = page.split(f"{cells}<td>{row.ratio:.2g} (")[1].split("</tr>")[0]
        if "nms" not in row.operator:
            largest = bench.profile_of(*case, row.implementation)[0]
            assert f"{largest.aten_op} {100 * largest.share:.0f} %" in line


def test_every_row_under_load_is_on_the_page(site):
    page = page_of(site)
    for row in bench.read_load():
        if row.implementation != "torchvision":
            assert f"<td>{row.ratio:.2g} (slowest call" in page or row.ratio >= 100, row


def test_the_rule_of_the_patch_and_what_it_is_read_from_are_on_the_page(site):
    page = page_of(site)
    for operator, least in patching_limits.OURS_FROM.items():
        cells = (operator, least.channels, f"{least.outputs:,}")
        assert "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" in page
    for point in bench.read_crossover():
        assert f"<td>{point.ratio:.2g}</td>" in page or point.ratio >= 100


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

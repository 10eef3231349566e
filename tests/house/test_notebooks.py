"""Notebooks are executed completely, have short cells, and are the same on every machine.

nbval silently passes a cell that was never run; these tests do not.
"""

import importlib
import json
import re
from base64 import b64decode
from itertools import pairwise
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MASKS = Path(__file__).parents[1].joinpath("nbval.cfg").read_text(encoding="utf-8")
WIDGETS = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
LONGEST = 20
MOST_BYTES = 500_000
DIRECTIVES = {
    *("admonition", "dropdown", "glue:text", "hint", "note", "tip", "warning"),
    *("exercise", "solution", "figure", "math", "seealso"),
}
ROLES = {"cite", "cite:p", "cite:t", "doc", "eq", "math", "numref", "ref", "term"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def code_cells(notebook):
    return [
        cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source(cell).strip()
    ]


def live_figures(notebook):
    """State of every live figure that the notebook stores."""
    models = notebook["metadata"].get("widgets", {}).get(WIDGETS, {}).get("state", {}).values()
    return [model["state"] for model in models if "_esm" in model["state"]]


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_every_cell_was_run_in_order_and_none_failed(notebook):
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert "error" not in kinds
    streams = [
        output for cell in cells for output in cell["outputs"] if output.get("name") == "stderr"
    ]
    assert streams == []


def test_cells_are_short(notebook):
    assert [
        source(cell) for cell in code_cells(notebook) if source(cell).count("\n") >= LONGEST
    ] == []


def pictures_of(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    return [output for output in outputs if "image/png" in output.get("data", {})]


def test_pictures_are_light_enough_for_their_page(notebook):
    """What a page may weigh is tested in a browser; its pictures are known before it is built."""
    encoded = [output["data"]["image/png"] for output in pictures_of(notebook)]
    sizes = sorted((len(b64decode("".join(lines))) for lines in encoded), reverse=True)
    assert sum(sizes) < MOST_BYTES, sizes


def test_pictures_have_alt_text(notebook):
    pictures = pictures_of(notebook)
    assert pictures
    for picture in pictures:
        alt = (
            picture["metadata"].get("image/png", {}).get("alt", picture["metadata"].get("alt", ""))
        )
        assert len(alt.split()) > 3, f"no alt text, only {alt!r}"


def test_stored_live_figures_hold_the_package_s_present_text(notebook):
    figures = live_figures(notebook)
    assert figures
    for state in figures:
        module = importlib.import_module(state["_anywidget_id"].rpartition(".")[0])
        figure = getattr(module, state["_anywidget_id"].rpartition(".")[2])
        assert state["_esm"] == str(figure._esm), "stale: make notebooks"
        assert state.get("_css", "") == str(getattr(figure, "_css", "")), "stale: make notebooks"


def test_each_shown_live_figure_is_stored(notebook):
    state = notebook["metadata"].get("widgets", {}).get(WIDGETS, {}).get("state", {})
    shown = {
        output["data"][VIEW]["model_id"]
        for cell in code_cells(notebook)
        for output in cell["outputs"]
        if VIEW in output.get("data", {})
    }
    assert shown
    assert shown <= set(state)


def test_nothing_depends_on_the_machine_that_ran_it(notebook):
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info", "widgets"}
    assert "version" not in notebook["metadata"]["language_info"]
    ids = [cell["id"] for cell in notebook["cells"]]
    assert ids == [f"cell-{number:02}" for number in range(len(ids))], "make notebooks"
    assert all("execution" not in cell["metadata"] for cell in notebook["cells"])
    outputs = json.dumps([cell["outputs"] for cell in code_cells(notebook)])
    assert re.findall(r"0x[0-9a-f]{8,}|site-packages", outputs) == []


def test_a_printed_version_is_no_difference(notebook):
    """So that a run with other versions shows real differences alone."""
    masks = re.findall(r"^regex: (.*)\nreplace: (.*)$", MASKS, re.MULTILINE)
    for cell in code_cells(notebook)[1:]:  # the first one prints nothing
        if "__version__" in source(cell):
            text = "".join("".join(output.get("text", "")) for output in cell["outputs"])
            for mask, replacement in masks:
                text = re.sub(mask, replacement, text)
            assert "VERSION" in text
            assert re.findall(r"\d+\.\d+\.\d+", text) == []


def test_a_reader_of_plain_notebooks_meets_few_directives(notebook):
    prose = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    used = set(re.findall(r"^(?:`{3,}|:{3,})\{([\w:-]+)\}", prose, re.MULTILINE))
    assert used <= DIRECTIVES
    assert set(re.findall(r"\{([\w:]+)\}`", prose)) <= ROLES


def test_headings_do_not_skip_a_level(notebook):
    prose = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    prose = re.sub(r"^(`{3,}).*?^\1", "", prose, flags=re.MULTILINE | re.DOTALL)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))

"""What the build makes of a notebook: a small one, made here, with every kind of output."""

import base64
import io
import os

import nbformat
import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
MODULE = """
const initialize = ({ model }) => model.set("started", true);
function render({ model, el }) {
  const button = document.createElement("button");
  const draw = () => { button.textContent = `${model.get("count")} of ${model.get("bytes").getUint8(1)}`; };
  model.on("change:count", draw);
  button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
  if (model.get("started")) draw();
  el.append(button);
}
export default { initialize, render };
"""  # noqa: E501

MAP = "![The map of the detector, in words](../book/images/detector_map_heads.svg)"


def picture(grey):
    buffer = io.BytesIO()
    figure = Figure(figsize=(1, 1))
    figure.figimage(np.full((40, 40), grey), cmap="gray", vmin=0, vmax=1)
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def cell(source, data, metadata=None):
    output = new_output("display_data", data=data, metadata=metadata or {})
    return new_code_cell(source, execution_count=1, outputs=[output])


def alt(text):
    return {"image/png": {"alt": text}}


def widget(model, **pictures):
    return {VIEW: {"model_id": model, "version_major": 2}, "text/plain": model} | pictures


def states(**models):
    return {STATE: {"state": models, "version_major": 2, "version_minor": 0}}


def live_model(**state):
    return {
        "model_name": "AnyModel",
        "model_module": "anywidget",
        "model_module_version": "0.9.0",
        "state": {"_esm": MODULE, "_css": "button { color: rgb(1, 2, 3) }", "count": 3} | state,
        "buffers": [{"path": ["bytes"], "data": "BQkH", "encoding": "base64"}],
    }


def slider_model():
    return {
        "model_name": "IntSliderModel",
        "model_module": "@jupyter-widgets/controls",
        "model_module_version": "2.0.0",
        "state": {"value": 3},
    }


def whole_notebook():
    cells = [
        new_markdown_cell(f"# A small chapter\n\n{MAP}\n\nSome mathematics: $a^2$."),
        cell("plain()", {"image/png": picture(0.2)}, alt("A dark grey square, and nothing else")),
        new_markdown_cell("**Figure 4.1.** *Grey is grey.* See [the depth](#down)."),
        cell(
            "live()",
            widget("live", **{"image/png": picture(0.5)}),
            alt("The still of the live button, a grey square"),
        ),
        cell("stock()", widget("slider")),
        new_markdown_cell(
            "## In depth: why grey\n\nFigure 4.1 shows it.\n\n(down)=\n### Deeper\n\nDown here."
        ),
        new_markdown_cell("## Exercises\n\nNone."),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["widgets"] = states(live=live_model(), slider=slider_model())
    return notebook


def careless_notebook():
    cells = [
        new_markdown_cell("# A careless chapter\n\nFigure 4.2 is not there."),
        new_markdown_cell("**Figure 4.1.** *A finding.*"),
        cell("plain()", {"image/png": picture(0.2)}),
        cell("live()", widget("live")),
        cell("gone()", widget("gone", **{"image/png": picture(0.7)}), alt("A still of a widget")),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["widgets"] = states(live=live_model())
    return notebook


@pytest.fixture(scope="session")
def build_notebook(root, config, build_book, tmp_path_factory):
    """Build a book of one notebook with the real configuration and extensions."""

    def make(notebook, environment=None):
        source = tmp_path_factory.mktemp("source")
        (source / "notebooks").mkdir()
        (source / "book").symlink_to(root / "book")
        nbformat.write(notebook, source / "notebooks" / "small.ipynb")
        (source / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        toc = {"format": "jb-book", "root": "notebooks/small"}
        (source / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
        return build_book(source, source, environment), source / "_build" / "html"

    return make


@pytest.fixture(scope="session")
def without_torch(tmp_path_factory):
    """Environment in which importing torch or starting a kernel fails."""
    folder = tmp_path_factory.mktemp("blocked")
    for name in ("torch", "torchvision", "ipykernel"):
        (folder / f"{name}.py").write_text("raise RuntimeError('not for readers')\n")
    path = os.pathsep.join(filter(None, (os.fspath(folder), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}


@pytest.fixture(scope="session")
def small(build_notebook, without_torch):
    done, folder = build_notebook(whole_notebook(), without_torch)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder.as_uri() + "/"


def test_alt_text_comes_from_the_output(small, visit):
    page = visit("notebooks/small.html", base=small).page
    alts = [image.get_attribute("alt") for image in page.locator("article img").all()]
    assert alts == [
        "A dark grey square, and nothing else",
        "The still of the live button, a grey square",
    ]


def test_stored_widget_lives_without_a_kernel(small, visit):
    one = visit("notebooks/small.html", base=small)
    figure = one.page.locator(".live-figure").first
    button = figure.locator("button")
    assert button.inner_text() == "3 of 9"
    button.click()
    assert button.inner_text() == "4 of 9"
    assert button.evaluate("(b) => getComputedStyle(b).color") == "rgb(1, 2, 3)"
    assert not figure.locator("> img").is_visible()
    assert one.errors == []
    assert one.refused == []


def test_the_map_stands_inline_with_the_chapters_place_filled_in(small, visit):
    page = visit("notebooks/small.html", base=small).page
    drawing = page.locator("article p > svg.detector-map")
    assert "Filled in: heads." in drawing.get_attribute("aria-label")
    assert drawing.locator("text[font-weight]").text_content() == "heads"


def test_a_caption_is_marked_and_every_mention_links_to_it(small, visit):
    page = visit("notebooks/small.html", base=small).page
    caption = page.locator("p.caption#figure-4-1")
    assert caption.inner_text().startswith("Figure 4.1. Grey is grey.")
    assert page.locator("article a[href='#figure-4-1']").all_text_contents() == ["Figure 4.1"]


def test_in_depth_is_folded_and_opens_by_mouse_key_and_link(small, visit):
    page = visit("notebooks/small.html", base=small).page
    fold = page.locator("section.in-depth > details")
    inside = fold.get_by_text("Down here.")
    heading = fold.locator("> summary h2")
    assert heading.inner_text().startswith("In depth: why grey")
    assert not inside.is_visible()
    heading.click(position={"x": 5, "y": 5})
    assert inside.is_visible()
    fold.locator("> summary").press("Enter")
    assert not inside.is_visible()
    page.locator("p.caption a").click()
    assert inside.is_visible()
    assert not fold.get_by_text("None.").count()  # the next section is outside


def test_the_side_bar_and_an_address_open_what_is_folded(small, visit):
    page = visit("notebooks/small.html#down", base=small).page
    assert page.get_by_text("Down here.").is_visible()
    page = visit("notebooks/small.html", base=small).page
    page.locator(".bd-sidebar-secondary a", has_text="In depth: why grey").click()
    assert page.get_by_text("Down here.").is_visible()


def test_print_shows_what_is_folded(small, visit):
    page = visit("notebooks/small.html", base=small).page
    fold = page.locator("section.in-depth > details")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert fold.get_attribute("open") is not None
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert fold.get_attribute("open") is None


def test_stock_control_says_that_it_needs_a_kernel(small, visit, config):
    page = visit("notebooks/small.html", base=small).page
    note = page.locator(".live-figure-note")
    assert "needs a running kernel" in note.inner_text()
    link = note.locator("a").get_attribute("href")
    launchers = (config["launch_buttons"]["binderhub_url"], config["launch_buttons"]["colab_url"])
    assert link.startswith(launchers)


def test_a_module_that_fails_leaves_the_still_and_a_note(build_notebook, visit):
    notebook = whole_notebook()
    broken = notebook.metadata["widgets"][STATE]["state"]["live"]["state"]
    broken["_esm"] = "export default { render() { throw new Error('broken on purpose') } }"
    done, folder = build_notebook(notebook)
    assert done.returncode == 0, done.stdout + done.stderr
    one = visit("notebooks/small.html", base=folder.as_uri() + "/")
    figure = one.page.locator(".live-figure").first
    assert figure.locator("> img").is_visible()
    assert "needs a running kernel" in figure.inner_text()
    assert any("broken on purpose" in error for error in one.errors)


def test_build_fails_where_alt_text_a_still_a_state_or_a_caption_is_missing(build_notebook):
    done, _ = build_notebook(careless_notebook())
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "has no alt text" in said
    assert "Figure 4.2 is named and has no caption" in said
    assert "a live figure has no still" in said
    assert "a widget's state is not stored" in said

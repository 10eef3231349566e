"""Live figures in the built pages: mounted, moved by mouse and keys, and right about their numbers.

The page's numbers are compared with those that the figure's Python class computes with
roilearn.reference for the same state.
"""

import pytest

from roilearn import explore

READOUTS = """(figure) => [...figure.querySelectorAll('[data-readout]')].map(
  (place) => [place.dataset.readout, Number(place.dataset.digits), place.textContent])"""
MODULE = "(figure) => figure.querySelector('.live-figure-mount').model.get('_esm')"
KIND = "(figure) => figure.querySelector('.live-figure-mount').model.get('_anywidget_id')"
HANDLE = ".roi-handle[tabindex='0']"


def figures(page):
    return page.locator(".live-figure").all()


def python_twin(figure):
    """The figure's Python class in the state that the page is in."""
    kind = getattr(explore, figure.evaluate(KIND).split(".")[-1])
    same = figure.evaluate(MODULE) == kind._esm
    assert same, "the notebook stores an older module than the package has: run `make notebooks`"
    names = kind.state_names()
    values = figure.evaluate(
        "(figure, names) => names.map("
        "(name) => figure.querySelector('.live-figure-mount').model.get(name))",
        names,
    )
    return kind(**dict(zip(names, values, strict=True)))


def looked_up(numbers, path):
    for key in path.split("."):
        numbers = numbers[int(key)] if isinstance(numbers, list | tuple) else numbers[key]
    return numbers


def as_number(text):
    return float(text.replace("\N{MINUS SIGN}", "-"))


def check_readouts(figure):
    """Compare every number that the figure shows with its Python twin's; return how many."""
    numbers = python_twin(figure).numbers()
    compared = 0
    for path, digits, text in figure.evaluate(READOUTS):
        expected = looked_up(numbers, path)
        if isinstance(expected, int | float) and not isinstance(expected, bool):
            assert as_number(text) == pytest.approx(expected, abs=0.51 * 10**-digits), path
            compared += 1
    return compared


def state(figure):
    return python_twin(figure).state()


def test_every_figure_is_mounted_and_its_still_put_away(name, seen):
    for figure in figures(seen(name).page):
        assert figure.get_attribute("data-live") == "mounted"
        assert figure.locator(".roi-figure svg, .roi-figure canvas").count() > 0
        assert not figure.locator("> img").is_visible()


def test_opening_numbers_are_the_references(name, seen):
    for figure in figures(seen(name).page):
        assert check_readouts(figure) > 0


def test_keys_move_every_figure_and_the_numbers_follow(name, visit):
    page = visit(name).page
    for figure in figures(page):
        before = state(figure)
        figure.locator(HANDLE).first.focus()
        moved = []
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):  # some stand at a border
            page.keyboard.press(key)
            moved.append(state(figure) != before)
            assert check_readouts(figure) > 0
        assert any(moved)


def drag(page, handle, right, down):
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def test_dragging_moves_every_figure_and_the_numbers_follow(name, visit):
    page = visit(name).page
    for figure in figures(page):
        before = state(figure)
        drag(page, figure.locator(HANDLE).first, 120, 40)
        if state(figure) == before:  # a handle at the end of its range moves the other way
            drag(page, figure.locator(HANDLE).first, -120, -40)
        assert state(figure) != before
        assert check_readouts(figure) > 0


def test_a_control_moves_every_figure_and_the_numbers_follow(name, visit):
    """Its first slider or, where it has none, its first switch."""
    page = visit(name).page
    for figure in figures(page):
        sliders, switches = (
            figure.locator(f"input[type={kind}]") for kind in ("range", "checkbox")
        )
        control, key = (sliders, "ArrowRight") if sliders.count() else (switches, "Space")
        if sliders.count() and sliders.first.evaluate("slider => slider.value === slider.max"):
            key = "ArrowLeft"
        before = state(figure)
        control.first.focus()
        page.keyboard.press(key)
        assert state(figure) != before
        assert check_readouts(figure) > 0


def test_figures_are_reached_with_the_tab_key_and_show_the_focus(visit):
    page = visit("book/index.html").page
    page.locator("article h1").click()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('roi-handle')"):
            break
    else:
        pytest.fail("twelve presses of Tab from the title do not reach the box")
    ring = page.evaluate("() => getComputedStyle(document.activeElement).stroke")
    assert ring != "none"


def test_a_finger_moves_the_box(visit):
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    one = visit("book/index.html", **options)
    (figure,) = figures(one.page)
    handle = figure.locator(HANDLE).first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = state(figure)
    touch = one.context.new_cdp_session(one.page)
    send = "Input.dispatchTouchEvent"
    touch.send(send, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in (8, 16, 24):
        touch.send(send, {"type": "touchMove", "touchPoints": [{"x": x + step, "y": y}]})
    touch.send(send, {"type": "touchEnd", "touchPoints": []})
    assert state(figure) != before
    assert check_readouts(figure) > 0


def test_from_the_disk_figures_and_mathematics_work_without_a_server(name, visit, site):
    one = visit(name, base=site.as_uri() + "/")
    page = one.page
    for figure in figures(page):
        assert figure.get_attribute("data-live") == "mounted"
        assert check_readouts(figure) > 0
    formulas = page.locator(".bd-article .math").count()
    assert page.locator(".bd-article mjx-container").count() == formulas
    assert one.refused == []
    assert one.errors == []

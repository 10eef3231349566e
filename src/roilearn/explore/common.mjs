// Shared prelude of every live figure. Python puts PALETTE before it and the figure's module after
// it, in one text without imports, so that the text also runs as a Blob in a page opened from file://.

const maker = (create) => (name, attributes = {}, ...children) => {
  const element = create(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};
const html = maker((name) => document.createElement(name));
const svg = maker((name) => document.createElementNS("http://www.w3.org/2000/svg", name));

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const steps = (count) => Array.from({ length: count }, (_, i) => i);
const snap = (value, step) => Math.round(value / step) * step;

// A number as the reader sees it: fixed digits (0 for numbers that are whole as a rule), a true minus
// sign, no "-0.00".
function format(value, digits = 2) {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "number") return String(value);
  const text = value.toFixed(digits || (Number.isInteger(value) ? 0 : 2));
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}

// A place for one number of compute(state), named by its path: readout("align.output.0.1").
const readout = (path, digits = 2) => html("span", { class: "roi-number", "data-readout": path, "data-digits": digits });

const lookUp = (numbers, path) => path.split(".").reduce((part, key) => part?.[key], numbers);

// Write every number of the figure into its place.
function fill(root, numbers) {
  for (const place of root.querySelectorAll("[data-readout]")) {
    const text = format(lookUp(numbers, place.dataset.readout), Number(place.dataset.digits));
    if (place.textContent !== text) place.textContent = text;
  }
}

// The figure's frame. Colours arrive from Python alone; common.css makes the two themes from them.
function frame(name, label, ...children) {
  const root = html("div", { class: `roi-figure roi-${name}`, role: "group", "aria-label": label }, ...children);
  for (const [thing, colour] of Object.entries(PALETTE)) root.style.setProperty(`--palette-${thing}`, colour);
  return root;
}

const caption = (text) => html("p", { class: "roi-caption" }, text);
const swatch = (thing) => html("span", { class: `roi-swatch roi-swatch-${thing}`, "aria-hidden": "true" });

// Draw now, after each change of the model, and when the width changes; returns the cleanup.
// Several changes in one turn make one drawing.
function keepDrawn(model, traits, root, draw) {
  let waiting = false;
  let alive = true;
  const later = () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      if (alive) draw();
    });
  };
  const names = traits.map((trait) => `change:${trait}`);
  names.forEach((name) => model.on(name, later));
  let width = root.clientWidth;
  const observer = new ResizeObserver(() => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    later();
  });
  observer.observe(root);
  draw();
  return () => {
    alive = false;
    observer.disconnect();
    names.forEach((name) => model.off(name, later));
    root.remove();
  };
}

const readState = (model, traits) => Object.fromEntries(traits.map((trait) => [trait, model.get(trait)]));

function store(model, changes) {
  for (const [trait, value] of Object.entries(changes)) model.set(trait, value);
  model.save_changes();
}

// An SVG whose units are CSS pixels at its present width, so that its text keeps its size.
function fit(picture, height) {
  const width = Math.max(picture.parentElement.clientWidth, 120);
  const tall = typeof height === "function" ? height(width) : height;
  picture.setAttribute("viewBox", `0 0 ${width} ${tall}`);
  picture.setAttribute("height", tall);
  return { width, height: tall };
}

// Controls. Each has an `update` that puts it in step with the model.

// `max` may be a function, where it follows the model.
function range({ label, min, max, step, get, set, path, digits = 0 }) {
  const input = html("input", { type: "range", min, step, input: () => set(Number(input.value)) });
  const row = html("label", { class: "roi-range" }, html("span", {}, label), input, readout(path, digits));
  row.update = () => {
    input.max = typeof max === "function" ? max() : max; // before the value, which it would cut
    input.value = get();
  };
  return row;
}

function choice({ label, options, get, set }) {
  const group = `roi-${Math.random().toString(36).slice(2)}`; // radio names are the page's, not ours
  const inputs = options.map(([value, text]) => {
    const input = html("input", { type: "radio", name: group, change: () => set(value) });
    return { value, input, row: html("label", {}, input, html("span", {}, text)) };
  });
  const row = html("fieldset", { class: "roi-choice" }, html("legend", {}, label), ...inputs.map((one) => one.row));
  row.update = () => inputs.forEach(({ value, input }) => (input.checked = value === get()));
  return row;
}

function tick({ label, get, set }) {
  const input = html("input", { type: "checkbox", change: () => set(input.checked) });
  const row = html("label", { class: "roi-tick" }, input, html("span", {}, label));
  row.update = () => {
    input.checked = get();
  };
  return row;
}

function controls(...rows) {
  const panel = html("div", { class: "roi-controls" }, ...rows);
  panel.update = () => rows.forEach((row) => row.update());
  return panel;
}

// Dragging. `start(point)` says what was gripped; `move(grip, by, point)` gets the way since then, in
// the picture's units; `tap(point)` is a press that did not move. Mouse, pen and touch alike. With
// `across`, a finger that starts up or down scrolls the page as ever.
function draggable(target, picture, { start, move, tap, across = false }) {
  let held = null;
  let touched = null;
  target.addEventListener("touchstart", ({ touches: [{ clientX, clientY }] }) => (touched = { clientX, clientY }), { passive: true });
  target.addEventListener(
    "touchmove",
    (event) => {
      const [{ clientX, clientY }] = event.touches;
      const sideways = Math.abs(clientX - touched.clientX) >= Math.abs(clientY - touched.clientY);
      if (event.cancelable && (sideways || !across)) event.preventDefault(); // or the page would scroll
    },
    { passive: false },
  );
  const place = (event) => {
    const frameRect = picture.getBoundingClientRect();
    return { x: event.clientX - frameRect.left, y: event.clientY - frameRect.top, touch: event.pointerType === "touch" };
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const from = place(event);
    held = { from, grip: start(from), moved: false };
    target.setPointerCapture(event.pointerId);
    target.focus?.({ preventScroll: true });
    event.preventDefault(); // no text selection while dragging
  });
  target.addEventListener("pointermove", (event) => {
    if (!held) return;
    const at = place(event);
    const by = { x: at.x - held.from.x, y: at.y - held.from.y };
    held.moved ||= Math.hypot(by.x, by.y) > 3; // a tap's tremble is not a drag
    if (held.moved) move(held.grip, by, at);
  });
  const release = (event) => {
    if (held && !held.moved && event.type === "pointerup") tap?.(place(event));
    held = null;
  };
  target.addEventListener("pointerup", release);
  target.addEventListener("pointercancel", release);
}

// The four arrow keys, as a step along x and y.
function arrowKeys(target, act) {
  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  target.addEventListener("keydown", (event) => {
    const direction = directions[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(...direction, event.shiftKey);
  });
}

// The one focusable handle of a figure; assistive technology hears `describe`'s sentence.
function handle(shape, attributes) {
  return svg(shape, { class: "roi-handle", tabindex: 0, role: "slider", ...attributes });
}

function describe(element, now, min, max, text) {
  const values = { "aria-valuenow": now, "aria-valuemin": min, "aria-valuemax": max, "aria-valuetext": text };
  for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
}

// Drawing a feature map: cells in greys, each value at its centre.

const span = (values) => {
  const flat = values.flat();
  return [Math.min(...flat), Math.max(...flat)];
};

function cell(x, y, width, height, share) {
  return svg("rect", { class: "roi-cell", x, y, width, height, style: `--share: ${(100 * share).toFixed(1)}%` });
}

function label(x, y, text, attributes = {}) {
  return svg("text", { x, y, ...attributes }, text);
}

// The numbers go into a layer of their own, which overlays leave readable.
function drawMap(cells, numbers, values, size) {
  const [low, high] = span(values);
  const places = values.flatMap((line, row) => line.map((value, column) => ({ value, row, column })));
  cells.replaceChildren(...places.map(({ value, row, column }) => cell(column * size, row * size, size, size, (value - low) / (high - low || 1))));
  const text = (value) => format(value, Number.isInteger(value) ? 0 : 1);
  numbers.replaceChildren(...places.map(({ value, row, column }) => label((column + 0.5) * size, (row + 0.5) * size, text(value), { class: "roi-value" })));
}

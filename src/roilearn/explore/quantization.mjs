// Two roundings of a box: its edges to whole cells, then its cells to whole-cell bins.

const TRAITS = ["edges", "stride", "rule", "end_included"];
const IMAGE = 1024;
const BINS = 7;
const NAMES = { floor: "floor", half_away: "half away", half_even: "half to even" };
const CURVE = steps(224).map((n) => 4 * (n + 1)); // sizes of the curve, in image pixels, to the largest box

export function compute({ edges, stride, rule, end_included }) {
  const rules = Object.fromEntries(Object.keys(NAMES).map((name) => [name, readBy(name, edges, stride, end_included)]));
  const { first, count } = rules[rule];
  const bins = count > 0 ? binEdges(first, first + count - 1, BINS, IMAGE / stride) : [];
  return {
    edges,
    size: edges[1] - edges[0],
    stride,
    cells: edges.map((edge) => edge * (1 / stride)),
    rules,
    chosen: rules[rule],
    bins,
    overlap: total(bins.map(([start, stop]) => stop - start)) - Math.max(count, 0),
    farthest: farthestBinEdge(bins, edges, stride),
    curve: CURVE.map((size) => readBy(rule, [edges[0], edges[0] + size], stride, end_included).iou),
  };
}

// The cells that a box reads under one rule, what its edges gain (or lose, negative) in image
// pixels, and the IoU of the square box read with the square box given.
function readBy(rule, edges, stride, endIncluded) {
  const [first, last] = edges.map((edge) => ROUNDING[rule](edge * (1 / stride)));
  const count = last - first + (endIncluded ? 1 : 0);
  const read = [first * stride, (first + count) * stride];
  return { first, count, read, gained: [edges[0] - read[0], read[1] - edges[1]], iou: squareIou(edges, read) };
}

function squareIou([a1, a2], [b1, b2]) {
  const side = Math.max(Math.min(a2, b2) - Math.max(a1, b1), 0);
  const shared = side * side;
  return shared > 0 ? shared / ((a2 - a1) * (a2 - a1) + (b2 - b1) * (b2 - b1) - shared) : 0;
}

// How far the bins' edges lie from those of equal parts of the true box, at worst, in image pixels.
function farthestBinEdge(bins, [x1, x2], stride) {
  const part = (x2 - x1) / BINS;
  return Math.max(0, ...bins.flatMap(([start, stop], i) => [Math.abs(start * stride - (x1 + i * part)), Math.abs(stop * stride - (x1 + (i + 1) * part))]));
}

const bar = (css, [from, to], top, height) => svg("rect", { class: css, x: Math.min(from, to), y: top, width: Math.abs(to - from), height });

// The whole image along x, a heading over each line: the box, the cells read, the bins.
const STRIP = { box: 22, cells: 76, bins: 132, height: 176 };

const heading = (y, text, ...numbers) => svg("text", { x: 0, y, class: "roi-start" }, svg("tspan", { class: "roi-strong" }, text), ...numbers);

// A number inside a picture's text.
const written = (path, digits = 0) => svg("tspan", { "data-readout": path, "data-digits": digits });

function drawStrip(layer, numbers, width) {
  const at = (x) => (x / IMAGE) * width;
  const { read, count, gained } = numbers.chosen;
  const { stride, edges } = numbers;
  const lines = at(stride) < 3 ? [] : steps(IMAGE / stride + 1).map((n) => `M${at(n * stride)} ${STRIP.cells}v24`);
  const changes = [[edges[0], read[0], gained[0]], [edges[1], read[1], gained[1]]].map(([from, to, gain]) => bar(gain < 0 ? "roi-lost" : "roi-gained", [at(from), at(to)], STRIP.cells, 24));
  const bins = numbers.bins.flatMap(([start, stop], i) => {
    const span = [at(start * stride), at(stop * stride)];
    const top = STRIP.bins + (i % 2) * 20;
    const name = span[1] - span[0] > 34 ? [label((span[0] + span[1]) / 2, top + 8, `${start}\u2013${stop}`)] : [];
    return [bar("roi-bin-bar", span, top, 16), ...name];
  });
  layer.replaceChildren(
    heading(10, "Box: ", written("size"), " px, cells ", written("cells.0", 2), " to ", written("cells.1", 2)),
    heading(STRIP.cells - 12, "First rounding: ", written("chosen.count"), ` cells, ${count * stride} px`),
    bar("roi-image", [0, width], STRIP.cells, 24),
    ...(count > 0 ? [bar("roi-read-cells", read.map(at), STRIP.cells, 24)] : []),
    ...changes,
    svg("path", { class: "roi-axis", d: lines.join("") }),
    heading(STRIP.bins - 12, "Second rounding: ", `${numbers.bins.length} bins, overlap `, written("overlap"), " cells"),
    ...bins,
  );
}

// One edge under a lens that holds three cells at any stride.
function drawLens(layer, numbers, n, left, width) {
  const { stride, edges, chosen } = numbers;
  const [height, top] = [44, 24];
  const middle = edges[n];
  const at = (x) => left + (0.5 + (x - middle) / (3 * stride)) * width;
  const inside = (x) => clamp(at(x), left, left + width);
  const first = Math.ceil((middle - 1.5 * stride) / stride);
  const cells = steps(4).map((k) => first + k);
  const gain = chosen.gained[n];
  const rounded = chosen.read[n];
  const shown = Math.abs(rounded - middle) <= 1.5 * stride;
  layer.append(
    bar("roi-image", [left, left + width], top, height),
    ...(n ? [bar("roi-read-cells", [left, inside(rounded)], top, height)] : [bar("roi-read-cells", [inside(rounded), left + width], top, height)]),
    ...(gain === 0 ? [] : [bar(gain < 0 ? "roi-lost" : "roi-gained", [inside(middle), inside(rounded)], top, height)]),
    ...cells.filter((k) => inside(k * stride) === at(k * stride)).map((k) => svg("path", { class: "roi-axis", d: `M${at(k * stride)} ${top}v${height}` })),
    ...cells.map((k) => [at((k - 0.5) * stride), k - 1]).filter(([x, k]) => k >= 0 && x > left + 8 && x < left + width - 8).map(([x, k]) => label(x, top + height - 9, k, { class: "roi-faint" })),
    svg("path", { class: "roi-true-edge", d: `M${at(middle)} ${top - 4}v${height + 8}` }),
    ...(shown ? [svg("path", { class: "roi-rounded-edge", d: `M${at(rounded)} ${top - 4}v${height + 8}` })] : []),
    svg("text", { x: left + width / 2, y: 10 }, `${n ? "right" : "left"} edge, ${gain < 0 ? "lost" : "gained"} `, svg("tspan", { class: "roi-strong" }, `${format(Math.abs(gain), 0)} px`)),
  );
}

// IoU of the box read against the box given, for square boxes of every size at this left edge.
const PLOT = { left: 30, right: 14, top: 32, bottom: 24, height: 160 };

function drawCurve(layer, numbers, width) {
  const largest = CURVE.at(-1);
  const x = (size) => PLOT.left + (size / largest) * (width - PLOT.left - PLOT.right);
  const y = (iou) => PLOT.top + (1 - iou) * (PLOT.height - PLOT.top - PLOT.bottom);
  const line = numbers.curve.map((iou, n) => `${n ? "L" : "M"}${x(CURVE[n]).toFixed(1)} ${y(iou).toFixed(1)}`);
  const { size } = numbers;
  const { iou } = numbers.chosen;
  layer.replaceChildren(
    heading(10, "IoU of the square box", ", by its size in px"),
    ...[0, 0.5, 1].flatMap((tick) => [svg("path", { class: "roi-axis", d: `M${PLOT.left} ${y(tick)}H${width - PLOT.right}` }), label(PLOT.left - 6, y(tick), format(tick, 1), { class: "roi-end roi-faint" })]),
    ...[0, 200, 400, 600, 800].map((tick) => label(x(tick), PLOT.height - 10, tick, { class: "roi-faint" })),
    svg("path", { class: "roi-curve", d: line.join("") }),
    svg("path", { class: "roi-axis", d: `M${x(size)} ${y(0)}V${y(iou)}` }),
    svg("rect", { class: "roi-here", x: x(size) - 5, y: y(iou) - 5, width: 10, height: 10 }),
    svg("text", { x: clamp(x(size), PLOT.left + 40, width - 44), y: y(iou) + (iou > 0.3 ? 20 : -18), class: "roi-on-line roi-strong" }, "IoU ", written("chosen.iou", 3)),
  );
}

function ruleTable() {
  const rows = Object.entries(NAMES).map(([rule, name]) => {
    const path = `rules.${rule}`;
    const row = html("tr", {}, html("th", { scope: "row" }, name), ...[["count", 0], ["gained.0", 0], ["gained.1", 0], ["iou", 3]].map(([what, digits]) => html("td", {}, readout(`${path}.${what}`, digits))));
    row.dataset.rule = rule;
    return row;
  });
  const head = ["rounding", "cells", "left, px", "right, px", "IoU"].map((text) => html("th", { scope: "col" }, text));
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows));
}

// Dragging the box along x, or one of its edges.
function edgeGestures(model, target, picture) {
  const pixels = () => IMAGE / picture.viewBox.baseVal.width;
  const put = (x1, x2) => store(model, { edges: [x1, x2] });
  const moveBy = ([x1, x2], dx) => {
    const by = clamp(snap(dx, 1), -x1, 896 - x2);
    put(x1 + by, x2 + by);
  };
  const near = ({ x, touch }) => {
    const places = model.get("edges").map((edge) => edge / pixels());
    const reach = Math.min(touch ? 18 : 10, Math.max((places[1] - places[0]) / 3, 5));
    return places.findIndex((place) => Math.abs(place - x) <= reach);
  };
  draggable(target, picture, {
    across: true,
    start: (at) => ({ edges: model.get("edges"), edge: near(at) }),
    move({ edges: [x1, x2], edge }, by) {
      const dx = by.x * pixels();
      if (edge === 0) put(clamp(snap(x1 + dx, 1), 0, x2 - 1), x2);
      else if (edge === 1) put(x1, clamp(snap(x2 + dx, 1), x1 + 1, 896));
      else moveBy([x1, x2], dx);
    },
  });
  arrowKeys(target, (dx, dy, shift) => {
    const [x1, x2] = model.get("edges");
    if (shift) put(x1, clamp(x2 + dx, x1 + 1, 896));
    else moveBy([x1, x2], dx);
  });
}

function render({ model, el }) {
  const [strip, lenses, curve] = steps(3).map(() => svg("g"));
  const box = svg("rect", { class: "roi-true-box roi-solid", y: STRIP.box, height: 24 });
  const target = handle("rect", { y: STRIP.box - 4, height: 32, "aria-label": "Box" });
  const stripPicture = svg("svg", { role: "group", "aria-label": "The box and the cells that are read" }, strip, box, target);
  const lensPicture = svg("svg", { role: "presentation" }, lenses);
  const curvePicture = svg("svg", { role: "presentation" }, curve);
  const table = ruleTable();
  const edge = (n, name) =>
    range({
      label: name, min: 0, max: 896, step: 1, path: `edges.${n}`, get: () => model.get("edges")[n],
      set: (value) => {
        const [x1, x2] = model.get("edges");
        store(model, { edges: n ? [x1, Math.max(value, x1 + 1)] : [Math.min(value, x2 - 1), x2] });
      },
    });
  const panel = controls(
    edge(0, "left edge, px"), edge(1, "right edge, px"),
    choice({ label: "Stride", options: [4, 8, 16, 32, 64].map((stride) => [stride, String(stride)]), get: () => model.get("stride"), set: (stride) => store(model, { stride }) }),
    choice({ label: "Rounding", options: Object.entries(NAMES), get: () => model.get("rule"), set: (rule) => store(model, { rule }) }),
    tick({ label: "end included (one more cell)", get: () => model.get("end_included"), set: (end_included) => store(model, { end_included }) }),
  );
  const root = frame(
    "quantization", "A box rounded to cells, and its cells to bins",
    html("div", {}, stripPicture),
    html("p", { class: "roi-sentence" }, "A bin\u2019s edge lies up to ", readout("farthest", 1), " px from where a seventh of the box would put it."),
    html("div", {}, lensPicture), table, html("div", {}, curvePicture), panel,
    caption("Drag the box or its edges, or use the arrow keys (with Shift they move the right edge). Table: pixels gained at each edge, lost where negative."),
  );
  el.append(root);
  edgeGestures(model, target, stripPicture);

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const { width } = fit(stripPicture, STRIP.height);
    fit(lensPicture, 84);
    fit(curvePicture, PLOT.height);
    drawStrip(strip, numbers, width);
    const [from, to] = state.edges.map((place) => (place / IMAGE) * width);
    box.setAttribute("x", from);
    box.setAttribute("width", to - from);
    target.setAttribute("x", from - 8);
    target.setAttribute("width", to - from + 16);
    lenses.replaceChildren();
    const lens = (width - 16) / 2;
    [0, 1].forEach((n) => drawLens(lenses, numbers, n, n * (lens + 16), lens));
    drawCurve(curve, numbers, width);
    for (const row of table.tBodies[0].rows) row.classList.toggle("roi-current", row.dataset.rule === state.rule);
    describe(target, state.edges[0], 0, 896, `from ${state.edges[0]} to ${state.edges[1]} image pixels; reads ${numbers.chosen.count} cells`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// Where each output pixel of a resized signal reads, under four grid rules at once.

const TRAITS = ["signal", "out_size", "selected"];
const RULES = {
  corner: { name: "corner", formula: "i \u00b7 scale", positions: (i, scale) => i * scale },
  corner_truncated: { name: "corner, truncated", formula: "floor(i \u00b7 scale)", positions: (i, scale) => Math.floor(i * scale) },
  half_pixel: { name: "half pixel", formula: "(i + 0.5) \u00b7 scale \u2212 0.5", positions: (i, scale) => (i + 0.5) * scale - 0.5 },
  align_corners: {
    name: "align corners",
    formula: "i \u00b7 (in \u2212 1) / (out \u2212 1)",
    positions: (i, _, inSize, outSize) => (i * (inSize - 1)) / Math.max(outSize - 1, 1),
  },
};

export function compute({ signal, out_size, selected }) {
  const scale = signal.length / out_size;
  const chosen = Math.min(selected, out_size - 1);
  const middle = centreOfMass(signal, 1);
  const rules = Object.entries(RULES).map(([rule, { positions }]) => {
    const places = steps(out_size).map((i) => positions(i, scale, signal.length, out_size));
    const resized = places.map((place) => linear(signal, place));
    const mass = centreOfMass(resized, scale);
    return [rule, { positions: places, resized, mass, shift: mass === null ? null : mass - middle, position: places[chosen], x: places[chosen] + 0.5, value: resized[chosen] }];
  });
  return { in_size: signal.length, out_size, scale, selected: chosen, x: (chosen + 0.5) * scale, mass: middle, rules: Object.fromEntries(rules) };
}

function linear(values, position) {
  const { low, high, fraction } = neighbours(position, values.length);
  return (1 - fraction) * values[low] + fraction * values[high];
}

// In input pixels, continuous: value i of a signal stands at (i + 0.5) * width. An output of zeros has none.
function centreOfMass(values, width) {
  const weight = total(values);
  return weight === 0 ? null : total(values.map((value, i) => value * ((i + 0.5) * width))) / weight;
}

// A bump that is the same from both ends: under a rule that shifts nothing it stays in the middle.
const bump = (size) => steps(size).map((i) => Math.round(9 * Math.sin((Math.PI * i) / (size - 1)) ** 2));

const ROW = { head: 24, cells: 24, gap: 34, foot: 22 };
const ROW_HEIGHT = ROW.head + 2 * ROW.cells + ROW.gap + ROW.foot;

function strip(values, width, top, peak, path) {
  const wide = width / values.length;
  const digits = wide < 34 ? 1 : 2;
  return values.flatMap((value, i) => {
    const whole = Math.abs(value - Math.round(value)) < 1e-9;
    const named = path ? { "data-readout": `${path}.${i}`, "data-digits": whole ? 0 : digits } : {};
    return [
      cell(i * wide, top, wide, ROW.cells, value / peak),
      label((i + 0.5) * wide, top + ROW.cells / 2, format(value, whole ? 0 : digits), named),
    ];
  });
}

// One line from the centre of each output pixel up to where it reads. Upright lines keep the picture
// in place. A read beyond the outermost centres is moved onto them: the open dot.
function reads(numbers, rule, width, top) {
  const { in_size, out_size, selected } = numbers;
  const pixel = width / in_size;
  return numbers.rules[rule].positions.flatMap((position, i) => {
    const inside = clamp(position, 0, in_size - 1);
    const [from, to, end] = [((i + 0.5) * width) / out_size, (position + 0.5) * pixel, (inside + 0.5) * pixel];
    const chosen = i === selected ? " roi-chosen-read" : "";
    const line = svg("path", { class: `roi-read${chosen}`, d: `M${from} ${top + ROW.gap}L${to} ${top}` });
    const dot = svg("circle", { class: `roi-read-dot${inside === position ? "" : " roi-clamped"}`, cx: end, cy: top, r: chosen ? 5 : 3.5 });
    return inside === position ? [line, dot] : [line, svg("path", { class: "roi-clamping", d: `M${to} ${top}H${end}` }), dot];
  });
}

// Centres of mass: the input's as a dashed line down the row, the output's as a triangle below it.
function masses(numbers, rule, width, top, bottom) {
  const pixel = width / numbers.in_size;
  const { mass, shift } = numbers.rules[rule];
  if (mass === null) return [];
  const [own, now] = [numbers.mass * pixel, mass * pixel];
  const moved = Math.abs(shift) < 0.0005 ? [] : [svg("path", { class: "roi-shift", d: `M${own} ${bottom + 7}H${now}` })];
  return [
    svg("path", { class: "roi-mass-before", d: `M${own} ${top}V${top + ROW.gap}M${own} ${bottom}v14` }),
    ...moved,
    svg("path", { class: "roi-mass", d: `M${now} ${bottom + 2}l5 10h-10z` }),
  ];
}

function drawRule(layer, numbers, signal, rule, width, top) {
  const { resized, shift } = numbers.rules[rule];
  const peak = Math.max(...signal);
  const inTop = top + ROW.head;
  const outTop = inTop + ROW.cells + ROW.gap;
  const outWide = width / numbers.out_size;
  const moved = shift === null || Math.abs(shift) >= 0.0005;
  const measured = svg("tspan", { "data-readout": `rules.${rule}.shift`, "data-digits": 3 });
  layer.append(
    label(0, top + 12, RULES[rule].name, { class: "roi-start roi-strong" }),
    svg("text", { x: width, y: top + 12, class: moved ? "roi-end roi-loss-text" : "roi-end roi-faint" }, "shift ", measured, " px"),
    ...strip(signal, width, inTop, peak),
    ...strip(resized, width, outTop, peak, `rules.${rule}.resized`),
    svg("rect", { class: "roi-pick", x: numbers.selected * outWide, y: outTop, width: outWide, height: ROW.cells }),
    ...masses(numbers, rule, width, inTop + ROW.cells, outTop + ROW.cells),
    ...reads(numbers, rule, width, inTop + ROW.cells),
  );
}

function ruleTable() {
  const line = ([rule, { name, formula }]) =>
    html(
      "tr", {},
      html("th", { scope: "row" }, html("strong", {}, name), html("br"), html("span", { class: "roi-formula" }, formula)),
      ...["position", "x", "value"].map((what) => html("td", {}, readout(`rules.${rule}.${what}`, 3))),
    );
  const head = ["rule", "index", "x, px", "value"].map((text) => html("th", { scope: "col" }, text));
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...Object.entries(RULES).map(line)));
}

function render({ model, el }) {
  const rows = svg("g");
  const target = handle("rect", { "aria-label": "Output pixel", rx: 4 });
  const picture = svg("svg", { role: "group", "aria-label": "Input pixels above, output pixels below, under four grid rules" }, rows, target);
  const select = (i) => store(model, { selected: clamp(i, 0, model.get("out_size") - 1) });
  const panel = controls(
    range({ label: "input pixels", min: 3, max: 8, step: 1, path: "in_size", get: () => model.get("signal").length, set: (size) => store(model, { signal: bump(size) }) }),
    range({ label: "output pixels", min: 1, max: 12, step: 1, path: "out_size", get: () => model.get("out_size"), set: (out_size) => store(model, { out_size, selected: Math.min(model.get("selected"), out_size - 1) }) }),
    range({ label: "selected output i", min: 0, max: () => model.get("out_size") - 1, step: 1, path: "selected", get: () => model.get("selected"), set: select }),
  );
  const root = frame(
    "resize-grids", "Where a resized signal reads, under four grid rules",
    html("div", {}, picture),
    html("p", { class: "roi-sentence" }, "scale = ", readout("in_size", 0), " / ", readout("out_size", 0), " = ", readout("scale", 4), ". Output pixel i = ", readout("selected", 0), " has its centre at x = ", readout("x", 3), " input px and reads:"),
    ruleTable(),
    panel,
    caption("Drag along the output pixels, or use the arrow keys, to select one. Upright lines keep the picture in place; the triangle is its centre of mass, the dashed line where that was. An open dot was moved onto the outermost centre."),
  );
  el.append(root);

  const outputAt = (x) => Math.floor((x / picture.viewBox.baseVal.width) * model.get("out_size"));
  draggable(target, picture, { across: true, start: () => null, move: (_, __, at) => select(outputAt(at.x)), tap: (at) => select(outputAt(at.x)) });
  arrowKeys(target, (dx, dy, shift) => select(model.get("selected") + (dx + dy) * (shift ? 4 : 1)));

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const { width, height } = fit(picture, ROW_HEIGHT * 4);
    rows.replaceChildren();
    Object.keys(RULES).forEach((rule, n) => drawRule(rows, numbers, state.signal, rule, width, n * ROW_HEIGHT));
    target.setAttribute("width", width);
    target.setAttribute("height", height);
    const half = numbers.rules.half_pixel;
    describe(target, numbers.selected, 0, numbers.out_size - 1, `output pixel ${numbers.selected}; half pixel reads index ${format(half.position, 3)}, value ${format(half.value)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// A small mask pasted into a box that the reader moves, and the pixels that are wrong.

const TRAITS = ["shape", "side", "box", "half_pixels", "rounded"];
const RULES = { on: [true, false], off: [false, false], on_rounded: [true, true], off_rounded: [false, true] };
const RULE_NAMES = { on: "on, as given", off: "off, as given", on_rounded: "on, rounded", off_rounded: "off, rounded" };
const STEPS = 4; // of the box, a pixel

export function compute(state) {
  const { shape, side, box, half_pixels, rounded } = state;
  const region = pastedRegion(box, side, half_pixels, rounded);
  const [width, height] = [0, 1].map((axis) => (region[axis + 2] - region[axis]) / (side + 2 * PADDING));
  const ring = [width, height, -width, -height].map((length) => length * PADDING);
  const truth = trueMask(shape);
  const { shared, missing, extra } = compare(truth, paste(state, half_pixels, rounded));
  const errors = (rule) => countErrors(compare(truth, paste(state, ...rule)));
  return {
    side,
    box,
    cell: [width, height],
    spread: region.map((edge, n) => edge + ring[n]),
    truth: shared.length + missing.length,
    pasted: shared.length + extra.length,
    missing,
    extra,
    here: errors([half_pixels, rounded]),
    rules: Object.fromEntries(Object.entries(RULES).map(([name, rule]) => [name, errors(rule)])),
  };
}

// The picture: pasted pixels over the scene; a minus where one is missing, a plus where one is too many.

const tiles = (pixels, unit, gap) => pixels.map(([row, column]) => `M${column * unit + gap} ${row * unit + gap}h${unit - 2 * gap}v${unit - 2 * gap}h${2 * gap - unit}z`).join("");
const minus = (pixels, unit) => pixels.map(([row, column]) => `M${(column + 0.2) * unit} ${(row + 0.5) * unit}h${0.6 * unit}`).join("");
const plus = (pixels, unit) => minus(pixels, unit) + pixels.map(([row, column]) => `M${(column + 0.5) * unit} ${(row + 0.2) * unit}v${0.6 * unit}`).join("");

function drawPixels(layer, { shared, missing, extra }, unit) {
  const path = (css, d) => svg("path", { class: css, d });
  const gap = unit > 5 ? 0.4 : 0.1;
  layer.replaceChildren(
    path("roi-kept", tiles(shared, unit, gap)),
    path("roi-missing", tiles(missing, unit, gap)), path("roi-minus", minus(missing, unit)),
    path("roi-extra", tiles(extra, unit, gap)), path("roi-plus", plus(extra, unit)),
  );
}

// The outline of the truth along the edges of its pixels: down its right side and up its left one.
function outlineOf({ first, spans }, unit) {
  const right = spans.map(([, stop], n) => `L${stop * unit} ${(first + n) * unit}v${unit}`);
  const left = spans.map(([start], n) => `L${start * unit} ${(first + n + 1) * unit}v${-unit}`).reverse();
  return `M${spans[0][0] * unit} ${first * unit}${right.join("")}${left.join("")}z`;
}

// x along the lower edge of the picture and y along its left edge, in image pixels.
function rulers([left, top, right, bottom], unit) {
  const step = right - left > 60 ? 16 : 8;
  const marks = (from, to) => steps(Math.floor(to / step) + 1).map((n) => step * n).filter((at) => at > from + 26 / unit && at < to - 26 / unit);
  const word = (name, at, n) => (n ? at : `${name} = ${at}`);
  const across = marks(left, right).map((x, n) => label((x - left) * unit, (bottom - top) * unit - 9, word("x", x, n), { class: "roi-on-line" }));
  return [...across, ...marks(top, bottom).map((y, n) => label(5, (y - top) * unit, word("y", y, n), { class: "roi-on-line roi-start" }))];
}

function drawMask(layer, values, size) {
  const places = values.flatMap((line, row) => line.map((value, column) => ({ value, row, column })));
  layer.replaceChildren(...places.map(({ value, row, column }) => cell(column * size, row * size, size, size, value)));
}

// The numbers: a line for each way to paste.

function errorTable() {
  const heading = (scope, text) => html("th", { scope }, html("span", {}, text));
  const row = (name) => html("tr", { "data-rule": name }, heading("row", RULE_NAMES[name]), ...["missing", "extra", "wrong"].map((kind) => html("td", {}, readout(`rules.${name}.${kind}`, 0))), html("td", {}, readout(`rules.${name}.iou`, 3)));
  const head = html("tr", {}, ...["half pixels, box", "\u2212", "+", "wrong", "IoU"].map((text) => heading("col", text)));
  return html("table", {}, html("thead", {}, head), html("tbody", {}, ...Object.keys(RULES).map(row)));
}

function sentence() {
  const ends = (axis) => [readout(`spread.${axis}`), " to ", readout(`spread.${axis + 2}`)];
  return html("p", { class: "roi-told" }, "The ", readout("side", 0), " \u00d7 ", readout("side", 0), " cells are spread over x ", ...ends(0), " and y ", ...ends(1), "; a cell has ", readout("cell.0"), " \u00d7 ", readout("cell.1"), " pixels. ", readout("pasted", 0), " pixels are pasted; the object has ", readout("truth", 0), ".");
}

// What each switch changes, with the other one as it is.
function compareRules({ here, rules }, { half_pixels, rounded }) {
  const name = (half, round) => `${half ? "on" : "off"}${round ? "_rounded" : ""}`;
  const other = rules[name(!half_pixels, rounded)].wrong;
  const others = rules[name(half_pixels, !rounded)].wrong;
  return `${here.wrong} pixels are wrong. With half pixels ${half_pixels ? "off" : "on"} there would be ${other}; with the box ${rounded ? "as given" : "rounded"}, ${others}.`;
}

// box_gestures moves a box in a feature map: here the map is the window, a cell for each step.
function windowAsMap(model) {
  const place = () => OBJECTS[model.get("shape")].window;
  const views = {
    stride: () => 1,
    features: () => ({ length: (place()[3] - place()[1]) * STEPS, 0: { length: (place()[2] - place()[0]) * STEPS } }),
    box: () => model.get("box").map((edge, n) => (edge - place()[n % 2]) * STEPS),
  };
  const set = (_, box) => {
    const [x1, y1, x2, y2] = box.map((edge, n) => edge / STEPS + place()[n % 2]);
    if (x2 - x1 >= 1 && y2 - y1 >= 1) model.set("box", [x1, y1, x2, y2]);
  };
  return { get: (name) => views[name](), set, save_changes: () => model.save_changes() };
}

function pasteControls(model) {
  const flag = (name, text) => tick({ label: text, get: () => model.get(name), set: (value) => store(model, { [name]: value }) });
  return controls(
    flag("half_pixels", "half pixels: a pixel reads the mask at its centre"),
    flag("rounded", "box rounded first, as in torchvision 0.29"),
    choice({ label: "Mask, cells", options: [7, 14, 28].map((side) => [side, `${side} \u00d7 ${side}`]), get: () => model.get("side"), set: (side) => store(model, { side }) }),
    choice({ label: "Object", options: Object.keys(OBJECTS).map((name) => [name, name]), get: () => model.get("shape"), set: (shape) => store(model, { shape, box: OBJECTS[shape].box }) }),
  );
}

function legend() {
  const key = (kind, text) => {
    const layer = svg("g");
    drawPixels(layer, { shared: [], missing: [], extra: [], [kind]: [[0, 0]] }, 13);
    return html("span", { class: "roi-key" }, svg("svg", { width: 13, height: 13, viewBox: "0 0 13 13", "aria-hidden": "true" }, layer), text);
  };
  return html("p", { class: "roi-legend" }, key("shared", "pasted in the object"), key("missing", "missing"), key("extra", "pasted outside the object"));
}

function render({ model, el }) {
  const scene = svg("image", { href: SCENE.address, preserveAspectRatio: "none" });
  const [under, outline, truthUnder, truth, spreadUnder, spread] = ["roi-under", "roi-true-box", "roi-truth-under", "roi-truth", "roi-spread-under", "roi-spread"].map((css) => svg("path", { class: css }));
  const [pixels, scales, cells] = [svg("g"), svg("g"), svg("g")];
  const target = handle("rect", { "aria-label": "Box" });
  const moved = svg("g", {}, scene, pixels, truthUnder, truth);
  const picture = svg("svg", { class: "roi-scene", role: "group", "aria-label": "The pasted mask over the image" }, moved, spreadUnder, spread, under, outline, scales, target);
  const maskPicture = svg("svg", { role: "presentation" }, cells);
  const [table, panel, verdict] = [errorTable(), pasteControls(model), html("p", { class: "roi-verdict" })];
  const root = frame(
    "paste-mask", "A small mask pasted into a box, and the pixels that are wrong",
    html("div", { class: "roi-split" }, html("div", {}, picture), html("div", {}, html("div", { class: "roi-mask" }, maskPicture), sentence(), table)),
    legend(), verdict, panel,
    caption("Drag the box (grips at its corners), its corners or its edges; the arrow keys move it by a quarter of a pixel, with Shift its lower right corner. Outline along the pixels: the object. Dashed: what the mask is spread over, where it is not the box. Grey: the mask, from 0, as in its upper corners, to 1."),
    caption("Half pixels off: a pixel reads the mask at its top left corner. Box rounded: the box with a ring of zeros, one mask cell wide, is cut to whole pixels and made one pixel wider and higher. Table: \u2212 missing, + pasted outside the object."),
  );
  el.append(root);
  boxGestures({ model: windowAsMap(model), target, picture, keys: true });

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const { window: part, colour } = OBJECTS[state.shape];
    const [across, down] = [part[2] - part[0], part[3] - part[1]];
    const { width } = fit(picture, (wide) => (wide * down) / across);
    const unit = width / across;
    const place = (edges) => edges.map((edge, n) => (edge - part[n % 2]) * unit);
    root.style.setProperty("--object", colour);
    root.style.setProperty("--thin", `${Math.min(0.2 * unit, 1.5)}px`); // so that lines leave the pixels to be seen
    moved.setAttribute("transform", `translate(${-part[0] * unit} ${-part[1] * unit})`);
    for (const [key, length] of Object.entries({ width: SCENE.width * unit, height: SCENE.height * unit })) scene.setAttribute(key, length);
    drawPixels(pixels, compare(trueMask(state.shape), paste(state, state.half_pixels, state.rounded)), unit);
    for (const path of [truthUnder, truth]) path.setAttribute("d", outlineOf(OBJECTS[state.shape], unit));
    scales.replaceChildren(...rulers(part, unit));
    placeBox({ outline, target }, place(state.box));
    under.setAttribute("d", outline.getAttribute("d"));
    const [x1, y1, x2, y2] = place(numbers.spread);
    const apart = numbers.spread.some((edge, n) => Math.abs(edge - state.box[n]) > 1e-9);
    for (const path of [spreadUnder, spread]) path.setAttribute("d", apart ? `M${x1} ${y1}H${x2}V${y2}H${x1}Z` : "");
    const drawn = `${state.shape} ${state.side} ${fit(maskPicture, (wide) => wide).width}`;
    if (cells.dataset.drawn !== drawn) drawMask(cells, maskCells(state.shape, state.side), maskPicture.viewBox.baseVal.width / state.side);
    cells.dataset.drawn = drawn; // 784 cells: not at every step of a drag
    for (const row of table.tBodies[0].rows) {
      const [half, round] = RULES[row.dataset.rule];
      row.classList.toggle("roi-current", half === state.half_pixels && round === state.rounded);
    }
    verdict.textContent = compareRules(numbers, state);
    const sides = state.box.map((edge) => format(edge));
    describe(target, state.box[0], part[0], part[2], `x ${sides[0]} to ${sides[2]}, y ${sides[1]} to ${sides[3]} image pixels; ${numbers.here.wrong} pixels wrong, IoU ${format(numbers.here.iou, 3)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// Twelve anchors, three at each of 2 x 2 cells, and their IoU with an object that the reader moves.

const TRAITS = ["box", "stride", "size", "offset", "rounded"];
const OFFSETS = { corner: 0, centre: 0.5 };
const FOUR_CELLS = [2, 2]; // rows, columns
const CELL_NAMES = ["a", "b", "c", "d"];
const RATIO_NAMES = { 0.5: "1 : 2", 1: "1 : 1", 2: "2 : 1" }; // height : width

export function compute({ box, stride, size, offset, rounded }) {
  const at = (place) => matched(box, generateAnchors(FOUR_CELLS, stride, size, RATIOS, place, rounded));
  const { anchors, ious, labels, best } = at(offset);
  return {
    box,
    stride,
    size,
    shapes: baseAnchors(size, RATIOS, rounded).map(([x1, y1, x2, y2]) => [x2 - x1, y2 - y1]),
    centres: anchorCentres(FOUR_CELLS, stride, offset).map(([x, y]) => [x + CORNER[0], y + CORNER[1]]),
    anchors,
    ious,
    labels,
    best,
    offsets: Object.fromEntries(Object.entries(OFFSETS).map(([name, place]) => [name, at(place).best])),
  };
}

// Anchors at their place in the scene, their IoU with the object, what each counts as, and the best.
function matched(box, fromCorner) {
  const anchors = fromCorner.map((edges) => edges.map((edge, n) => edge + CORNER[n % 2]));
  const ious = anchors.map((anchor) => boxIou(box, anchor));
  const highest = Math.max(...ious);
  const labels = ious.map((iou) => labelAnchor(iou, highest));
  const n = ious.indexOf(highest);
  const none = { number: null, iou: null, label: null, anchor: Array(4).fill(null), deltas: Array(4).fill(null) };
  const best = highest > 0 ? { number: n + 1, iou: highest, label: labels[n], anchor: anchors[n], deltas: encodeBox(box, anchors[n]) } : none;
  return { anchors, ious, labels, best };
}

// As roilearn.reference.match has it: the best anchor is positive even below the high threshold.
function labelAnchor(iou, highest) {
  if (iou >= THRESHOLDS.high) return "positive";
  if (iou > 0 && iou === highest) return "rescued";
  return iou >= THRESHOLDS.low ? "ignored" : "negative";
}

// The picture: the scene, the four cells, the anchors from the lowest IoU to the highest.

const place = ([x, y], unit) => [(x - WINDOW[0]) * unit, (y - WINDOW[1]) * unit];

function outlines({ anchors, ious, labels, best }, unit) {
  const order = steps(anchors.length).sort((a, b) => ious[a] - ious[b]);
  return order.flatMap((n) => {
    const [x1, y1, x2, y2] = anchors[n];
    const [x, y] = place([x1, y1], unit);
    const rect = (css) => svg("rect", { class: css, "data-outline": n, x, y, width: (x2 - x1) * unit, height: (y2 - y1) * unit });
    const chosen = n + 1 === best.number ? " roi-best" : "";
    const edged = ["positive", "rescued"].includes(labels[n]) ? [rect(`roi-edge${chosen}`)] : [];
    return [...edged, rect(`roi-anchor roi-${labels[n]}${chosen}`)];
  });
}

function cellLines(stride, unit) {
  const [left, top] = place(CORNER, unit);
  const side = stride * unit;
  return [0, 1, 2].map((n) => `M${left + n * side} ${top}v${2 * side}M${left} ${top + n * side}h${2 * side}`).join("");
}

// A point at each centre; its letter stands outwards, so that letters keep apart at every stride.
function centreMarks(centres, unit) {
  return centres.flatMap((centre, n) => {
    const [x, y] = place(centre, unit);
    const letter = label(x + (n % 2 ? 10 : -10), y + (n < 2 ? -9 : 9), CELL_NAMES[n], { class: "roi-on-line roi-strong" });
    return [svg("circle", { class: "roi-sample", cx: x, cy: y, r: 3.6 }), letter];
  });
}

// x along the lower edge of the picture and y along its left edge, in image pixels.
function rulers(unit) {
  const [left, top, right, bottom] = WINDOW;
  const marks = (from, to) => steps(Math.floor(to / 16) + 1).map((n) => 16 * n).filter((at) => at > from + 4 && at < to - 12);
  const across = marks(left, right).map((x) => label((x - left) * unit, (bottom - top) * unit - 9, x === 16 ? "x = 16" : x, { class: "roi-on-line" }));
  return [...across, ...marks(top, bottom).map((y) => label(5, (y - top) * unit, y === 48 ? "y = 48" : y, { class: "roi-on-line roi-start" }))];
}

// The numbers: a line for each cell with its three anchors; the best anchor at both offsets.

const heading = (scope, ...content) => html("th", { scope }, html("span", {}, ...content));

function anchorTable() {
  // One element a cell: on a phone the page makes lists of tables, and would part several.
  const anchor = (n) => html("td", { "data-anchor": n }, html("span", {}, `${n + 1}: `, readout(`ious.${n}`), html("br"), readout(`labels.${n}`)));
  const shape = (ratio, n) => heading("col", RATIO_NAMES[ratio], html("br"), readout(`shapes.${n}.0`, 1), " \u00d7 ", readout(`shapes.${n}.1`, 1));
  const head = html("tr", {}, heading("col", "cell", html("br"), "centre"), ...RATIOS.map(shape));
  const row = (name, n) => html("tr", {}, heading("row", html("b", {}, name), html("br"), readout(`centres.${n}.0`, 0), ", ", readout(`centres.${n}.1`, 0)), ...RATIOS.map((_, r) => anchor(RATIOS.length * n + r)));
  return html("table", { class: "roi-anchors" }, html("thead", {}, head), html("tbody", {}, ...CELL_NAMES.map(row)));
}

function offsetTable() {
  const row = ([name, offset]) => html("tr", { "data-offset": offset }, heading("row", `offset ${offset}`), html("td", {}, readout(`offsets.${name}.number`, 0)), html("td", {}, readout(`offsets.${name}.iou`)), html("td", {}, readout(`offsets.${name}.label`)));
  const head = ["", "best anchor", "IoU", "counts as"].map((text) => (text ? heading("col", text) : html("td")));
  return html("table", { class: "roi-offsets" }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...Object.entries(OFFSETS).map(row)));
}

function sentence() {
  const list = (path, digits) => steps(4).flatMap((n) => [n ? ", " : "", readout(`best.${path}.${n}`, digits)]);
  const deltas = ["dx", "dy", "dw", "dh"].flatMap((name, n) => [n ? ", " : " ", `${name} `, readout(`best.deltas.${n}`, 3)]);
  return html("p", { class: "roi-told" }, "Best anchor ", readout("best.number", 0), ": [", ...list("anchor", 1), "]. The deltas from it to the object:", ...deltas, ".");
}

// box_gestures moves a box in a feature map: here the map is the window, a cell for each pixel.
function windowAsMap(model) {
  const [x1, y1, x2, y2] = WINDOW;
  const shift = (box, sign) => box.map((edge, n) => edge + sign * (n % 2 ? y1 : x1));
  const views = { stride: () => 1, features: () => ({ length: y2 - y1, 0: { length: x2 - x1 } }), box: () => shift(model.get("box"), -1) };
  return { get: (name) => views[name](), set: (_, box) => model.set("box", shift(box, 1)), save_changes: () => model.save_changes() };
}

function anchorControls(model) {
  const pick = (name, text, options) => choice({ label: text, options, get: () => model.get(name), set: (value) => store(model, { [name]: value }) });
  return controls(
    pick("offset", "Offset in the cell", [[0, "0"], [0.5, "0.5"]]),
    tick({ label: "rounded to whole pixels", get: () => model.get("rounded"), set: (rounded) => store(model, { rounded }) }),
    range({ label: "anchor size, px", min: 12, max: 36, step: 6, path: "size", get: () => model.get("size"), set: (size) => store(model, { size }) }),
    pick("stride", "Stride, px", [4, 8, 16].map((stride) => [stride, String(stride)])),
  );
}

function render({ model, el }) {
  const scene = svg("image", { href: SCENE.address, preserveAspectRatio: "none" });
  const [cellsUnder, cells, outline] = ["roi-cells-under", "roi-cells", "roi-true-box"].map((css) => svg("path", { class: css }));
  const [under, scales, anchors, marks] = [svg("path", { class: "roi-under" }), svg("g"), svg("g"), svg("g")];
  const target = handle("rect", { "aria-label": "Object" });
  const picture = svg("svg", { class: "roi-scene", role: "group", "aria-label": "Twelve anchors and the object on the image" }, scene, cellsUnder, cells, anchors, scales, under, outline, marks, target);
  const [table, offsets, panel] = [anchorTable(), offsetTable(), anchorControls(model)];
  const verdict = html("p", { class: "roi-verdict" });
  const root = frame(
    "anchors-at-point", "Twelve anchors at four cells, and their IoU with an object",
    html("div", { class: "roi-split" }, html("div", {}, picture), html("div", {}, table)),
    sentence(), offsets, verdict, panel,
    caption("The box with grips is the object. Drag it, its corners or its edges; the arrow keys move it, and with Shift they move its lower right corner. The thick blue box is the anchor of the highest IoU. Point at a number in the table to see its anchor. The table gives the number of each anchor and its IoU in bold; its head gives height : width, and width \u00d7 height in px."),
    caption("In training, an anchor is positive at an IoU of 0.7 or more (solid), rescued if it is below 0.7 and the object\u2019s best (solid), negative below 0.3 (dotted), and ignored between (dashed). Here the best is that of these twelve; training compares the anchors of all maps. torchvision 0.29 has offset 0, rounded."),
  );
  root.style.setProperty("--square", SQUARE);
  el.append(root);
  boxGestures({ model: windowAsMap(model), target, picture, keys: true });
  let pointed = null; // the anchor of the table's cell that the reader points at
  const markPointed = () => [...anchors.children].forEach((rect) => rect.classList.toggle("roi-pointed", rect.dataset.outline === pointed));
  const point = (cell) => {
    pointed = cell?.dataset.anchor ?? null;
    markPointed();
  };
  table.addEventListener("pointerover", ({ target: part }) => point(part.closest("[data-anchor]")));
  table.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && point(null));

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const [across, down] = [WINDOW[2] - WINDOW[0], WINDOW[3] - WINDOW[1]];
    const { width } = fit(picture, (wide) => (wide * down) / across);
    const unit = width / across;
    const [x, y] = place([0, 0], unit);
    for (const [key, value] of Object.entries({ x, y, width: SCENE.width * unit, height: SCENE.height * unit })) scene.setAttribute(key, value);
    for (const path of [cellsUnder, cells]) path.setAttribute("d", cellLines(state.stride, unit));
    scales.replaceChildren(...rulers(unit));
    anchors.replaceChildren(...outlines(numbers, unit));
    markPointed();
    marks.replaceChildren(...centreMarks(numbers.centres, unit));
    placeBox({ outline, target }, [...place(state.box.slice(0, 2), unit), ...place(state.box.slice(2), unit)]);
    under.setAttribute("d", outline.getAttribute("d"));
    for (const cell of table.querySelectorAll("[data-anchor]")) cell.className = `roi-is-${numbers.labels[cell.dataset.anchor]}${Number(cell.dataset.anchor) + 1 === numbers.best.number ? " roi-best" : ""}`;
    for (const row of offsets.tBodies[0].rows) row.classList.toggle("roi-current", Number(row.dataset.offset) === state.offset);
    verdict.textContent = compareOffsets(numbers);
    describe(target, state.box[0], WINDOW[0], WINDOW[2], `x ${state.box[0]} to ${state.box[2]}, y ${state.box[1]} to ${state.box[3]} image pixels; best anchor ${format(numbers.best.number, 0)}, IoU ${format(numbers.best.iou)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

// What the offset decides for this object.
function compareOffsets({ stride, offsets: { corner, centre } }) {
  if (corner.number === null && centre.number === null) return "No anchor meets the object at either offset.";
  const counts = ({ label }) => (label === null ? "no match" : label);
  if (corner.label !== centre.label) return `The offset decides how the best anchor counts: ${counts(corner)} at offset 0, ${counts(centre)} at 0.5.`;
  if (corner.number !== centre.number) return `The offset decides which anchor is the best: ${corner.number} at offset 0, ${centre.number} at 0.5.`;
  return `Anchor ${corner.number} is the best at both offsets; from 0 to 0.5 its centre moves by ${stride / 2} px right and down.`;
}

export default { render };

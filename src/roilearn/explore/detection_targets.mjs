// What a proposal is to learn: its IoU with three objects, two thresholds, its label and its targets.

const TRAITS = ["box", "thresholds", "mask_size", "thresholded"];
const MASKS = OBJECTS.map(({ box, rows }) => {
  const mask = zeros(SCENE.height, SCENE.width);
  rows.forEach(([start, end], n) => mask[box[1] + n].fill(1, start, end));
  return mask;
});

export function compute({ box, thresholds: [low, high], mask_size, thresholded }) {
  const ious = OBJECTS.map((one) => boxIou(one.box, box));
  const iou = Math.max(...ious);
  const row = iou > 0 ? ious.indexOf(iou) : null;
  const verdict = iou >= high ? "positive" : iou >= low ? "ignored" : "negative";
  const matched = verdict === "positive" ? OBJECTS[row] : null;
  const deltas = matched ? encodeBox(matched.box, box) : Array(4).fill(null);
  const covered = matched ? cropMask(MASKS[row], box, mask_size) : zeros(mask_size, mask_size);
  const inside = covered.map((line) => line.map((share) => Number(share >= INSIDE)));
  return {
    box,
    thresholds: { low, high },
    ious,
    best: { row, name: row === null ? null : OBJECTS[row].name, iou },
    verdict,
    class: { positive: matched?.label, negative: 0, ignored: null }[verdict],
    deltas,
    weighted: deltas.map((delta, n) => (delta === null ? null : delta * DELTA_WEIGHTS[n])),
    mask: thresholded ? inside : covered,
    mask_size,
    cells: { inside: total(inside.flat()), of: mask_size ** 2 },
  };
}

// RoIAlign of the mask, aligned and with one sample or more a pixel: the fraction of each cell that it covers.
function cropMask(mask, [x1, y1, x2, y2], cells) {
  const rows = samplePositions(y1 - 0.5, y2 - y1, cells, 0);
  const columns = samplePositions(x1 - 0.5, x2 - x1, cells, 0);
  return rows.map((down) => columns.map((across) => binAverage(binSamples(mask, down, across))));
}

// The picture: the masks of the objects, their boxes and names, and the proposal.

const hue = (n) => `--hue: ${OBJECTS[n].hue}`;

// Down the right ends of a mask's rows and up the left ones.
function maskOutline({ box, rows }, unit) {
  const corners = (side) => rows.flatMap((row, n) => [0, 1].map((below) => [row[side] * unit, (box[1] + n + below) * unit]));
  return `M${[...corners(1), ...corners(0).reverse()].map((point) => point.join(" ")).join("L")}Z`;
}

function objectMarks(unit) {
  return OBJECTS.flatMap((one, n) => {
    const [x, y, x2, y2] = one.box.map((edge) => edge * unit);
    const mask = svg("path", { class: "roi-object", style: hue(n), d: maskOutline(one, unit) });
    return [mask, svg("rect", { class: "roi-object-box", x, y, width: x2 - x, height: y2 - y })];
  });
}

const objectNames = (unit) => OBJECTS.map(({ name, box: [x1, , x2, y2] }) => label(((x1 + x2) / 2) * unit, y2 * unit + 13, name, { class: "roi-on-line roi-strong" }));

// The bars: IoU with each object, the thresholds, and the three ranges between them.

// Of values whose labels would overlap, the first.
const apart = (values, x) => values.reduce((kept, at) => (kept.some((one) => Math.abs(x(one) - x(at)) < 32) ? kept : [...kept, at]), []);

const BARS = { left: 62, right: 44, top: 26, tall: 22, apart: 30, height: 138 };

function drawBars(layer, { ious, best, thresholds }, width) {
  const reach = width - BARS.left - BARS.right;
  const x = (iou) => BARS.left + iou * reach;
  const foot = BARS.top + OBJECTS.length * BARS.apart;
  const ends = [0, thresholds.low, thresholds.high, 1];
  const ranges = ["negative", "ignored", "positive"].map((name, n) => ({ name, from: x(ends[n]), to: x(ends[n + 1]) }));
  const seen = ranges.filter(({ from, to }) => to > from);
  layer.replaceChildren(
    ...seen.map(({ name, from, to }) => svg("rect", { class: `roi-region roi-is-${name}`, x: from, y: BARS.top - 4, width: to - from, height: foot - BARS.top + 4 })),
    ...seen.filter(({ from, to }) => to - from > 48).map(({ name, from, to }) => label((from + to) / 2, 11, name, { class: "roi-faint" })),
    ...ious.flatMap((iou, n) => {
      const top = BARS.top + n * BARS.apart;
      const strong = n === best.row ? " roi-strong" : "";
      return [
        label(0, top + BARS.tall / 2, OBJECTS[n].name, { class: `roi-start${strong}` }),
        svg("rect", { class: `roi-bar${strong}`, style: hue(n), x: x(0), y: top, width: iou * reach, height: BARS.tall }),
        label(x(iou) + 6, top + BARS.tall / 2, "", { class: `roi-start roi-on-line${strong}`, "data-readout": `ious.${n}`, "data-digits": 2 }),
      ];
    }),
    ...ends.slice(1, 3).map((at) => svg("path", { class: "roi-threshold", d: `M${x(at)} ${BARS.top - 4}V${foot}` })),
    ...apart([thresholds.high, thresholds.low, 0, 1], (at) => x(at)).map((at) => label(x(at), foot + 11, format(at, Number.isInteger(at) ? 0 : 2), { class: "roi-faint" })),
  );
}

// The mask target, and a line around the cells that the mask covers by half or more.

function drawTarget(layer, { mask, mask_size, best, verdict }, width) {
  const size = width / mask_size;
  const places = mask.flatMap((line, row) => line.map((share, column) => ({ share, row, column })));
  const inside = (row, column) => (mask[row]?.[column] ?? 0) >= INSIDE;
  const edges = places.filter(({ row, column }) => inside(row, column)).flatMap(({ row, column }) => {
    const [x, y] = [column * size, row * size];
    return [
      inside(row - 1, column) ? "" : `M${x} ${y}h${size}`,
      inside(row + 1, column) ? "" : `M${x} ${y + size}h${size}`,
      inside(row, column - 1) ? "" : `M${x} ${y}v${size}`,
      inside(row, column + 1) ? "" : `M${x + size} ${y}v${size}`,
    ];
  });
  const zeroes = verdict === "positive" ? [] : [label(width / 2, width / 2, verdict === "ignored" ? "ignored: no target" : "negative: zeros", { class: "roi-on-line roi-strong" })];
  layer.setAttribute("style", verdict === "positive" ? hue(best.row) : "");
  layer.replaceChildren(
    ...places.map(({ share, row, column }) => cell(column * size, row * size, size, size, share)),
    svg("path", { class: "roi-half", d: edges.join("") }),
    ...zeroes,
  );
}

// The words and the controls.

const heading = (scope, ...content) => html("th", { scope }, html("span", {}, ...content));

function deltaTable() {
  const row = (name, path) => html("tr", {}, heading("row", name), ...steps(4).map((n) => html("td", {}, readout(`${path}.${n}`, 3))));
  const head = html("tr", {}, html("td"), ...["dx", "dy", "dw", "dh"].map((name) => heading("col", name)));
  return html("table", { class: "roi-deltas" }, html("thead", {}, head), html("tbody", {}, row("deltas", "deltas"), row(`times ${DELTA_WEIGHTS.join(", ")}`, "weighted")));
}

function verdictText({ verdict, best, thresholds: { low, high } }) {
  const [iou, from, below] = [best.iou, high, low].map((value) => format(value));
  if (verdict === "positive") return `Positive: the best object is the ${best.name}, and its IoU of ${iou} is not below ${from}. Class target: ${best.name}.`;
  if (verdict === "ignored") return `Ignored: the best object is the ${best.name}, and its IoU of ${iou} lies between ${below} and ${from}. No loss uses the proposal.`;
  const nearest = best.name ? `the best object is the ${best.name}, and its IoU of ${iou} is below ${below}` : "the proposal meets no object";
  return `Negative: ${nearest}. Class target: background; no box or mask target.`;
}

// box_gestures moves a box in a feature map: here the map is the image, a cell for each pixel. Edges
// that are not whole keep their hundredths.
function imageAsMap(model) {
  const views = { stride: () => 1, features: () => ({ length: SCENE.height, 0: { length: SCENE.width } }), box: () => model.get("box") };
  const hundredths = (box) => box.map((edge) => Math.round(edge * 100) / 100);
  return { get: (name) => views[name](), set: (name, box) => model.set(name, hundredths(box)), save_changes: () => model.save_changes() };
}

function targetControls(model) {
  const threshold = (name, text, n) =>
    range({
      label: text, min: 0.05, max: 1, step: 0.05, path: `thresholds.${name}`, digits: 2, get: () => model.get("thresholds")[n],
      set: (value) => store(model, { thresholds: n ? [Math.min(model.get("thresholds")[0], value), value] : [value, Math.max(model.get("thresholds")[1], value)] }),
    });
  return controls(
    threshold("high", "positive from IoU", 1), threshold("low", "negative below IoU", 0),
    choice({ label: "Mask: cells a side", options: [7, 14, 28].map((size) => [size, String(size)]), get: () => model.get("mask_size"), set: (mask_size) => store(model, { mask_size }) }),
    tick({ label: "cells 0 or 1, threshold 0.5", get: () => model.get("thresholded"), set: (thresholded) => store(model, { thresholded }) }),
  );
}

function render({ model, el }) {
  const scene = svg("image", { href: SCENE.address, preserveAspectRatio: "none" });
  const [objects, names, bars, cells] = steps(4).map(() => svg("g"));
  const [under, outline] = [svg("path", { class: "roi-under" }), svg("path", { class: "roi-true-box" })];
  const target = handle("rect", { "aria-label": "Proposal" });
  const picture = svg("svg", { class: "roi-scene", role: "group", "aria-label": "Three objects and the proposal on the image" }, scene, objects, under, outline, names, target);
  const [barPicture, maskPicture] = [svg("svg", { role: "presentation" }, bars), svg("svg", { class: "roi-mask", role: "presentation" }, cells)];
  const maskWords = html("p", { class: "roi-told" }, "Mask target: ", readout("cells.inside", 0), " of ", readout("cells.of", 0), " cells are 0.5 or more.");
  const [verdict, table, panel] = [html("p", { class: "roi-verdict" }), deltaTable(), targetControls(model)];
  const root = frame(
    "detection-targets", "A proposal, its IoU with three objects, its label and its targets",
    html("div", { class: "roi-split" }, html("div", {}, picture), html("div", { class: "roi-mask-side" }, maskPicture, maskWords)),
    html("div", { class: "roi-split" }, html("div", {}, barPicture), html("div", {}, html("p", { class: "roi-told" }, "Class target: ", readout("class", 0), " (0 is background). Deltas from the proposal to its object:"), table)),
    verdict, panel,
    caption("Drag the proposal (grips at its corners), its corners or its edges; the arrow keys move it, with Shift its lower right corner. Solid, in the colour of its object: positive; dashed: ignored; dotted: negative. Bars: IoU with each object, lines at the thresholds."),
    caption("The mask target is the object\u2019s mask cropped to the proposal by RoIAlign (aligned). Detectron2 0.6 makes every cell 0 or 1; torchvision 0.29 keeps the fractions."),
  );
  el.append(root);
  boxGestures({ model: imageAsMap(model), target, picture, keys: true });

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const { width, height } = fit(picture, (wide) => (wide * SCENE.height) / SCENE.width);
    const unit = width / SCENE.width;
    for (const [key, value] of Object.entries({ width, height })) scene.setAttribute(key, value);
    objects.replaceChildren(...objectMarks(unit));
    names.replaceChildren(...objectNames(unit));
    placeBox({ outline, target }, state.box.map((edge) => edge * unit));
    under.setAttribute("d", outline.getAttribute("d"));
    for (const [path, css] of [[under, "roi-under"], [outline, "roi-true-box"]]) path.setAttribute("class", `${css} roi-${numbers.verdict}`);
    outline.setAttribute("style", numbers.verdict === "positive" ? hue(numbers.best.row) : "");
    drawBars(bars, numbers, fit(barPicture, BARS.height).width);
    drawTarget(cells, numbers, fit(maskPicture, (wide) => wide).width);
    verdict.textContent = verdictText(numbers);
    const [x1, y1, x2, y2] = state.box.map((edge) => format(edge, 2));
    describe(target, state.box[0], 0, SCENE.width, `x ${x1} to ${x2}, y ${y1} to ${y2} image pixels; ${numbers.verdict}, best IoU ${format(numbers.best.iou)}${numbers.best.name ? ` with the ${numbers.best.name}` : ""}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// What one bin answers while its right edge moves: samples see some cells, the exact mean all of them.

const TRAITS = ["features", "box", "stride", "sampling_ratio", "counted"];
const POINTS = 96; // steps of the curves
const RULES = { fixed: "samples", adaptive: "adaptive", exact: "exact mean" };

export function compute({ features, box, stride, sampling_ratio, counted }) {
  const at = (x2) => [box[0], box[1], x2, box[3]];
  const read = (rule, x2) => bin(features, at(x2), stride, rule === "adaptive" ? -1 : sampling_ratio, rule);
  const [low, high] = reach(features, box, stride);
  const edges = steps(POINTS + 1).map((n) => low + (n * (high - low)) / POINTS);
  const each = (make) => Object.fromEntries(Object.keys(RULES).map((rule) => [rule, make(rule)]));
  const here = each((rule) => read(rule, box[2]));
  return {
    box,
    stride,
    sampling_ratio,
    reach: [low, high],
    here: each((rule) => ({ value: here[rule].value, slope: here[rule].slope, read: here[rule].weights.flat().filter(Boolean).length })),
    weights: here[counted].weights,
    samples: here[counted].samples,
    curves: each((rule) => edges.map((edge) => read(rule, edge).value)),
  };
}

const reach = (features, [x1], stride) => [x1 + Math.max(stride / 4, 1), Math.max(features[0].length * stride, x1 + 2 * stride)];

const bin = (features, box, stride, ratio, rule) => (rule === "exact" ? exactBin(features, box, stride) : sampledBin(features, box, stride, ratio));

function sampledBin(features, box, stride, ratio) {
  const align = roiAlign(features, box, [1, 1], 1 / stride, ratio, true);
  const [rows, columns] = [align.rows[0], align.columns[0]];
  const samples = align.bins[0][0];
  // A sample at fraction t of the box moves by t when the right edge moves by one.
  const pulls = samples.map((one, n) => (one.counts ? (slopeAcross(features, one) * ((n % columns.length) + 0.5)) / columns.length : 0));
  return { value: align.output[0][0], slope: total(pulls) / Math.max(samples.length, 1) / stride, weights: align.gradient, samples: [rows, columns] };
}

// Change of the bilinear surface by the column, at one sample.
function slopeAcross(features, { row, column }) {
  const { low: top, high: bottom, fraction: down } = neighbours(row, features.length);
  const { low: left, high: right } = neighbours(column, features[0].length);
  const stepIn = (line) => features[line][right] - features[line][left];
  return column >= 0 ? (1 - down) * stepIn(top) + down * stepIn(bottom) : 0;
}

// Each cell carries a hat; it weighs what its hat is on average over the bin.
const hat = (position) => Math.max(1 - Math.abs(position), 0);

function hatArea(start, stop) {
  const half = (first, last) => {
    const [low, high] = [clamp(start, first, last), clamp(stop, first, last)];
    return (high - low) * hat((low + high) / 2);
  };
  return half(-1, 0) + half(0, 1);
}

const hatMeans = (start, stop, size) => steps(size).map((cell) => hatArea(start - cell, stop - cell) / (stop - start));

function exactBin(features, box, stride) {
  const [x1, y1, x2, y2] = box.map((side) => side * (1 / stride) - 0.5);
  const rows = hatMeans(y1, y2, features.length);
  const columns = hatMeans(x1, x2, features[0].length);
  const across = columns.map((_, j) => total(rows.map((weight, i) => weight * features[i][j])));
  const value = total(across.map((sum, j) => sum * columns[j]));
  const atEdge = total(across.map((sum, j) => sum * hat(x2 - j)));
  return { value, slope: (atEdge - value) / (x2 - x1) / stride, weights: rows.map((down) => columns.map((weight) => down * weight)), samples: [[], []] };
}

function drawBin(view, state, numbers, size) {
  const { features, stride } = state;
  drawMap(view.map, view.values, features, size);
  const [x1, y1, x2, y2] = numbers.box.map((side) => (side / stride) * size);
  const most = Math.max(...numbers.weights.flat()) || 1;
  const discs = numbers.weights.flatMap((line, i) =>
    line.map((weight, j) => svg("circle", { class: "roi-weight", cx: (j + 0.5) * size, cy: (i + 0.5) * size, r: Math.sqrt(Math.max(weight, 0) / most) * size * 0.45 })),
  );
  const [rows, columns] = numbers.samples;
  const dots = rows.flatMap((row) => columns.map((column) => svg("circle", { class: "roi-sample", cx: (column + 0.5) * size, cy: (row + 0.5) * size, r: 3.2 })));
  view.under.replaceChildren(...discs);
  view.over.replaceChildren(svg("rect", { class: "roi-true-box", x: x1, y: y1, width: x2 - x1, height: y2 - y1 }), svg("path", { class: "roi-true-box", d: `M${x2 - 4} ${(y1 + y2) / 2 - 8}h8v16h-8z` }), ...dots);
  for (const [key, value] of Object.entries({ x: x2 - 16, y: y1, width: 32, height: y2 - y1 })) view.grip.setAttribute(key, value);
}

const CHART = { left: 34, right: 14, top: 14, bottom: 40, height: 240 };

function chartScale(numbers, width) {
  const [low, high] = span(Object.values(numbers.curves));
  const [floor, ceiling] = low === high ? [low - 1, high + 1] : [Math.floor(low), Math.ceil(high)];
  const [first, last] = numbers.reach;
  return {
    x: (edge) => CHART.left + ((clamp(edge, first, last) - first) / (last - first)) * (width - CHART.left - CHART.right),
    y: (value) => CHART.top + ((ceiling - value) / (ceiling - floor)) * (CHART.height - CHART.top - CHART.bottom),
    ticks: steps(ceiling - floor + 1).map((n) => floor + n),
  };
}

// Adaptive sampling breaks off where the bin gets another column of samples.
function curvePath(rule, numbers, state, { x, y }) {
  const [low, high] = numbers.reach;
  const edge = (n) => low + (n * (high - low)) / POINTS;
  const columns = (n) => Math.ceil((edge(n) - state.box[0]) / state.stride - 1e-9);
  const broken = (n) => n === 0 || (rule === "adaptive" && columns(n) !== columns(n - 1));
  return numbers.curves[rule].map((value, n) => `${broken(n) ? "M" : "L"}${x(edge(n)).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

function drawChart(layer, numbers, state, scale, width) {
  const { x, y, ticks } = scale;
  const [low, high] = numbers.reach;
  const thinned = ticks.filter((_, n) => n % Math.ceil(ticks.length / 8) === 0);
  const here = x(numbers.box[2]);
  const marks = Object.keys(RULES).map((rule) => svg("circle", { class: `roi-mark-${rule}`, cx: here, cy: y(numbers.here[rule].value), r: rule === "adaptive" ? 4 : 5 }));
  layer.replaceChildren(
    ...thinned.flatMap((tick) => [svg("path", { class: "roi-axis", d: `M${CHART.left} ${y(tick)}H${width - CHART.right}` }), label(CHART.left - 8, y(tick), tick, { class: "roi-end roi-faint" })]),
    ...steps(5).map((n) => label(x(low + (n * (high - low)) / 4), CHART.height - 26, format(low + (n * (high - low)) / 4, 0), { class: "roi-faint" })),
    label((CHART.left + width - CHART.right) / 2, CHART.height - 8, "right edge of the bin, image px", { class: "roi-faint" }),
    svg("path", { class: "roi-now", d: `M${here} ${CHART.top}V${CHART.height - CHART.bottom + 4}` }),
    ...Object.keys(RULES).map((rule) => svg("path", { class: `roi-line-${rule}`, d: curvePath(rule, numbers, state, scale) })),
    ...marks,
    svg("path", { class: "roi-knob", d: `M${here} ${CHART.height - CHART.bottom - 4}l8 9v7h-16v-7z` }),
  );
}

function answerTable() {
  const key = (rule) => {
    const line = svg("svg", { class: "roi-key", viewBox: "0 0 24 4", "aria-hidden": "true", style: "display: inline-block; width: 24px" }, svg("path", { class: `roi-line-${rule}`, d: "M0 2H24" }));
    return line;
  };
  const line = ([rule, name]) =>
    html("tr", {}, html("th", { scope: "row" }, key(rule), name), html("td", {}, readout(`here.${rule}.value`, 2)), html("td", {}, readout(`here.${rule}.slope`, 3)), html("td", {}, readout(`here.${rule}.read`, 0)));
  const head = ["rule", "value", "slope to the edge, per px", "cells read"].map((text) => html("th", { scope: "col" }, text));
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...Object.entries(RULES).map(line)));
}

function render({ model, el }) {
  const [map, under, values, over, chart] = steps(5).map(() => svg("g"));
  const grip = svg("rect", { class: "roi-handle" });
  const target = handle("rect", { "aria-label": "Right edge of the bin", rx: 6 });
  const mapPicture = svg("svg", { role: "presentation" }, map, under, values, over, grip);
  const chartPicture = svg("svg", { role: "group", "aria-label": "Value of the bin against its right edge" }, chart, target);
  const limits = () => reach(model.get("features"), model.get("box"), model.get("stride"));
  const put = (edge) => {
    const [x1, y1, , y2] = model.get("box");
    store(model, { box: [x1, y1, clamp(snap(edge, 1), ...limits()), y2] });
  };
  const edge = () => model.get("box")[2];
  const right = range({ label: "x2, px", min: 0, max: () => limits()[1], step: 1, path: "box.2", get: edge, set: put });
  const panel = controls(
    right,
    range({ label: "sampling ratio", min: 1, max: 4, step: 1, path: "sampling_ratio", get: () => model.get("sampling_ratio"), set: (sampling_ratio) => store(model, { sampling_ratio }) }),
    choice({ label: "Weights of", options: Object.entries(RULES), get: () => model.get("counted"), set: (counted) => store(model, { counted }) }),
  );
  const root = frame(
    "bin-mean", "One bin\u2019s value while its right edge moves",
    html("div", { class: "roi-split" }, html("div", {}, mapPicture), html("div", {}, answerTable())),
    html("div", {}, chartPicture), panel,
    caption("Drag the right edge of the bin or the handle under the chart, or use the arrow keys (Shift: a whole cell). Disc: how much a cell counts. Dot: a sample."),
  );
  el.append(root);

  const chartPixel = () => (limits()[1] - limits()[0]) / (chartPicture.viewBox.baseVal.width - CHART.left - CHART.right);
  const mapPixel = () => (model.get("features")[0].length * model.get("stride")) / mapPicture.viewBox.baseVal.width;
  draggable(target, chartPicture, { across: true, start: edge, move: (from, by) => put(from + by.x * chartPixel()) });
  draggable(grip, mapPicture, { across: true, start: edge, move: (from, by) => put(from + by.x * mapPixel()) });
  arrowKeys(target, (dx, dy, shift) => put(edge() + (dx - dy) * (shift ? model.get("stride") : 1)));

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const columns = state.features[0].length;
    const picture = fit(mapPicture, (width) => (width / columns) * state.features.length);
    drawBin({ map, under, over, values, grip }, state, numbers, picture.width / columns);
    const { width, height } = fit(chartPicture, CHART.height);
    const scale = chartScale(numbers, width);
    drawChart(chart, numbers, state, scale, width);
    for (const [key, value] of Object.entries({ x: scale.x(numbers.box[2]) - 22, y: 2, width: 44, height: height - 26 })) target.setAttribute(key, value);
    const { fixed, adaptive, exact } = numbers.here;
    describe(target, numbers.box[2], ...numbers.reach, `${format(numbers.box[2])} pixels: samples ${format(fixed.value)}, adaptive ${format(adaptive.value)}, exact ${format(exact.value)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// What one bin answers while its box slides by one cell: a staircase, a smooth curve, the integral.

const TRAITS = ["features", "box", "stride", "sampling_ratio", "bin", "offset"];
const SIZE = [2, 2]; // bins of the box
const STEP = 0.25; // image pixels between two points of the curves
const KINDS = { pool: "RoIPool", align: "RoIAlign", exact: "exact integral" };

export function compute({ features, box, stride, sampling_ratio, bin, offset }) {
  const answers = (by) => respond(features, slide(box, by), stride, sampling_ratio, bin);
  const offsets = steps(stride / STEP + 1).map((n) => n * STEP);
  const here = Math.min(offset, stride);
  const points = offsets.map(answers);
  const curves = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, points.map((point) => point[kind])]));
  return {
    offset: here,
    box: slide(box, here),
    bin,
    sampling_ratio,
    here: answers(here),
    curves,
    largest: Object.fromEntries(Object.entries(curves).map(([kind, curve]) => [kind, largestStep(curve)])),
    jumps: jumps(curves.pool, offsets),
  };
}

const slide = ([x1, y1, x2, y2], by) => [x1 + by, y1, x2 + by, y2];

function respond(features, box, stride, ratio, [row, column]) {
  const pool = roiPool(features, box, SIZE, 1 / stride);
  const align = roiAlign(features, box, SIZE, 1 / stride, ratio, true);
  return { pool: pool.output[row][column], align: align.output[row][column], exact: exactMean(features, box, stride, [row, column]) };
}

// Mean of the bilinear surface over the bin: along each axis a line between whole positions, which
// the trapezoid rule integrates exactly.
function exactMean(features, box, stride, [row, column]) {
  const [x1, y1, x2, y2] = box.map((side) => side * (1 / stride) - 0.5);
  const part = (start, stop, bins, n) => [start + (n * (stop - start)) / bins, start + ((n + 1) * (stop - start)) / bins];
  const down = meanWeights(...part(y1, y2, SIZE[0], row), features.length);
  const across = meanWeights(...part(x1, x2, SIZE[1], column), features[0].length);
  return total(features.map((line, i) => down[i] * total(line.map((value, j) => across[j] * value))));
}

function meanWeights(start, stop, size) {
  const between = steps(size).filter((whole) => whole > start && whole < stop);
  const cuts = [start, ...between, stop];
  const weights = Array(size).fill(0);
  cuts.slice(1).forEach((end, n) => {
    const half = (end - cuts[n]) / 2 / (stop - start);
    for (const position of [cuts[n], end]) {
      const { low, high, fraction } = neighbours(position, size);
      weights[low] += (1 - fraction) * half;
      weights[high] += fraction * half;
    }
  });
  return weights;
}

const largestStep = (curve) => Math.max(...curve.slice(1).map((value, n) => Math.abs(value - curve[n])));

const jumps = (curve, offsets) =>
  curve.flatMap((value, n) => (n > 0 && value !== curve[n - 1] ? [{ offset: offsets[n], from: curve[n - 1], to: value }] : []));

// The map with the sliding box, the cells RoIPool reads for this bin, and where the bin lies.
function drawBox(view, state, numbers, size) {
  const { features, stride } = state;
  drawMap(view.map, view.values, features, size);
  const { rows, columns } = roiPool(features, numbers.box, SIZE, 1 / stride);
  const [row, column] = numbers.bin;
  const [x1, y1, x2, y2] = numbers.box.map((side) => (side / stride) * size);
  const [wide, tall] = [(x2 - x1) / SIZE[1], (y2 - y1) / SIZE[0]];
  const rectangle = (css, x, y, width, height) => svg("rect", { class: css, x, y, width, height });
  view.over.replaceChildren(
    rectangle("roi-align-bin", x1 + column * wide, y1 + row * tall, wide, tall),
    rectangle("roi-pool-bin", columns[column][0] * size, rows[row][0] * size, (columns[column][1] - columns[column][0]) * size, (rows[row][1] - rows[row][0]) * size),
    rectangle("roi-true-box", x1, y1, x2 - x1, y2 - y1),
  );
  for (const [key, value] of Object.entries({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })) view.grip.setAttribute(key, value);
}

const CHART = { left: 34, right: 14, top: 14, bottom: 40, height: 250 };

// Where the chart puts an offset and a value.
function chartScale(numbers, stride, width) {
  const [low, high] = span(Object.values(numbers.curves));
  const [floor, ceiling] = low === high ? [low - 1, high + 1] : [Math.floor(low), Math.ceil(high)];
  return {
    x: (offset) => CHART.left + (offset / stride) * (width - CHART.left - CHART.right),
    y: (value) => CHART.top + ((ceiling - value) / (ceiling - floor)) * (CHART.height - CHART.top - CHART.bottom),
    ticks: steps(ceiling - floor + 1).map((n) => floor + n),
  };
}

function drawChart(layer, numbers, stride, { x, y, ticks }, width) {
  const line = (curve) => curve.map((value, n) => `${n ? "L" : "M"}${x(n * STEP).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const stairs = numbers.jumps.map(({ offset, to }) => `H${x(offset)}V${y(to)}`).join("");
  const thinned = ticks.filter((_, n) => n % Math.ceil(ticks.length / 8) === 0);
  const here = x(numbers.offset);
  layer.replaceChildren(
    ...thinned.flatMap((tick) => [svg("path", { class: "roi-axis", d: `M${CHART.left} ${y(tick)}H${width - CHART.right}` }), label(CHART.left - 8, y(tick), tick, { class: "roi-end roi-faint" })]),
    ...steps(5).map((n) => label(x((n * stride) / 4), CHART.height - 26, format((n * stride) / 4, stride % 4 ? 1 : 0), { class: "roi-faint" })),
    label((CHART.left + width - CHART.right) / 2, CHART.height - 8, "box moved right by, image px", { class: "roi-faint" }),
    svg("path", { class: "roi-now", d: `M${here} ${CHART.top}V${CHART.height - CHART.bottom + 4}` }),
    svg("path", { class: "roi-line-exact", d: line(numbers.curves.exact) }),
    svg("path", { class: "roi-line-align", d: line(numbers.curves.align) }),
    svg("path", { class: "roi-line-pool", d: `M${x(0)} ${y(numbers.curves.pool[0])}${stairs}H${x(stride)}` }),
    svg("path", { class: "roi-mark-exact", d: `M${here} ${y(numbers.here.exact) - 7}l7 7l-7 7l-7-7z` }),
    svg("circle", { class: "roi-mark-align", cx: here, cy: y(numbers.here.align), r: 5 }),
    svg("rect", { class: "roi-mark-pool", x: here - 5, y: y(numbers.here.pool) - 5, width: 10, height: 10 }),
    svg("path", { class: "roi-knob", d: `M${here} ${CHART.height - CHART.bottom - 4}l8 9v7h-16v-7z` }),
  );
}

function responseTable() {
  const line = ([kind, name]) => html("tr", {}, html("th", { scope: "row" }, swatch(kind), name), html("td", {}, readout(`here.${kind}`, 3)), html("td", {}, readout(`largest.${kind}`, 3)));
  const head = ["rule", "value", `largest step in ${STEP} px`].map((text) => html("th", { scope: "col" }, text));
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...Object.entries(KINDS).map(line)));
}

function jumpList(numbers) {
  if (numbers.jumps.length === 0) return ["RoIPool does not jump over this way."];
  const one = (_, n) => [n ? ", from " : "RoIPool jumps from ", readout(`jumps.${n}.from`), " to ", readout(`jumps.${n}.to`), " at ", readout(`jumps.${n}.offset`), " px"];
  return [...numbers.jumps.flatMap(one), "."];
}

function render({ model, el }) {
  const [map, over, values, chart] = steps(4).map(() => svg("g"));
  const grip = svg("rect", { class: "roi-handle" });
  const target = handle("rect", { "aria-label": "Offset of the box", rx: 6 });
  const mapPicture = svg("svg", { role: "presentation" }, map, over, values, grip);
  const chartPicture = svg("svg", { role: "group", "aria-label": "Value of one bin against the offset of the box" }, chart, target);
  const told = html("p", { class: "roi-jumps" });
  const put = (offset) => store(model, { offset: clamp(snap(offset, STEP), 0, model.get("stride")) });
  const panel = controls(
    range({ label: "offset, px", min: 0, max: () => model.get("stride"), step: STEP, digits: 2, path: "offset", get: () => model.get("offset"), set: put }),
    range({ label: "sampling ratio", min: 1, max: 4, step: 1, path: "sampling_ratio", get: () => model.get("sampling_ratio"), set: (sampling_ratio) => store(model, { sampling_ratio }) }),
    choice({
      label: "Bin (row, column)", options: steps(4).map((n) => [`${n >> 1},${n % 2}`, `${n >> 1}, ${n % 2}`]), get: () => model.get("bin").join(","),
      set: (text) => store(model, { bin: text.split(",").map(Number) }),
    }),
  );
  const root = frame(
    "sliding-box", "One bin\u2019s value while the box slides",
    html("div", { class: "roi-split" }, html("div", {}, mapPicture), html("div", {}, responseTable(), told)),
    html("div", {}, chartPicture), panel,
    caption("Drag the handle under the chart or the box, or use the arrow keys (Shift: a whole pixel). Dashed: the cells that RoIPool reads for this bin."),
  );
  el.append(root);

  const chartPixel = () => model.get("stride") / (chartPicture.viewBox.baseVal.width - CHART.left - CHART.right);
  const mapPixel = () => (model.get("features")[0].length * model.get("stride")) / mapPicture.viewBox.baseVal.width;
  draggable(target, chartPicture, { across: true, start: () => model.get("offset"), move: (from, by) => put(from + by.x * chartPixel()) });
  draggable(grip, mapPicture, { across: true, start: () => model.get("offset"), move: (from, by) => put(from + by.x * mapPixel()) });
  arrowKeys(target, (dx, dy, shift) => put(model.get("offset") + (dx - dy) * (shift ? 1 : STEP)));

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const columns = state.features[0].length;
    const picture = fit(mapPicture, (width) => (width / columns) * state.features.length);
    drawBox({ map, over, values, grip }, state, numbers, picture.width / columns);
    const { width, height } = fit(chartPicture, CHART.height);
    const scale = chartScale(numbers, state.stride, width);
    drawChart(chart, numbers, state.stride, scale, width);
    for (const [key, value] of Object.entries({ x: scale.x(numbers.offset) - 22, y: 2, width: 44, height: height - 26 })) target.setAttribute(key, value);
    told.replaceChildren(...jumpList(numbers));
    const { pool, align, exact } = numbers.here;
    describe(target, numbers.offset, 0, state.stride, `${format(numbers.offset)} pixels: RoIPool ${format(pool)}, RoIAlign ${format(align)}, exact ${format(exact)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

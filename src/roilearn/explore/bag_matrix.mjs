// One box's bins as bags of cells: each bag a row of a sparse matrix, each cell a column.

const TRAITS = ["features", "box", "stride", "output_size", "sampling_ratio", "bag", "cell", "look"];
const TERMS = 16; // a longer sum is told, not written out

export function compute(state) {
  const { features, box, stride, output_size, sampling_ratio } = state;
  const align = roiAlign(features, box, output_size, 1 / stride, sampling_ratio, true);
  const bins = align.bins.flat();
  const matrix = bins.map((samples) => bagOf(samples, features));
  const values = features.flat();
  // The choice may be left over from a larger grid or map.
  const bag = Math.min(state.bag, matrix.length - 1);
  const cell = Math.min(state.cell, values.length - 1);
  const filled = (weights) => steps(weights.length).filter((n) => weights[n] !== 0);
  const [row, column] = [matrix[bag], matrix.map((line) => line[cell])];
  const pick = (from, at) => at.map((n) => from[n]);
  return {
    box,
    output_size,
    sampling: sampling_ratio || "adaptive",
    bags: matrix.length,
    cells: values.length,
    listed: 4 * total(bins.map((samples) => samples.length)),
    entries: filled(matrix.flat()).length,
    matrix,
    output: align.output,
    bag: { number: bag, cells: filled(row), weights: pick(row, filled(row)), values: pick(values, filled(row)), sum: align.output.flat()[bag] },
    cell: { number: cell, bags: filled(column), weights: pick(column, filled(column)), sum: total(column) },
  };
}

// What one bin reads, as a row over all cells: samples that share a cell add up there.
function bagOf(samples, features) {
  const weights = zeros(features.length, features[0].length);
  spreadBin(weights, samples);
  return weights.flat();
}

function drawOutputs(output, model, numbers) {
  const [height, width] = numbers.output_size;
  if (output.dataset.size !== `${height}x${width}`) {
    output.dataset.size = `${height}x${width}`;
    output.style.setProperty("--columns", width);
    const button = (n) => html("button", { type: "button", click: () => store(model, { bag: n, look: "bag" }) }, readout(`output.${Math.floor(n / width)}.${n % width}`));
    output.replaceChildren(...steps(height * width).map(button));
  }
  const byBag = model.get("look") === "bag";
  [...output.children].forEach((button, n) => {
    button.setAttribute("aria-label", `Output ${n}: ${format(numbers.output.flat()[n])}`);
    button.setAttribute("aria-pressed", byBag && n === numbers.bag.number);
    button.classList.toggle("roi-paying", !byBag && numbers.cell.bags.includes(n));
  });
}

function drawOnMap(view, { features, stride, look }, numbers, size) {
  const columns = features[0].length;
  const at = (n) => [(n % columns) * size, Math.floor(n / columns) * size];
  const disc = (n, k) => svg("circle", { class: "roi-weight", cx: at(n)[0] + size / 2, cy: at(n)[1] + size / 2, r: Math.min(Math.sqrt(numbers.bag.weights[k]), 0.7) * size * 0.7 });
  const [x, y] = at(numbers.cell.number);
  const chosen = svg("rect", { class: "roi-column", x: x + 2, y: y + 2, width: size - 4, height: size - 4 });
  view.under.replaceChildren(...(look === "bag" ? numbers.bag.cells.map(disc) : [chosen]));
  placeBox(view, numbers.box.map((side) => (side / stride) * size));
}

// The matrix, with the table of cells lying above it as a strip.
const MATRIX = { left: 26, strip: 22, gap: 6, row: 22 };

function drawMatrix(layer, { features, look }, numbers, width) {
  const size = (width - MATRIX.left - 1) / numbers.cells;
  const top = MATRIX.strip + MATRIX.gap;
  const [low, high] = span(features);
  const strip = features.flat().map((value, n) => cell(MATRIX.left + n * size, 0, size, MATRIX.strip, (value - low) / (high - low || 1)));
  const most = Math.max(...numbers.matrix.flat()) || 1;
  const square = (weight, b, n) =>
    svg("rect", { class: weight ? "roi-entry" : "roi-zero", x: MATRIX.left + n * size, y: top + b * MATRIX.row, width: size, height: MATRIX.row, style: `--share: ${((85 * weight) / most + 15).toFixed(1)}%` });
  const squares = numbers.matrix.flatMap((line, b) => line.map((weight, n) => square(weight, b, n)));
  const names = steps(numbers.bags).map((b) => label(MATRIX.left - 8, top + (b + 0.5) * MATRIX.row, b, { class: "roi-end roi-faint" }));
  const row = { class: "roi-row", x: MATRIX.left, y: top + numbers.bag.number * MATRIX.row, width: width - MATRIX.left - 1, height: MATRIX.row };
  const column = { class: "roi-column", x: MATRIX.left + numbers.cell.number * size, y: 0, width: size, height: top + numbers.bags * MATRIX.row };
  layer.replaceChildren(...strip, ...squares, ...names, svg("rect", look === "bag" ? row : column));
}

// The chosen row as a sum, or the chosen column as the gradient that the cell receives.
function tell(place, numbers, look) {
  const { weights } = numbers[look];
  const term = (n) => [n ? " + " : "", readout(`${look}.weights.${n}`, 3), look === "bag" ? " \u00d7 " : ` g${numbers.cell.bags[n]}`, ...(look === "bag" ? [readout(`bag.values.${n}`, 0)] : [])];
  const terms = weights.length > TERMS ? [`a sum of ${weights.length} terms`] : steps(weights.length).flatMap(term);
  if (look === "bag") {
    const start = ["Bag ", readout("bag.number", 0), `, ${weights.length} entries: `];
    place.replaceChildren(...start, ...terms, " = ", readout("bag.sum"));
  } else {
    const start = ["Cell ", readout("cell.number", 0), weights.length ? " receives " : " stands in no bag", ...terms];
    place.replaceChildren(...start, "; its weights add up to ", readout("cell.sum", 3));
  }
}

function render({ model, el }) {
  const [map, under, values, matrix] = steps(4).map(() => svg("g"));
  const outline = svg("path", { class: "roi-true-box" });
  const target = handle("rect", { "aria-label": "Box" });
  const mapPicture = svg("svg", { role: "group", "aria-label": "Feature map with the box" }, map, under, values, outline, target);
  const matrixPicture = svg("svg", { role: "img", "aria-label": "Matrix of bags: a row for each output, a column for each cell" }, matrix);
  const output = html("div", { class: "roi-output", role: "group", "aria-label": "Outputs, one for each bag" });
  const sum = html("p", { class: "roi-sum" });
  const size = (axis, name) =>
    range({
      label: name, min: 1, max: 3, step: 1, path: `output_size.${axis}`,
      get: () => model.get("output_size")[axis],
      set: (value) => store(model, { output_size: model.get("output_size").map((old, n) => (n === axis ? value : old)) }),
    });
  const cells = () => model.get("features").flat().length;
  const panel = controls(
    choice({ label: "Light", options: [["bag", "a bag (row)"], ["cell", "a cell (column)"]], get: () => model.get("look"), set: (look) => store(model, { look }) }),
    range({ label: "cell", min: 0, max: () => cells() - 1, step: 1, path: "cell.number", get: () => Math.min(model.get("cell"), cells() - 1), set: (cell) => store(model, { cell, look: "cell" }) }),
    size(0, "bin rows"), size(1, "bin columns"),
    range({ label: "sampling ratio", min: 0, max: 4, step: 1, path: "sampling", get: () => model.get("sampling_ratio"), set: (sampling_ratio) => store(model, { sampling_ratio }) }),
  );
  const counts = html("p", { class: "roi-counts" }, readout("bags", 0), " bags \u00d7 ", readout("cells", 0), " cells; ", readout("listed", 0), " entries sample by sample, ", readout("entries", 0), " once shared cells are merged");
  const root = frame(
    "bag-matrix", "The bins of one box as a sparse matrix",
    html("div", { class: "roi-split" }, html("div", {}, mapPicture), html("div", {}, output, sum)),
    html("div", {}, matrixPicture), counts, panel,
    caption("Drag the box or its edges, or use the arrow keys (with Shift they resize). Press an output to light its row, a cell to light its column."),
  );
  el.append(root);

  const chooseCell = (at) => {
    const columns = model.get("features")[0].length;
    const side = mapPicture.viewBox.baseVal.width / columns;
    const [row, column] = [at.y, at.x].map((place) => Math.floor(place / side));
    if (row >= 0 && column >= 0 && row < model.get("features").length && column < columns) store(model, { cell: row * columns + column, look: "cell" });
  };
  const place = (event, picture) => {
    const corner = picture.getBoundingClientRect();
    return { x: event.clientX - corner.left, y: event.clientY - corner.top };
  };
  boxGestures({ model, target, picture: mapPicture, keys: true, tap: chooseCell });
  map.addEventListener("click", (event) => chooseCell(place(event, mapPicture)));
  matrixPicture.addEventListener("click", (event) => {
    const { x, y } = place(event, matrixPicture);
    const { width } = matrixPicture.viewBox.baseVal;
    const cell = clamp(Math.floor(((x - MATRIX.left) / (width - MATRIX.left - 1)) * cells()), 0, cells() - 1);
    const bag = Math.floor((y - MATRIX.strip - MATRIX.gap) / MATRIX.row);
    store(model, bag < 0 ? { cell, look: "cell" } : { bag, look: "bag" });
  });

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const columns = state.features[0].length;
    const { width } = fit(mapPicture, (wide) => (wide / columns) * state.features.length);
    drawMap(map, values, state.features, width / columns);
    drawOnMap({ under, outline, target }, state, numbers, width / columns);
    const strip = fit(matrixPicture, MATRIX.strip + MATRIX.gap + numbers.bags * MATRIX.row + 1);
    drawMatrix(matrix, state, numbers, strip.width);
    drawOutputs(output, model, numbers);
    tell(sum, numbers, state.look);
    const [x1, y1, x2, y2] = state.box;
    describe(target, x1, 0, columns * state.stride, `x from ${x1} to ${x2}, y from ${y1} to ${y2} image pixels; ${numbers.entries} entries`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

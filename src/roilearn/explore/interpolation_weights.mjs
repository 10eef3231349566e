// Bilinear weights as the areas opposite to each neighbour of a point that can be dragged.

const TRAITS = ["values", "x", "y", "show"];
const NAMES = ["A", "B", "C", "D"];
const STEP = 0.05;
const DRAG = "Drag the point, or use the arrow keys (Shift: half a cell). ";
const HINTS = {
  value: `${DRAG}Each cell weighs as much as the rectangle of its letter, across the point from it.`,
  gradient: `${DRAG}Of a gradient of 1 at the point, each cell receives its weight; a square shows how much. The arrow shows the way uphill.`,
};

export function compute({ values, x, y }) {
  const [height, width] = [values.length, values[0].length];
  const [row, column] = [y - 0.5, x - 0.5];
  const [down, across] = [neighbours(row, height), neighbours(column, width)];
  const tall = [1 - down.fraction, down.fraction];
  const wide = [1 - across.fraction, across.fraction];
  const cells = bilinearWeights(row, column, height, width).map((cell, n) => {
    const value = values[cell.row][cell.column];
    return { ...cell, value, product: cell.weight * value, height: tall[n >> 1], width: wide[n % 2] };
  });
  const gradient = zeros(height, width);
  cells.forEach((cell) => (gradient[cell.row][cell.column] += cell.weight));
  return {
    x,
    y,
    row,
    column,
    inside: { row: clamp(row, 0, height - 1), column: clamp(column, 0, width - 1) },
    cells,
    value: total(cells.map((cell) => cell.product)),
    slope: slopes(values, row, column, down, across),
    gradient,
  };
}

// How the value changes with the position: along each axis the difference of the two neighbours,
// interpolated along the other; 0 where the position is clamped.
function slopes(values, row, column, down, across) {
  const stepDown = (at) => values[down.high][at] - values[down.low][at];
  const stepAcross = (at) => values[at][across.high] - values[at][across.low];
  return {
    row: row < 0 ? 0 : (1 - across.fraction) * stepDown(across.low) + across.fraction * stepDown(across.high),
    column: column < 0 ? 0 : (1 - down.fraction) * stepAcross(down.low) + down.fraction * stepAcross(down.high),
  };
}

function weightTable() {
  const line = (n) => {
    const path = `cells.${n}`;
    return html(
      "tr", {},
      html("th", { scope: "row" }, html("strong", {}, NAMES[n]), html("span", { class: "roi-aside" }, " (", readout(`${path}.row`, 0), ", ", readout(`${path}.column`, 0), ")")),
      html("td", {}, html("span", { class: "roi-aside" }, readout(`${path}.height`), " \u00d7 ", readout(`${path}.width`), " = "), readout(`${path}.weight`, 3)),
      html("td", {}, html("span", { class: "roi-aside" }, "\u00d7 ", readout(`${path}.value`, 0), " = "), readout(`${path}.product`, 3)),
    );
  };
  const head = ["row, column", "opposite area", "\u00d7 value"].map((text) => html("th", { scope: "col" }, text));
  const sum = html("tr", { class: "roi-sum" }, html("th", { scope: "row", colspan: 2 }, "value at the point: their sum"), html("td", {}, readout("value", 3)));
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...steps(4).map(line), sum));
}

function positions() {
  return html(
    "dl", { class: "roi-positions" },
    html("dt", {}, "continuous"), html("dd", {}, "x = ", readout("x"), ", y = ", readout("y")),
    html("dt", {}, "index, \u2212 0.5"), html("dd", {}, "column = ", readout("column"), ", row = ", readout("row")),
    html("dt", {}, "slope there"), html("dd", {}, readout("slope.column"), " a cell to the right, ", readout("slope.row"), " a cell down"),
  );
}

// Centre of a cell in the picture: index position i stands at continuous i + 0.5.
const centre = (index, size) => (index + 0.5) * size;

// The four rectangles, each named after the cell that it weighs: the one across the point from it.
function areas(numbers, size) {
  const [px, py] = [centre(numbers.inside.column, size), centre(numbers.inside.row, size)];
  return numbers.cells.flatMap((cell, n) => {
    const [farX, farY] = [centre(numbers.cells[3 - n].column, size), centre(numbers.cells[3 - n].row, size)];
    const [x, y, width, height] = [Math.min(px, farX), Math.min(py, farY), Math.abs(farX - px), Math.abs(farY - py)];
    const area = svg("rect", { class: "roi-area", x, y, width, height, style: `--weight: ${(100 * cell.weight).toFixed(1)}%` });
    const clear = Math.hypot(width, height) > 34; // of the point and of the ring in the far corner
    return clear ? [area, label(x + width / 2, y + height / 2, width > 66 && height > 30 ? `${NAMES[n]} ${format(cell.weight, 3)}` : NAMES[n], { class: "roi-strong" })] : [area];
  });
}

// The four neighbours: ringed and named, on the side away from the point.
function rings(numbers, size) {
  return numbers.cells.flatMap((cell, n) => {
    if (cell.weight === 0) return [];
    const [x, y] = [centre(cell.column, size), centre(cell.row, size)];
    const [left, above] = [n % 2 === 0, n < 2];
    const ring = svg("circle", { class: "roi-neighbour", cx: x, cy: y, r: 11, style: `--weight: ${(100 * cell.weight).toFixed(1)}%` });
    return [ring, label(x + (left ? -17 : 17), y + (above ? -14 : 14), NAMES[n], { class: "roi-strong" })];
  });
}

// What each cell receives: a square of that area, and the number in the cell's corner away from the
// point, clear of the cell's own value in the middle. A small cell has room for one number.
function receivedMarks({ gradient, inside }, size) {
  return gradient.flatMap((line, row) =>
    line.flatMap((amount, column) => {
      if (amount === 0) return [];
      const side = Math.sqrt(amount) * size * 0.9;
      const [x, y] = [centre(column, size), centre(row, size)];
      const square = svg("rect", { class: "roi-gradient", x: x - side / 2, y: y - side / 2, width: side, height: side });
      if (size < 42) return [square];
      const [left, above] = [column < inside.column, row < inside.row];
      const corner = [left ? column * size + 5 : (column + 1) * size - 5, above ? row * size + 10 : (row + 1) * size - 10];
      return [square, label(...corner, format(amount, 3), { class: `roi-on-line ${left ? "roi-start" : "roi-end"}` })];
    }),
  );
}

// The way uphill at the point, as long as the slope is steep.
function uphill({ slope, inside }, size) {
  const steep = Math.hypot(slope.row, slope.column);
  if (steep < 1e-9) return [];
  const length = clamp(10 + steep * 14, 24, size);
  const [ux, uy] = [slope.column / steep, slope.row / steep];
  const [x, y] = [centre(inside.column, size), centre(inside.row, size)];
  const [tipX, tipY] = [x + ux * length, y + uy * length];
  const barb = (turn) => `M${tipX} ${tipY}l${-8 * (ux * 0.87 - turn * uy * 0.5)} ${-8 * (uy * 0.87 + turn * ux * 0.5)}`;
  return [svg("path", { class: "roi-uphill", d: `M${x} ${y}L${tipX} ${tipY}${barb(1)}${barb(-1)}` })];
}

function render({ model, el }) {
  const [map, under, values, over] = steps(4).map(() => svg("g"));
  const point = svg("circle", { class: "roi-point", r: 7 });
  const reach = svg("path", { class: "roi-clamp" });
  const target = handle("circle", { r: 22, "aria-label": "Point" });
  const picture = svg("svg", { role: "group", "aria-label": "Map of numbers with a point between its cells" }, map, under, values, over, reach, point, target);
  const limit = { x: () => model.get("values")[0].length, y: () => model.get("values").length };
  const put = (x, y) => store(model, { x: Number(clamp(snap(x, STEP), 0, limit.x()).toFixed(2)), y: Number(clamp(snap(y, STEP), 0, limit.y()).toFixed(2)) });
  const slider = (axis) => range({ label: axis, min: 0, max: limit[axis], step: STEP, digits: 2, path: axis, get: () => model.get(axis), set: (value) => store(model, { [axis]: value }) });
  const panel = controls(
    slider("x"), slider("y"),
    choice({ label: "Show", options: [["value", "weights"], ["gradient", "gradient"]], get: () => model.get("show"), set: (show) => store(model, { show }) }),
  );
  const hint = caption("");
  const root = frame(
    "interpolation-weights", "Bilinear weights",
    html("div", { class: "roi-beside" }, html("div", {}, picture), html("div", {}, weightTable(), positions())),
    panel,
    hint,
  );
  el.append(root);
  const size = () => picture.viewBox.baseVal.width / limit.x();

  draggable(target, picture, {
    start: () => ({ x: model.get("x"), y: model.get("y") }),
    move: (from, by) => put(from.x + by.x / size(), from.y + by.y / size()),
  });
  arrowKeys(target, (dx, dy, shift) => put(model.get("x") + dx * (shift ? 0.5 : STEP), model.get("y") + dy * (shift ? 0.5 : STEP)));

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    fit(picture, (width) => (width / limit.x()) * limit.y());
    drawMap(map, values, state.values, size());
    const learning = state.show === "gradient";
    under.replaceChildren(...(learning ? receivedMarks(numbers, size()) : [...areas(numbers, size()), ...rings(numbers, size())]));
    over.replaceChildren(...(learning ? uphill(numbers, size()) : []));
    hint.textContent = HINTS[state.show];
    const [x, y] = [state.x * size(), state.y * size()];
    for (const circle of [point, target]) {
      circle.setAttribute("cx", x);
      circle.setAttribute("cy", y);
    }
    reach.setAttribute("d", `M${x} ${y}L${centre(numbers.inside.column, size())} ${centre(numbers.inside.row, size())}`);
    describe(target, state.x, 0, limit.x(), `x ${format(state.x)}, y ${format(state.y)}: value ${format(numbers.value, 3)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

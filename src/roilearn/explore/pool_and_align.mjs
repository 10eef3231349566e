// RoIPool beside RoIAlign: one box, one map, both answers.

const TRAITS = ["features", "box", "stride", "output_size", "sampling_ratio", "aligned", "selected", "show"];
const LEGENDS = {
  values: "Dashed: the cells that RoIPool reads. Ring: the largest of a bin. Dot: a sample. Disc: how much a cell weighs in the selected bin.",
  gradient: "Square: what a cell receives when 1 arrives at every output.",
};

export function compute({ features, box, stride, output_size, sampling_ratio, aligned, selected }) {
  const scale = 1 / stride;
  const pool = roiPool(features, box, output_size, scale);
  const align = roiAlign(features, box, output_size, scale, sampling_ratio, aligned);
  // The selection may be left over from a larger grid.
  const [row, column] = selected.map((place, axis) => Math.min(place, output_size[axis] - 1));
  const [top, bottom] = pool.rows[row];
  const [left, right] = pool.columns[column];
  const samples = align.bins[row][column];
  const weights = zeros(features.length, features[0].length);
  spreadBin(weights, samples);
  return {
    box,
    cells: box.map((side) => side * scale),
    output_size,
    sampling: sampling_ratio > 0 ? sampling_ratio : "adaptive",
    selected: [row, column],
    pool: {
      ...pool,
      learning: countNonzero(pool.gradient),
      bin: { cells: [left, top, right, bottom], winner: pool.winners[row][column], value: pool.output[row][column] },
    },
    align: {
      region: align.region,
      rows: align.rows,
      columns: align.columns,
      output: align.output,
      gradient: align.gradient,
      learning: countNonzero(align.gradient),
      bin: { samples, weights, value: align.output[row][column] },
    },
  };
}

const countNonzero = (map) => map.flat().filter((value) => value !== 0).length;

// One side of the figure: a map with layers over it, the grid of outputs, the selected bin's sum.
function panel(side, title, note) {
  const [map, bins, values, marks] = steps(4).map(() => svg("g"));
  const outline = svg("path", { class: "roi-true-box" });
  const target = side === "pool" ? handle("rect", { "aria-label": "Box" }) : svg("rect", { class: "roi-handle" });
  const picture = svg("svg", { role: "group", "aria-label": `${title} on the feature map` }, map, bins, values, marks, outline, target);
  const output = html("div", { class: "roi-output", role: "group", "aria-label": `${title} output` });
  const sum = html("p");
  const learning = html("p", { class: "roi-note" }, "Cells that gradient reaches: ", readout(`${side}.learning`, 0));
  const heading = html("p", { class: "roi-heading" }, swatch(side), html("strong", {}, title), ` ${note}`);
  const answer = html("div", { class: "roi-answer" }, output, html("div", {}, sum, learning));
  const element = html("div", { class: "roi-panel" }, heading, html("div", {}, picture), answer);
  return { side, title, element, picture, map, bins, values, marks, outline, target, output, sum };
}

// The output as a grid of buttons: pressing one selects its bin. Built again only for a new size.
function drawOutput({ output, side, title }, model, numbers) {
  const [height, width] = numbers.output_size;
  if (output.dataset.size !== `${height}x${width}`) {
    output.dataset.size = `${height}x${width}`;
    output.style.setProperty("--columns", width);
    const button = (row, column) =>
      html("button", { type: "button", click: () => store(model, { selected: [row, column] }) }, readout(`${side}.output.${row}.${column}`));
    output.replaceChildren(...steps(height * width).map((n) => button(Math.floor(n / width), n % width)));
  }
  [...output.children].forEach((button, n) => {
    const [row, column] = [Math.floor(n / width), n % width];
    const value = format(numbers[side].output[row][column]);
    button.setAttribute("aria-label", `${title} bin at row ${row}, column ${column}: ${value}`);
    button.setAttribute("aria-pressed", row === numbers.selected[0] && column === numbers.selected[1]);
  });
}

const outlined = (css, [left, top, right, bottom], size, inset = 0) =>
  svg("rect", {
    class: css,
    x: left * size + inset,
    y: top * size + inset,
    width: Math.max((right - left) * size - 2 * inset, 0),
    height: Math.max((bottom - top) * size - 2 * inset, 0),
  });

const binClass = ([row, column], i, j) => `roi-bin${i === row && j === column ? " roi-chosen" : ""}`;

const amountText = (amount) => (amount < 0.995 ? format(amount).slice(1) : format(amount, Number.isInteger(amount) ? 0 : 1));

// What each cell would receive, as a square of that area with the amount written in it.
function gradientMarks(gradient, size) {
  return gradient.flatMap((line, row) =>
    line.flatMap((amount, column) => {
      if (amount < 0.005) return [];
      const side = size * Math.min(Math.sqrt(amount), 1) * 0.94;
      const [x, y] = [(column + 0.5) * size, (row + 0.5) * size];
      const square = svg("rect", { class: "roi-gradient", x: x - side / 2, y: y - side / 2, width: side, height: side });
      return [square, label(x, y, amountText(amount))];
    }),
  );
}

// Whole-cell bins. Neighbours overlap, so every other one is drawn a little smaller.
function drawPool(view, { pool, selected }, size, show) {
  const bins = pool.rows.flatMap(([top, bottom], i) =>
    pool.columns.map(([left, right], j) => outlined(binClass(selected, i, j), [left, top, right, bottom], size, 3 + 2 * ((i + j) % 2))),
  );
  const [x1, y1, x2, y2] = pool.corners;
  // A rounded box that leaves the map is drawn as far as its edge: the bins end there too.
  const onMap = (sides) => sides.map((side, n) => clamp(side, 0, n % 2 ? pool.gradient.length : pool.gradient[0].length));
  view.bins.replaceChildren(...bins, outlined("roi-rounded", onMap([x1, y1, x2 + 1, y2 + 1]), size));
  const rings = pool.winners.flat().filter(Boolean).map(([row, column]) =>
    svg("circle", { class: "roi-winner", cx: (column + 0.5) * size, cy: (row + 0.5) * size, r: size * 0.36 }),
  );
  view.marks.replaceChildren(...(show === "gradient" ? gradientMarks(pool.gradient, size) : rings));
  const { cells, winner: best } = pool.bin;
  const found = best ? `Largest of ${cells[3] - cells[1]} \u00d7 ${cells[2] - cells[0]} cells (row ${best[0]}, column ${best[1]}): ` : "No cell of the map in this bin: ";
  view.sum.replaceChildren(found, readout("pool.bin.value"));
}

// Samples are index positions; a cell's value stands at its centre, half a cell further in the picture.
function drawAlign(view, { align, cells, selected }, size, show) {
  const [left, top, right, bottom] = align.region.map((side) => side + 0.5);
  const [wide, tall] = [(right - left) / align.columns.length, (bottom - top) / align.rows.length];
  const bins = align.rows.flatMap((_, i) =>
    align.columns.map((__, j) => outlined(binClass(selected, i, j), [left + j * wide, top + i * tall, left + (j + 1) * wide, top + (i + 1) * tall], size)),
  );
  const moved = left !== cells[0] || top !== cells[1] || right !== cells[2] || bottom !== cells[3];
  const dot = (row, column, css) => svg("circle", { class: css, cx: (column + 0.5) * size, cy: (row + 0.5) * size, r: css === "roi-sample" ? 3.6 : 2.2 });
  const others = align.rows.flat().flatMap((row) => align.columns.flat().map((column) => dot(row, column, "roi-other-sample")));
  const own = align.bin.samples.map(({ row, column }) => dot(row, column, "roi-sample"));
  const weights = align.bin.weights.flatMap((line, row) =>
    line.map((weight, column) => svg("circle", { class: "roi-weight", cx: (column + 0.5) * size, cy: (row + 0.5) * size, r: Math.min(Math.sqrt(weight), 0.7) * size * 0.7 })),
  );
  const shifted = moved ? [outlined("roi-region", [left, top, right, bottom], size)] : [];
  view.bins.replaceChildren(...bins, ...shifted, ...(show === "gradient" ? [] : weights));
  view.marks.replaceChildren(...(show === "gradient" ? gradientMarks(align.gradient, size) : [...others, ...own]));
  view.sum.replaceChildren(...sampleSum(align.bin.samples), readout("align.bin.value"));
}

function sampleSum(samples) {
  if (samples.length === 0) return ["No sample in this bin: "];
  if (samples.length > 4) return [`Mean of ${samples.length} samples: `];
  const values = samples.flatMap((_, n) => [n ? " + " : "", readout(`align.bin.samples.${n}.value`)]);
  return samples.length === 1 ? ["One sample: "] : [`Mean of ${samples.length} samples: (`, ...values, `) / ${samples.length} = `];
}

// Pressing a bin in the picture selects it, like pressing its output.
function selectBin(model, { side, picture }, at) {
  const { pool, align } = compute(readState(model, TRAITS));
  const size = picture.viewBox.baseVal.width / model.get("features")[0].length;
  const equalParts = (from, to, count) => steps(count).map((i) => [from + ((to - from) * i) / count, from + ((to - from) * (i + 1)) / count]);
  const [left, top, right, bottom] = align.region.map((edge) => edge + 0.5);
  const rows = side === "pool" ? pool.rows : equalParts(top, bottom, align.rows.length);
  const columns = side === "pool" ? pool.columns : equalParts(left, right, align.columns.length);
  const holding = (bins, place) => bins.findIndex(([start, stop]) => place >= start && place < stop);
  const selected = [holding(rows, at.y / size), holding(columns, at.x / size)];
  if (!selected.includes(-1)) store(model, { selected });
}

function boxControls(model) {
  const side = (n, name) =>
    range({
      label: name, min: 0, max: () => (n % 2 ? model.get("features").length : model.get("features")[0].length) * model.get("stride"), step: 1, path: `box.${n}`,
      get: () => model.get("box")[n],
      set(value) {
        const box = [...model.get("box")];
        box[n] = n < 2 ? Math.min(value, box[n + 2] - 1) : Math.max(value, box[n - 2] + 1);
        store(model, { box });
      },
    });
  const bins = (axis, name) =>
    range({
      label: name, min: 1, max: 4, step: 1, path: `output_size.${axis}`,
      get: () => model.get("output_size")[axis],
      set: (value) => store(model, { output_size: model.get("output_size").map((old, n) => (n === axis ? value : old)) }),
    });
  return controls(
    side(0, "x1, px"), side(1, "y1, px"), side(2, "x2, px"), side(3, "y2, px"),
    bins(0, "bin rows"), bins(1, "bin columns"),
    range({ label: "sampling ratio", min: 0, max: 4, step: 1, path: "sampling", get: () => Math.max(model.get("sampling_ratio"), 0), set: (value) => store(model, { sampling_ratio: value }) }),
    tick({ label: "aligned (subtract half a cell)", get: () => model.get("aligned"), set: (aligned) => store(model, { aligned }) }),
    choice({ label: "Show", options: [["values", "values"], ["gradient", "gradient"]], get: () => model.get("show"), set: (show) => store(model, { show }) }),
  );
}

function render({ model, el }) {
  const views = [panel("pool", "RoIPool", "rounds the box to whole cells"), panel("align", "RoIAlign", "reads between the cells")];
  const panels = boxControls(model);
  const legend = html("p", { class: "roi-legend" });
  const root = frame(
    "pool-and-align", "RoIPool beside RoIAlign",
    html("div", { class: "roi-pair" }, ...views.map((view) => view.element)),
    legend,
    panels,
    caption("Drag the box or its edges, or use the arrow keys (with Shift they resize). Press an output to see how it was made."),
  );
  el.append(root);

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    for (const view of views) {
      const columns = state.features[0].length;
      const { width } = fit(view.picture, (wide) => (wide / columns) * state.features.length);
      const size = width / columns;
      view.picture.classList.toggle("roi-quiet-values", state.show === "gradient");
      drawMap(view.map, view.values, state.features, size);
      (view.side === "pool" ? drawPool : drawAlign)(view, numbers, size, state.show);
      placeBox(view, numbers.cells.map((side) => side * size));
      drawOutput(view, model, numbers);
    }
    const [x1, y1, x2, y2] = state.box;
    describe(views[0].target, x1, 0, state.features[0].length * state.stride, `x from ${x1} to ${x2}, y from ${y1} to ${y2} image pixels`);
    legend.textContent = LEGENDS[state.show];
    panels.update();
    fill(root, numbers);
  }

  for (const view of views) boxGestures({ model, ...view, keys: view.side === "pool", tap: (at) => selectBin(model, view, at) });
  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

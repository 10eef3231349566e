// The pixels that one cell sees: its receptive field, and how much gradient reaches each of them.

const TRAITS = ["network", "level", "cell"];
const LEVELS = [2, 3, 4, 5];
const LEGENDS = {
  tiny: "Coloured: the absolute gradient of the trained SHAPES network, averaged over many cells and channels far from the border, and shown around this cell; opacity is its square root. Dotted: the square around the cell with 90 % of it.",
  resnet50: "Grey: outside the scene, where the network sees padding. The gradient of ResNet-50 is not shown: its weights are not part of this package.",
};

export function compute({ network, level, cell }) {
  const fields = resnetLayers(NETWORKS[network]).map(receptiveField);
  const here = Math.min(level, fields.length + 1);
  const field = fields[here - 2];
  const [row, column] = cellOnMap(cell, field.stride);
  const [left, right] = pixelsOf(field, column);
  const [top, bottom] = pixelsOf(field, row);
  const area = (Math.min(right, SCENE.width) - Math.max(left, 0)) * (Math.min(bottom, SCENE.height) - Math.max(top, 0));
  const square = [column, row, column + 1, row + 1].map((number) => number * field.stride);
  return {
    network,
    level: here,
    stride: field.stride,
    size: field.size,
    cell: [row, column],
    square,
    field: [left, top, right, bottom],
    shift: (square[0] + square[2]) / 2 - (left + right) / 2,
    on_scene: (100 * area) / field.size ** 2,
    of_scene: (100 * area) / (SCENE.width * SCENE.height),
    gradient: gradientOf(network, here, square),
    levels: fields.map(({ stride, size }, n) => ({ stride, size, most: sideWithMost(network, n + 2) })),
  };
}

// As roilearn.reference.receptive_field has it: (kernel, stride, padding) of each layer.
function receptiveField(layers) {
  let [size, stride, start] = [1, 1, 0];
  for (const [kernel, step, padding] of layers) {
    start -= padding * stride;
    size += (kernel - 1) * stride;
    stride *= step;
  }
  return { size, stride, start };
}

function resnetLayers({ stem, depths, kernels }) {
  const layers = [[stem, 2, Math.floor(stem / 2)], [3, 2, 1]];
  const strided = kernels.indexOf(3);
  return depths.map((depth, stage) => {
    for (const block of steps(depth)) {
      const step = stage > 0 && block === 0 ? 2 : 1;
      layers.push(...kernels.map((kernel, n) => [kernel, n === strided ? step : 1, Math.floor(kernel / 2)]));
    }
    return [...layers];
  });
}

const pixelsOf = ({ size, stride, start }, cell) => [start + cell * stride, start + cell * stride + size];

const cellOnMap = ([row, column], stride) => [Math.min(row, SCENE.height / stride - 1), Math.min(column, SCENE.width / stride - 1)];

// The measured gradient of a map: its share in each small square around a cell, rows by columns.
const SHARES = Object.fromEntries(
  Object.entries(PROFILES).map(([name, { side, roots }]) => {
    const amounts = [...atob(roots)].map((letter) => (letter.charCodeAt(0) / 255) ** 2);
    const sum = amounts.reduce((before, amount) => before + amount, 0);
    return [name, steps(side).map((row) => amounts.slice(row * side, (row + 1) * side).map((amount) => amount / sum))];
  }),
);

const sumOf = (shares, rows, columns) => {
  let sum = 0;
  shares.forEach((line, i) => rows(i) && line.forEach((share, j) => (sum += columns(j) ? share : 0)));
  return sum;
};

// The cell's own square is four small squares wide.
function shareWithin(level, rings) {
  const { first, square } = PROFILES[`C${level}`];
  const start = -first / square;
  const near = (n) => n >= start - rings && n < start + 4 + rings;
  return sumOf(SHARES[`C${level}`], near, near);
}

function gradientOf(network, level, [left, top]) {
  if (network !== "tiny") return { own: null, on_scene: null };
  const { first, square } = PROFILES[`C${level}`];
  const inside = (edge, limit) => (n) => edge + first + n * square >= 0 && edge + first + n * square < limit;
  const onScene = sumOf(SHARES[`C${level}`], inside(top, SCENE.height), inside(left, SCENE.width));
  return { own: 100 * shareWithin(level, 0), on_scene: 100 * onScene };
}

function sideWithMost(network, level) {
  if (network !== "tiny") return null;
  let rings = 0;
  while (shareWithin(level, rings) < MOST) rings += 1;
  return PROFILES[`C${level}`].square * (4 + 2 * rings);
}

// The gradient as a picture, one pixel for each small square, drawn once for each map.
const pictures = {};
function gradientPicture(name) {
  if (pictures[name]) return pictures[name];
  const { side } = PROFILES[name];
  const canvas = html("canvas", { width: side, height: side });
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  const colour = [1, 3, 5].map((n) => parseInt(PALETTE.gradient.slice(n, n + 2), 16));
  [...atob(PROFILES[name].roots)].forEach((letter, n) => image.data.set([...colour, 0.75 * letter.charCodeAt(0)], 4 * n));
  context.putImageData(image, 0, 0);
  pictures[name] = canvas.toDataURL();
  return pictures[name];
}

const place = (element, [x1, y1, x2, y2]) => {
  for (const [key, value] of Object.entries({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })) element.setAttribute(key, value);
};

// Two outlines, one in the colour of the paper under it, so that it is seen on any photograph.
const outline = (css, sides) => ["roi-under", css].map((one) => {
  const rectangle = svg("rect", { class: one });
  place(rectangle, sides);
  return rectangle;
});

function drawScene(view, numbers, width, height) {
  const margin = MARGINS[numbers.network];
  const unit = width / (SCENE.width + 2 * margin);
  const across = (x) => (x + margin) * unit;
  const sides = (box) => box.map(across);
  const scene = sides([0, 0, SCENE.width, SCENE.height]);
  place(view.padding, [0, 0, width, height]);
  place(view.frame, [0, 0, width, height]);
  place(view.scene, scene);
  place(view.hole, scene);
  const { square, field, level, network } = numbers;
  const profile = network === "tiny" ? PROFILES[`C${level}`] : null;
  view.gradient.toggleAttribute("hidden", !profile);
  const marks = [outline("roi-field", sides(field)), outline("roi-own", sides(square))];
  if (profile) {
    const [left, top] = [square[0] + profile.first, square[1] + profile.first];
    const length = profile.square * profile.side;
    view.gradient.setAttribute("href", gradientPicture(`C${level}`));
    place(view.gradient, sides([left, top, left + length, top + length]));
    const out = (numbers.levels[level - 2].most - numbers.stride) / 2;
    marks.splice(1, 0, outline("roi-most", sides([square[0] - out, square[1] - out, square[2] + out, square[3] + out])));
  }
  const foot = scene[3] + 12;
  view.over.replaceChildren(...marks.flat());
  view.labels.replaceChildren(
    label(scene[0], foot, "0", { class: "roi-on-line" }),
    label(scene[2], foot, `${SCENE.width} px`, { class: "roi-on-line" }),
    label(scene[0] - 6, scene[3] - 6, SCENE.height, { class: "roi-end roi-on-line" }),
  );
  const grip = sides(square);
  const reach = Math.max(0, 22 - (grip[2] - grip[0]) / 2); // a finger is 44 units wide
  place(view.target, [grip[0] - reach, grip[1] - reach, grip[2] + reach, grip[3] + reach]);
  return unit;
}

function levelTable(table, { network, level, levels }) {
  if (table.dataset.network !== network) {
    table.dataset.network = network;
    const shown = ["stride", "size", ...(network === "tiny" ? ["most"] : [])];
    const heads = { stride: "stride, px", size: "field, px", most: "90 % of gradient, px" };
    const row = (_, n) => html("tr", {}, html("th", { scope: "row" }, `C${n + 2}`), ...shown.map((what) => html("td", {}, readout(`levels.${n}.${what}`, 0))));
    table.replaceChildren(
      html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "map"), ...shown.map((what) => html("th", { scope: "col" }, heads[what])))),
      html("tbody", {}, ...levels.map(row)),
    );
  }
  [...table.tBodies[0].rows].forEach((row, n) => row.classList.toggle("roi-current", n + 2 === level));
}

function sentences() {
  const whole = (path) => readout(path, 0);
  const own = html("p", {}, "The cell at row ", whole("cell.0"), ", column ", whole("cell.1"), " of C", whole("level"), " has a square of ", whole("stride"), " px of its own (solid): x from ", whole("square.0"), " to ", whole("square.2"), ", y from ", whole("square.1"), " to ", whole("square.3"), ".");
  const field = html("p", {}, "It sees ", whole("size"), " \u00d7 ", whole("size"), " px (dashed): x from ", whole("field.0"), " to ", whole("field.2"), ", y from ", whole("field.1"), " to ", whole("field.3"), ". Of these pixels ", readout("on_scene", 1), " % lie on the scene, and they make up ", readout("of_scene", 1), " % of it. Their middle lies ", readout("shift", 1), " px left of and above the middle of the cell\u2019s own square.");
  const gradient = html("p", {}, "Of the gradient, ", readout("gradient.own", 1), " % reaches the cell\u2019s own square, and ", readout("gradient.on_scene", 1), " % stays on the scene.");
  return { own, field, gradient, element: html("div", { class: "roi-told" }, own, field, gradient) };
}

function render({ model, el }) {
  const group = `roi-${Math.random().toString(36).slice(2)}`; // the clip path's name is the page's
  const [over, labels] = steps(2).map(() => svg("g"));
  const padding = svg("rect", { class: "roi-padding" });
  const scene = svg("image", { class: "roi-scene", href: SCENE.address, preserveAspectRatio: "none" });
  const gradient = svg("image", { class: "roi-gradient-picture", preserveAspectRatio: "none", "clip-path": `url(#${group}-scene)` });
  const [hole, frameHole] = [svg("rect"), svg("rect")];
  const clips = [["scene", hole], ["frame", frameHole]].map(([name, shape]) => svg("clipPath", { id: `${group}-${name}` }, shape));
  over.setAttribute("clip-path", `url(#${group}-frame)`);
  const target = handle("rect", { "aria-label": "Cell", rx: 4 });
  const picture = svg("svg", { role: "group", "aria-label": "The example scene, a cell\u2019s own square and the pixels that it sees" }, svg("defs", {}, ...clips), padding, scene, gradient, over, labels, target);
  const view = { padding, frame: frameHole, scene, hole, gradient, over, labels, target };
  const table = html("table");
  const told = sentences();
  const legend = caption("");
  let unit = 1; // CSS pixels for each image pixel

  const now = () => compute(readState(model, TRAITS));
  const last = (axis) => (axis ? SCENE.width : SCENE.height) / now().stride - 1;
  const put = (cell) => store(model, { cell: cell.map((number, axis) => clamp(Math.round(number), 0, last(axis))) });
  // On another map the cell is the one at the same place of the image.
  function change(changes) {
    const { stride, cell } = now();
    const next = compute({ ...readState(model, TRAITS), ...changes }).stride;
    store(model, { ...changes, cell: cellOnMap(cell.map((number) => Math.floor(((number + 0.5) * stride) / next)), next) });
  }
  const axis = (n, name) => range({ label: name, min: 0, max: () => last(n), step: 1, path: `cell.${n}`, get: () => now().cell[n], set: (value) => put(now().cell.map((old, m) => (m === n ? value : old))) });
  const panel = controls(
    choice({ label: "Network", options: Object.entries(NAMES), get: () => model.get("network"), set: (network) => change({ network, level: network === "tiny" ? Math.min(model.get("level"), 4) : model.get("level") }) }),
    choice({ label: "Map", options: LEVELS.map((level) => [level, level < 5 ? `C${level}` : "C5 (ResNet-50)"]), get: () => now().level, set: (level) => change(level < 5 ? { level } : { level, network: "resnet50" }) }),
    axis(1, "column"), axis(0, "row"),
  );
  const root = frame(
    "receptive-field", "The pixels that one cell of a feature map sees",
    html("div", { class: "roi-split" }, html("div", {}, picture), html("div", {}, told.element, table)),
    panel,
    caption("Drag the cell, press a place on the scene, or use the arrow keys (Shift: four cells)."),
    legend,
  );
  el.append(root);

  draggable(target, picture, {
    start: () => now().cell,
    move: ([row, column], by) => put([row + by.y / unit / now().stride, column + by.x / unit / now().stride]),
  });
  scene.addEventListener("click", (event) => {
    const box = scene.getBoundingClientRect();
    const places = [event.clientY - box.top, event.clientX - box.left];
    put(places.map((at) => Math.floor(at / unit / now().stride)));
  });
  arrowKeys(target, (dx, dy, shift) => {
    const [row, column] = now().cell;
    put([row + dy * (shift ? 4 : 1), column + dx * (shift ? 4 : 1)]);
  });

  function draw() {
    const numbers = now();
    const margin = MARGINS[numbers.network];
    const { width, height } = fit(picture, (wide) => (wide * (SCENE.height + 2 * margin)) / (SCENE.width + 2 * margin));
    unit = drawScene(view, numbers, width, height);
    levelTable(table, numbers);
    told.gradient.hidden = numbers.network !== "tiny";
    root.dataset.network = numbers.network;
    legend.textContent = LEGENDS[numbers.network];
    const [row, column] = numbers.cell;
    describe(target, column, 0, last(1), `C${numbers.level}, row ${row}, column ${column}; sees ${numbers.size} pixels, x from ${format(numbers.field[0], 0)} to ${format(numbers.field[2], 0)}, y from ${format(numbers.field[1], 0)} to ${format(numbers.field[3], 0)}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

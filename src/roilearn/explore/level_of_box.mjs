// The level of the pyramid that a box is pooled from: k rounded down, and k rounded to the nearest.

const TRAITS = ["box", "side", "canonical_scale", "canonical_level", "levels"];
const RULES = ["floor", "round"];
const BINS = 7;
const AXIS = [8, 1024]; // sizes, in image pixels

const imageSize = (side) => ({ width: (SCENE.width * side) / SCENE.height, height: side });

export function compute({ box, side, canonical_scale, canonical_level, levels }) {
  const [wide, tall] = [box[2] - box[0], box[3] - box[1]];
  const size = Math.sqrt(wide * tall);
  const doublings = Math.log2(size / canonical_scale);
  const rules = Object.fromEntries(RULES.map((rule) => [rule, assigned(boxLevel(doublings, canonical_level, rule, levels), wide, tall)]));
  const edges = (lower) => steps(levels[1] - levels[0]).map((n) => canonical_scale * 2 ** (levels[0] + n + 1 - canonical_level - lower));
  const { width, height } = imageSize(side);
  return {
    image: [width, height],
    width: wide,
    height: tall,
    size,
    canonical_scale,
    canonical_level,
    levels,
    doublings,
    unrounded: canonical_level + doublings,
    rules,
    differ: rules.floor.level !== rules.round.level,
    edges: { floor: edges(0), round: edges(0.5) },
  };
}

// As roilearn.reference.assign_levels has it.
function boxLevel(doublings, canonicalLevel, rule, [first, last]) {
  const level = rule === "round" ? canonicalLevel + halfEven(doublings) : Math.floor(canonicalLevel + doublings + LEVEL_EPSILON);
  return clamp(level, first, last);
}

function assigned(level, wide, tall) {
  const stride = 2 ** level;
  const cells = [wide / stride, tall / stride];
  return { level, stride, cells, bin: cells.map((side) => side / BINS) };
}

// The cells of the level under the box, where they are large enough to be seen.
function cellLines([x1, y1, x2, y2], stride, unit) {
  if (stride * unit < 4) return "";
  const lines = (from, to) => steps(Math.floor(to / stride) + 1).map((n) => n * stride).filter((at) => at > from && at < to);
  const across = lines(x1, x2).map((x) => `M${x * unit} ${y1 * unit}V${y2 * unit}`);
  return [...across, ...lines(y1, y2).map((y) => `M${x1 * unit} ${y * unit}H${x2 * unit}`)].join("");
}

const STRIP = { left: 44, right: 10, floor: 24, round: 78, tall: 26, height: 140 };

// A strip of levels over the axis of sizes, with the sizes at which the level changes.
function levelStrip(rule, { levels, edges, rules }, x) {
  const ends = [AXIS[0], ...edges[rule].map((edge) => clamp(edge, ...AXIS)), AXIS[1]];
  const parts = ends.slice(1).map((end, n) => ({ level: levels[0] + n, from: x(ends[n]), to: x(end) }));
  const top = STRIP[rule];
  const shown = parts.filter(({ from, to }) => to > from);
  return [
    label(0, top + STRIP.tall / 2, rule, { class: "roi-start roi-strong" }),
    ...shown.map(({ level, from, to }) => {
      const css = `roi-level${level === rules[rule].level ? " roi-chosen" : ""}`;
      return svg("rect", { class: css, x: from, y: top, width: to - from, height: STRIP.tall, style: `--share: ${(level - 2) * 25}%` });
    }),
    ...shown.filter(({ from, to }) => to - from > 20).map(({ level, from, to }) => label((from + to) / 2, top + STRIP.tall / 2, `P${level}`)),
    ...edges[rule].flatMap((edge, n) => (edge > AXIS[0] && edge < AXIS[1] ? [label(x(edge), top - 10, "", { "data-readout": `edges.${rule}.${n}`, "data-digits": 1, class: "roi-faint" })] : [])),
  ];
}

function drawStrips(layer, numbers, width) {
  const reach = width - STRIP.left - STRIP.right;
  const share = (size) => Math.log2(clamp(size, ...AXIS) / AXIS[0]) / Math.log2(AXIS[1] / AXIS[0]);
  const x = (size) => STRIP.left + share(size) * reach;
  const between = (STRIP.floor + STRIP.tall + STRIP.round - 10) / 2 - 4;
  const apart = numbers.edges.floor.map((edge, n) => [numbers.edges.round[n], edge].map(x)).filter(([from, to]) => to > from);
  const foot = STRIP.round + STRIP.tall;
  const here = x(numbers.size);
  layer.replaceChildren(
    ...levelStrip("floor", numbers, x),
    ...levelStrip("round", numbers, x),
    label(0, between, "differ", { class: "roi-start roi-faint" }),
    ...apart.map(([from, to]) => svg("path", { class: "roi-apart", d: `M${from} ${between}H${to}` })),
    ...steps(8).map((n) => label(x(8 * 2 ** n), foot + 10, 8 * 2 ** n, { class: "roi-faint" })),
    label(STRIP.left + reach / 2, foot + 26, "\u221a(width \u00b7 height), image px", { class: "roi-faint" }),
    svg("path", { class: "roi-now", d: `M${here} ${STRIP.floor}V${foot}` }),
    svg("circle", { class: "roi-sample", cx: here, cy: between, r: 5 }),
  );
}

function ruleTable() {
  // One element a cell: on a phone the page makes lists of tables, and would part several.
  const pair = (path) => html("td", {}, html("span", {}, readout(`${path}.0`, 1), " \u00d7 ", readout(`${path}.1`, 1)));
  const row = (rule) => html("tr", {}, html("th", { scope: "row" }, rule), html("td", {}, html("span", {}, "P", readout(`rules.${rule}.level`, 0))), html("td", {}, readout(`rules.${rule}.stride`, 0)), pair(`rules.${rule}.cells`), pair(`rules.${rule}.bin`));
  const head = ["rule", "level", "stride, px", "cells in the box", "cells in one of 7 \u00d7 7 bins"].map((text) => html("th", { scope: "col" }, text));
  return html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...RULES.map(row)));
}

// box_gestures moves a box in a feature map: here the map is the image, a cell for each pixel.
function imageAsMap(model) {
  return {
    get(name) {
      if (name === "stride") return 1;
      if (name !== "features") return model.get(name);
      const { width, height } = imageSize(model.get("side"));
      return { length: height, 0: { length: width } };
    },
    set: (name, value) => model.set(name, value),
    save_changes: () => model.save_changes(),
  };
}

function levelControls(model) {
  const length = (n, name) =>
    range({
      label: name, min: 1, step: 1, path: n ? "height" : "width",
      max: () => Object.values(imageSize(model.get("side")))[n] - model.get("box")[n],
      get: () => model.get("box")[n + 2] - model.get("box")[n],
      set: (value) => store(model, { box: model.get("box").map((edge, m, box) => (m === n + 2 ? box[n] + value : edge)) }),
    });
  const limit = (n, name) =>
    range({
      label: name, min: 2, max: 6, step: 1, path: `levels.${n}`, get: () => model.get("levels")[n],
      set: (value) => store(model, { levels: n ? [Math.min(model.get("levels")[0], value), value] : [value, Math.max(model.get("levels")[1], value)] }),
    });
  const enlarge = (side) => {
    const factor = side / model.get("side");
    store(model, { side, box: model.get("box").map((edge) => edge * factor) });
  };
  return controls(
    length(0, "width, px"), length(1, "height, px"),
    choice({ label: "Canonical scale, px", options: [[224, "224"], [112, "112"]], get: () => model.get("canonical_scale"), set: (canonical_scale) => store(model, { canonical_scale }) }),
    choice({ label: "Image, px", options: [[128, "160 \u00d7 128"], [800, "1000 \u00d7 800"]], get: () => model.get("side"), set: enlarge }),
    range({ label: "canonical level", min: 2, max: 6, step: 1, path: "canonical_level", get: () => model.get("canonical_level"), set: (canonical_level) => store(model, { canonical_level }) }),
    limit(0, "first level"), limit(1, "last level"),
  );
}

function sentence() {
  return html("p", { class: "roi-told" }, "The box has ", readout("width", 1), " \u00d7 ", readout("height", 1), " px, so \u221a(wh) = ", readout("size", 1), " px, and ", readout("canonical_level", 0), " + log\u2082(", readout("size", 1), " / ", readout("canonical_scale", 0), ") = ", readout("unrounded", 3), ".");
}

function render({ model, el }) {
  const strips = svg("g");
  const scene = svg("image", { href: SCENE.address, preserveAspectRatio: "none" });
  const [under, cells] = [svg("path", { class: "roi-under" }), svg("path", { class: "roi-cells" })];
  const outline = svg("path", { class: "roi-true-box" });
  const target = handle("rect", { "aria-label": "Box" });
  const picture = svg("svg", { class: "roi-scene", role: "group", "aria-label": "The box on the image" }, scene, cells, under, outline, target);
  const stripPicture = svg("svg", { role: "presentation" }, strips);
  const verdict = html("p", { class: "roi-verdict" });
  const panel = levelControls(model);
  const root = frame(
    "level-of-box", "The level of the pyramid that a box is pooled from",
    html("div", { class: "roi-split" }, html("div", {}, picture), html("div", {}, sentence(), verdict)),
    ruleTable(), html("div", {}, stripPicture), panel,
    caption("Drag a corner or an edge of the box, or the box; the arrow keys move its lower right corner (with Shift the box). Lines in the box: cells of the level by floor, where they are wide enough to see."),
    caption("floor: the paper on feature pyramids, torchvision 0.29, Detectron2 0.6. round: matterport\u2019s Mask R-CNN."),
  );
  el.append(root);

  const asMap = imageAsMap(model);
  boxGestures({ model: asMap, target, picture, keys: false });
  arrowKeys(target, (dx, dy, shift) => {
    const { width, height } = imageSize(model.get("side"));
    const [x1, y1, x2, y2] = model.get("box");
    const [right, down] = [clamp(dx, -x1, width - x2), clamp(dy, -y1, height - y2)];
    if (shift) store(model, { box: [x1 + right, y1 + down, x2 + right, y2 + down] });
    else store(model, { box: [x1, y1, clamp(x2 + dx, x1 + 1, Math.max(width, x2)), clamp(y2 + dy, y1 + 1, Math.max(height, y2))] });
  });

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const [wide] = numbers.image;
    const { width, height } = fit(picture, (across) => (across * SCENE.height) / SCENE.width);
    const unit = width / wide;
    for (const [key, value] of Object.entries({ width, height })) scene.setAttribute(key, value);
    const { floor, round } = numbers.rules;
    cells.setAttribute("d", cellLines(state.box, floor.stride, unit));
    placeBox({ outline, target }, state.box.map((edge) => edge * unit));
    under.setAttribute("d", outline.getAttribute("d"));
    verdict.textContent = numbers.differ
      ? `The two rules differ: rounded down the box is pooled from P${floor.level}, rounded to the nearest from P${round.level}.`
      : `Both rules pool this box from P${floor.level}.`;
    verdict.classList.toggle("roi-differ", numbers.differ);
    drawStrips(strips, numbers, fit(stripPicture, STRIP.height).width);
    describe(target, Math.round(numbers.width), 1, wide, `${format(numbers.width, 1)} by ${format(numbers.height, 1)} pixels at x ${format(state.box[0], 1)}, y ${format(state.box[1], 1)}; level ${floor.level} by floor, ${round.level} by round`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

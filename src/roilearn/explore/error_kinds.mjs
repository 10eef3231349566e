// Five detections on the example scene: which are right, which kind of error the others are, and the AP.

const TRAITS = ["boxes", "scores", "classes", "threshold", "chosen"];

export function compute({ boxes, scores, classes, threshold, chosen }) {
  const order = steps(boxes.length).sort((i, j) => scores[j] - scores[i]); // of equal scores the first box first
  const found = {};
  for (const i of order) {
    const target = OBJECTS.find(({ name }) => name === classes[i]);
    if (!(target.name in found) && boxIou(target.box, boxes[i]) >= threshold) found[target.name] = i;
  }
  const rows = boxes.map((box, i) => errorRow(box, classes[i], scores[i], found[classes[i]] === i, threshold, i));
  const nearly = rows.filter(({ state }) => ["misplaced", "wrong class"].includes(state)).map(({ object }) => object);
  const names = OBJECTS.map(({ name }) => name);
  const ap = Object.fromEntries(names.map((name) => [name, name in found ? precisionAt(found[name], order, classes) : 0]));
  return {
    threshold,
    score: scores[BOXES.indexOf(chosen)],
    rows,
    missed: names.filter((name) => !(name in found) && !nearly.includes(name)),
    right: Object.keys(found).length,
    ap: { ...ap, mean: total(Object.values(ap)) / names.length },
  };
}

// The object that a detection overlaps most decides; a right one has the object of its class.
function errorRow(box, shape, score, right, threshold, i) {
  const ious = OBJECTS.map((one) => boxIou(one.box, box));
  const most = right ? ious[OBJECTS.findIndex(({ name }) => name === shape)] : Math.max(...ious);
  const object = most > 0 ? OBJECTS[ious.indexOf(most)].name : null;
  return { box: BOXES[i], class: shape, score, iou: most, object, state: right ? "right" : errorKind(most, object === shape, threshold) };
}

function errorKind(iou, same, threshold) {
  if (iou < BACKGROUND_IOU) return "background";
  if (iou < threshold) return same ? "misplaced" : "both";
  return same ? "duplicate" : "wrong class";
}

// A class has one object here: its AP is the precision where that is found, 1 over the place in the ranking.
const precisionAt = (i, order, classes) => 1 / (order.filter((j) => classes[j] === classes[i]).indexOf(i) + 1);

const total = (values) => values.reduce((sum, value) => sum + value, 0);

function errorTable() {
  const head = html("tr", {}, ...["box", "class", "score", "overlaps", "kind"].map((text) => html("th", { scope: "col" }, text)));
  const row = (n) => html("tr", {}, html("th", { scope: "row" }, html("span", { class: "roi-swatch", "aria-hidden": "true" }), readout(`rows.${n}.box`)), html("td", {}, readout(`rows.${n}.class`)), html("td", {}, readout(`rows.${n}.score`)), html("td", {}, html("span", {}, readout(`rows.${n}.object`), " ", readout(`rows.${n}.iou`))), html("td", {}, readout(`rows.${n}.state`)));
  return html("table", {}, html("thead", {}, head), html("tbody", {}, ...BOXES.map((_, n) => row(n))));
}

function apTable() {
  const names = [...OBJECTS.map(({ name }) => name), "mean"];
  const head = html("tr", {}, html("td"), ...names.map((name) => html("th", { scope: "col" }, name)));
  const measure = html("th", { scope: "row" }, "");
  const table = html("table", { class: "roi-ap" }, html("thead", {}, head), html("tbody", {}, html("tr", {}, measure, ...names.map((name) => html("td", {}, readout(`ap.${name}`))))));
  return { table, measure };
}

function resultText({ rows, missed, right }) {
  const wrong = rows.length - right;
  const rest = missed.length ? `Missed: ${missed.join(", ")}.` : "No object is missed: each unfound one has a detection that one repair would make right.";
  const all = right === OBJECTS.length ? "Each object is found." : rest;
  return `${right} right, ${wrong} wrong. ${all}`;
}

function errorControls(model) {
  const at = () => BOXES.indexOf(model.get("chosen"));
  const changed = (name, value) => store(model, { [name]: model.get(name).map((one, n) => (n === at() ? value : one)) });
  return controls(
    choice({ label: "Detection", options: BOXES.map((name) => [name, name]), get: () => model.get("chosen"), set: (chosen) => store(model, { chosen }) }),
    choice({ label: "its class", options: OBJECTS.map(({ name }) => [name, name]), get: () => model.get("classes")[at()], set: (value) => changed("classes", value) }),
    range({ label: "its score", min: 0, max: 1, step: 0.01, path: "score", digits: 2, get: () => model.get("scores")[at()], set: (value) => changed("scores", value) }),
    choice({ label: "IoU from which an object is found", options: [[0.5, "0.50"], [0.75, "0.75"]], get: () => model.get("threshold"), set: (threshold) => store(model, { threshold }) }),
  );
}

function render({ model, el }) {
  const scene = scenePicture(model);
  const result = html("p", { class: "roi-result", role: "status" });
  const [table, { table: aps, measure }, panel] = [errorTable(), apTable(), errorControls(model)];
  const root = frame(
    "error-kinds", "Five detections and their kinds of errors",
    html("div", { class: "roi-split" }, html("div", {}, scene.picture), html("div", {}, table, result, aps)),
    panel,
    caption("Overlaps: the object of the highest IoU, and that IoU. Thick solid line: right. Dashed: misplaced, or of the wrong class, or both. Dotted: duplicate or background. The colour is the class that the detection says."),
    caption("Drag the detection with grips, its edges or its corners; press on another one to choose it. The arrow keys move it (with Shift its lower right corner)."),
  );
  el.append(root);

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    scene.draw(state, numbers);
    [...table.tBodies[0].rows].forEach((line, n) => {
      line.dataset.state = numbers.rows[n].state;
      line.style.setProperty("--swatch", SHAPE_COLOURS[numbers.rows[n].class]);
    });
    const text = resultText(numbers);
    if (result.textContent !== text) result.textContent = text;
    measure.textContent = `AP${100 * numbers.threshold}`;
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

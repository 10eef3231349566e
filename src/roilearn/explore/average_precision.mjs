// Average precision of a dozen detections, and what the order of equal scores moves.

const TRAITS = ["scores", "iou_threshold", "ties", "chosen"];
const NAMES = DETECTIONS.map(({ name }) => name);
const CLASSES = Object.keys(COUNTS);
const WAYS = { coco: "101 points (COCO)", voc: "11 points (VOC to 2009)", area: "area (VOC from 2010)" };
const ORDERS = { listed: "as listed", reversed: "reversed", best: "right ones first", worst: "right ones last" };

export function compute(state) {
  const { scores, iou_threshold, ties, chosen } = state;
  const at = NAMES.indexOf(chosen);
  const name = DETECTIONS[at].class;
  const [worst, best] = ["worst", "best"].map((order) => Number(format(summaries({ ...state, ties: order }).coco.mean, 4)));
  return {
    class: name,
    objects: COUNTS[name],
    chosen: { name: chosen, score: scores[at] },
    iou_threshold,
    rows: tableRows(state, name),
    summaries: summaries({ ...state, ties }),
    spread: { worst, best, width: best - worst },
  };
}

// Detections of a class by descending score. Among equal scores the order changes who comes first,
// and of two detections of one object also which of them is right.
function ranked({ scores, iou_threshold, ties }, name) {
  const listed = steps(NAMES.length).filter((n) => DETECTIONS[n].class === name);
  if (ties === "reversed") listed.reverse();
  const order = listed.sort((a, b) => scores[b] - scores[a]);
  const taken = new Set();
  const found = order.map((n) => {
    const { object, iou } = DETECTIONS[n];
    const right = object !== null && iou >= iou_threshold && !taken.has(object);
    if (right) taken.add(object);
    return { n, right };
  });
  const last = { best: (one) => !one.right, worst: (one) => one.right }[ties];
  return last ? found.sort((a, b) => scores[b.n] - scores[a.n] || last(a) - last(b)) : found;
}

// After each detection: which fraction of them is right, and which fraction of the objects is found.
function precisionRecall(right, objects) {
  const found = right.map((_, k) => right.slice(0, k + 1).filter(Boolean).length);
  return { precision: found.map((count, k) => count / (k + 1)), recall: found.map((count) => count / objects) };
}

const interpolate = (precision) => precision.map((_, k) => Math.max(...precision.slice(k)));

function precisionAt(recalls, precision, recall) {
  const best = [...interpolate(precision), 0];
  const first = (wanted) => (recall.some((one) => one >= wanted) ? recall.findIndex((one) => one >= wanted) : recall.length);
  return recalls.map((wanted) => best[first(wanted)]);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function summaries(state) {
  const curves = CLASSES.map((name) => precisionRecall(ranked(state, name).map(({ right }) => right), COUNTS[name]));
  const ways = {
    coco: ({ precision, recall }) => mean(precisionAt(RECALLS_101, precision, recall)),
    voc: ({ precision, recall }) => mean(precisionAt(RECALLS_11, precision, recall)),
    area: ({ precision, recall }) => interpolate(precision).reduce((sum, best, k) => sum + best * (recall[k] - (recall[k - 1] ?? 0)), 0),
  };
  const each = (way) => {
    const values = curves.map(way);
    return { ...Object.fromEntries(CLASSES.map((name, n) => [name, values[n]])), mean: mean(values) };
  };
  return Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, each(way)]));
}

function tableRows(state, name) {
  const order = ranked(state, name);
  const { precision, recall } = precisionRecall(order.map(({ right }) => right), COUNTS[name]);
  const best = interpolate(precision);
  return order.map(({ n, right }, k) => ({
    name: NAMES[n],
    image: DETECTIONS[n].image,
    score: state.scores[n],
    iou: DETECTIONS[n].iou,
    verdict: right ? "right" : "wrong",
    precision: precision[k],
    recall: recall[k],
    interpolated: best[k],
  }));
}

// The tables.

const column = (text) => html("th", { scope: "col" }, html("span", {}, text));

function rankTable(choose) {
  const row = (k) =>
    html("tr", { click: () => choose(k) }, html("th", { scope: "row" }, readout(`rows.${k}.name`)), html("td", { class: "roi-image" }, readout(`rows.${k}.image`, 0)), html("td", {}, readout(`rows.${k}.score`)), html("td", {}, readout(`rows.${k}.iou`, 3)), html("td", {}, readout(`rows.${k}.verdict`)), html("td", {}, readout(`rows.${k}.precision`, 3)), html("td", {}, readout(`rows.${k}.recall`, 3)));
  const head = html("tr", {}, column(""), html("th", { scope: "col", class: "roi-image" }, "image"), ...["score", "IoU", "", "precision", "recall"].map(column));
  head.cells[0].replaceChildren(html("span", { class: "roi-hidden" }, "detection"));
  head.cells[4].replaceChildren(html("span", { class: "roi-hidden" }, "verdict"));
  return html("table", { class: "roi-ranking" }, html("thead", {}, head), html("tbody", {}, ...steps(6).map(row)));
}

function summaryTable() {
  const row = ([way, words]) => html("tr", {}, html("th", { scope: "row" }, words), ...[...CLASSES, "mean"].map((name) => html("td", {}, readout(`summaries.${way}.${name}`, 4))));
  const head = html("tr", {}, html("th", { scope: "col" }, "AP"), ...[...CLASSES, "mean"].map(column));
  return html("table", { class: "roi-summaries" }, html("thead", {}, head), html("tbody", {}, ...Object.entries(WAYS).map(row)));
}

// The score of the chosen detection.

const hundredth = (score) => Math.round(clamp(score, 0, 1) * 100) / 100;

function setScore(model, score) {
  const scores = [...model.get("scores")];
  scores[NAMES.indexOf(model.get("chosen"))] = hundredth(score);
  store(model, { scores });
}

// One rank up or down: the score of the neighbour in the table, and a hundredth beyond it.
function changeRank(model, by) {
  const { rows, chosen } = compute(readState(model, TRAITS));
  const rank = rows.findIndex(({ name }) => name === chosen.name);
  const other = rows[rank + by];
  if (other) setScore(model, other.score - by * 0.01);
}

function scoreControls(model) {
  const button = (text, by) => html("button", { type: "button", click: () => changeRank(model, by) }, text);
  const buttons = html("div", { class: "roi-buttons" }, button("Rank up", -1), button("Rank down", 1));
  buttons.update = () => {
    const { rows, chosen } = compute(readState(model, TRAITS));
    const rank = rows.findIndex(({ name }) => name === chosen.name);
    [rank === 0, rank === rows.length - 1].forEach((end, n) => buttons.children[n].setAttribute("aria-disabled", end));
  };
  const score = range({ label: "score", min: 0, max: 1, step: 0.01, path: "chosen.score", digits: 2, get: () => compute(readState(model, TRAITS)).chosen.score, set: (value) => setScore(model, value) });
  const choose = (name) => choice({ label: name, options: DETECTIONS.filter((one) => one.class === name).map((one) => [one.name, one.name]), get: () => model.get("chosen"), set: (chosen) => store(model, { chosen }) });
  return controls(...CLASSES.map(choose), score, buttons);
}

function ruleControls(model) {
  return controls(
    choice({ label: "Equal scores", options: Object.entries(ORDERS), get: () => model.get("ties"), set: (ties) => store(model, { ties }) }),
    range({ label: "IoU threshold", min: 0.5, max: 0.95, step: 0.05, path: "iou_threshold", digits: 2, get: () => model.get("iou_threshold"), set: (iou_threshold) => store(model, { iou_threshold }) }),
  );
}

function render({ model, el }) {
  const [scoreLayer, curveLayer] = [svg("g"), svg("g")];
  const target = handle("circle", { "aria-label": "Score of the chosen detection", r: 13 });
  const scorePicture = svg("svg", { class: "roi-scores", role: "group", "aria-label": "Detections by score" }, scoreLayer, target);
  const curvePicture = svg("svg", { class: "roi-curve", role: "presentation" }, curveLayer);
  const choose = (k) => store(model, { chosen: compute(readState(model, TRAITS)).rows[k].name });
  const table = rankTable(choose);
  const spread = html("p", { class: "roi-result" }, "With other orders of equal scores the mean at 101 points is from ", readout("spread.worst", 4), " to ", readout("spread.best", 4), ", a difference of ", readout("spread.width", 4), ".");
  const panels = [scoreControls(model), ruleControls(model)];
  const root = frame(
    "average-precision", "Average precision of twelve detections",
    html("div", { class: "roi-split" }, html("div", {}, html("p", { class: "roi-told" }, "Class: ", readout("class"), ", ", readout("objects", 0), " objects in two images"), table, summaryTable()), html("div", {}, curvePicture)),
    html("div", {}, scorePicture), panels[0],
    panels[1], spread,
    caption("Filled: right (true positive). Hollow: wrong (false positive). Thin: precision over recall. Thick: interpolated. Squares: the 11 recalls."),
    caption("Choose a detection by its letter, its row or its disc. Drag it along the scores, press the arrow keys (with Shift ten times as far), move the slider, or let it change rank."),
  );
  el.append(root);
  let places = [];
  const near = ({ x }) => places.reduce((best, one) => (Math.abs(one.x - x) < Math.abs(best.x - x) ? one : best));
  draggable(target, scorePicture, {
    across: true,
    start: () => compute(readState(model, TRAITS)).chosen.score,
    move: (score, by) => setScore(model, score + by.x / (scorePicture.clientWidth - 28)),
  });
  arrowKeys(target, (right, down, far) => setScore(model, compute(readState(model, TRAITS)).chosen.score + (right - down) * (far ? 0.1 : 0.01)));
  scorePicture.addEventListener("click", (event) => {
    if (event.target !== target) store(model, { chosen: near({ x: event.clientX - scorePicture.getBoundingClientRect().left }).name });
  });

  function draw() {
    const numbers = compute(readState(model, TRAITS));
    const drawn = drawScores(scoreLayer, numbers, Math.max(scorePicture.parentElement.clientWidth, 120));
    places = drawn.places;
    fit(scorePicture, drawn.foot);
    const { width, height } = fit(curvePicture, (wide) => clamp(wide * 0.72, 200, 260));
    drawCurve(curveLayer, numbers, width, height);
    const here = places.find(({ name }) => name === numbers.chosen.name);
    target.setAttribute("cx", here.x);
    target.setAttribute("cy", here.y);
    describe(target, numbers.chosen.score, 0, 1, `${here.name}, score ${format(here.score)}, ${here.verdict}; AP of the class ${format(numbers.summaries.coco[numbers.class], 4)}`);
    [...table.tBodies[0].rows].forEach((line, k) => {
      line.dataset.verdict = numbers.rows[k].verdict;
      line.classList.toggle("roi-row-chosen", numbers.rows[k].name === numbers.chosen.name);
    });
    panels.forEach((panel) => panel.update());
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

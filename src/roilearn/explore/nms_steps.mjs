// Greedy non-maximum suppression, a kept box at a time.

const TRAITS = ["boxes", "scores", "classes", "iou_threshold", "class_wise", "step", "chosen"];

export function compute(state) {
  const { boxes, scores, classes, iou_threshold, class_wise } = state;
  const same = (i, j) => !class_wise || classes[i] === classes[j];
  const iou = (i, j) => boxIou(boxes[i], boxes[j]);
  const order = steps(boxes.length).sort((i, j) => scores[j] - scores[i]); // of equal scores the first box first
  const { kept, decided } = suppress(order, (best, i) => same(best, i) && iou(best, i) > iou_threshold);
  const step = Math.min(state.step, kept.length);
  const now = step ? kept[step - 1] : null;
  const rivals = now === null ? [] : order.slice(0, order.indexOf(now)).filter((i) => !kept.includes(i) && same(i, now) && iou(i, now) > iou_threshold);
  const row = (i) => ({
    box: BOXES[i],
    class: classes[i],
    score: scores[i],
    iou: now === null ? null : iou(now, i),
    compared: now !== null && now !== i && decided[i].step >= step && same(now, i),
    state: stateWords(decided[i], step),
  });
  return {
    iou_threshold,
    step,
    steps: kept.length,
    now: now === null ? null : BOXES[now],
    kept: kept.slice(0, step).map((i) => BOXES[i]),
    rows: boxes.map((_, i) => row(i)),
    would_have_removed: rivals.map((i) => BOXES[i]),
  };
}

// The best box that is left is kept, and removes boxes that are left, until none is left.
function suppress(order, removes) {
  const [kept, decided] = [[], {}];
  for (const best of order) {
    if (decided[best]) continue;
    kept.push(best);
    decided[best] = { step: kept.length, by: null };
    for (const i of order) if (!decided[i] && removes(best, i)) decided[i] = { step: kept.length, by: best };
  }
  return { kept, decided };
}

function boxIou([ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]) {
  const width = Math.max(Math.min(ax2, bx2) - Math.max(ax1, bx1), 0);
  const height = Math.max(Math.min(ay2, by2) - Math.max(ay1, by1), 0);
  const shared = width * height;
  return shared > 0 ? shared / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared) : 0;
}

function stateWords(decided, step) {
  if (decided.step > step) return "waiting";
  if (decided.step === step) return decided.by === null ? "kept now" : "removed now";
  return decided.by === null ? "kept" : `removed by ${BOXES[decided.by]}`;
}

const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

// What happens in this step, in sentences.
function story({ rows, now, step, steps: last, iou_threshold, would_have_removed }) {
  if (now === null) return ["No box is decided yet. The first step will keep the box of the highest score."];
  const find = (name) => rows.find(({ box }) => box === name);
  const withIou = (found) => listed(found.map(({ box, iou }) => `${box} (IoU ${format(iou, 3)} > ${format(iou_threshold, 2)})`));
  const removed = rows.filter(({ state }) => state === "removed now");
  const others = rows.filter(({ state, iou }) => state === "waiting" && iou > iou_threshold);
  const rivals = would_have_removed.map(find);
  return [
    `Step ${step} of ${last} keeps ${now}, a ${find(now).class}, which has the highest score of the boxes left: ${format(find(now).score, 2)}.`,
    ...(rivals.length ? [`${withIou(rivals)} would have removed ${now}, but a removed box removes nothing.`] : []),
    removed.length ? `${now} removes ${withIou(removed)}.` : `${now} removes no box.`,
    ...(others.length ? [`${now} does not remove ${withIou(others)}, which ${others.length > 1 ? "have" : "has"} another class.`] : []),
    ...(step === last ? ["No box is left."] : []),
  ];
}

function boxTable() {
  const head = html("tr", {}, ...["box", "class", "score"].map((text) => html("th", { scope: "col" }, text)), html("th", { scope: "col", class: "roi-iou" }, html("span", {}, "IoU with ", readout("now"))), html("th", { scope: "col" }, "state"));
  const row = (n) => html("tr", {}, html("th", { scope: "row" }, html("span", { class: "roi-swatch", "aria-hidden": "true" }), readout(`rows.${n}.box`)), html("td", {}, readout(`rows.${n}.class`)), html("td", {}, readout(`rows.${n}.score`)), html("td", { class: "roi-iou" }, readout(`rows.${n}.iou`, 3)), html("td", {}, readout(`rows.${n}.state`)));
  return html("table", {}, html("thead", {}, head), html("tbody", {}, ...BOXES.map((_, n) => row(n))));
}

function fillTable(table, rows) {
  [...table.tBodies[0].rows].forEach((line, n) => {
    line.dataset.state = rows[n].state;
    line.classList.toggle("roi-compared", rows[n].compared);
    line.style.setProperty("--swatch", SHAPE_COLOURS[rows[n].class]);
  });
}

// The steps, by a slider and by two buttons; these stay in reach at the ends, where they do nothing.
function stepControls(model) {
  const now = () => compute(readState(model, TRAITS));
  const go = (by) => store(model, { step: clamp(now().step + by, 0, now().steps) });
  const button = (text, by) => html("button", { type: "button", click: () => go(by) }, text);
  const buttons = html("div", { class: "roi-buttons" }, button("Back", -1), button("Next step", 1));
  buttons.update = () => {
    const { step, steps: last } = now();
    [step === 0, step === last].forEach((end, n) => buttons.children[n].setAttribute("aria-disabled", end));
  };
  return controls(buttons, range({ label: "step", min: 0, max: () => now().steps, step: 1, path: "step", get: () => now().step, set: (step) => store(model, { step }) }));
}

function ruleControls(model) {
  return controls(
    range({ label: "IoU threshold", min: 0.1, max: 0.9, step: 0.05, path: "iou_threshold", digits: 2, get: () => model.get("iou_threshold"), set: (iou_threshold) => store(model, { iou_threshold }) }),
    tick({ label: "class-wise: a box removes only boxes of its class", get: () => model.get("class_wise"), set: (class_wise) => store(model, { class_wise }) }),
    choice({ label: "Box to move", options: BOXES.map((name) => [name, name]), get: () => model.get("chosen"), set: (chosen) => store(model, { chosen }) }),
  );
}

function render({ model, el }) {
  const scene = scenePicture(model);
  const [told, result] = [html("div", { class: "roi-told", role: "status" }), html("p", { class: "roi-result" })];
  const table = boxTable();
  const panels = [stepControls(model), ruleControls(model)];
  const root = frame(
    "nms-steps", "Non-maximum suppression, step by step",
    html("div", { class: "roi-split" }, html("div", {}, html("div", {}, scene.picture), panels[0]), html("div", {}, told, table, result)),
    panels[1],
    caption("Thick line: kept. Thin: waiting. Dashed: removed now. Dotted: removed before. Black rim: kept in this step. IoU in brackets: not compared in this step."),
    caption("Drag the box with grips, its edges or its corners; press on another box to choose it. The arrow keys move the box (with Shift its lower right corner)."),
  );
  el.append(root);

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    scene.draw(state, numbers);
    const lines = story(numbers);
    if (told.textContent !== lines.join("")) told.replaceChildren(...lines.map((line) => html("p", {}, line)));
    result.textContent = `${numbers.step === numbers.steps ? "Result, by descending score" : "Kept so far"}: ${numbers.kept.join(", ") || "none"}.`;
    fillTable(table, numbers.rows);
    root.classList.toggle("roi-before", numbers.now === null);
    panels.forEach((panel) => panel.update());
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// A port with one mistake: how far each stage is from the right model, and where that begins.

const TRAITS = ["port", "stage", "revealed"];
const [TOP, ROW, FOOT] = [6, 24, 40]; // CSS pixels

export function compute({ port, stage, revealed }) {
  const { rows, detections, fault } = PORTS[port];
  const here = rows[stage];
  return {
    port,
    stage,
    name: STAGES[stage],
    input: here.input_text,
    output: here.text,
    verdict: here.verdict,
    found: detections,
    expected: EXPECTED,
    fault: revealed ? fault : null,
    rows: rows.map(({ text, difference }) => ({ text, share: shareOf(difference) })),
  };
}

function shareOf(difference) {
  if (difference === null) return 1; // another number of values
  if (difference <= LEAST) return 0;
  return Math.min(1 - Math.log10(difference) / Math.log10(LEAST), 1);
}

// The columns: names, bars and numbers.
function columns(width) {
  const left = 158;
  const right = width - 80;
  return { left, right, at: (share) => left + share * (right - left) };
}

function drawRows(view, numbers, width) {
  const { left, right, at } = columns(width);
  const middle = (n) => TOP + (n + 0.5) * ROW;
  const foot = TOP + STAGES.length * ROW;
  const powers = steps(1 - Math.round(Math.log10(LEAST))).map((n) => Math.round(Math.log10(LEAST)) + n);
  const lines = powers.map((power) => svg("line", { class: "roi-axis", x1: at(shareOf(10 ** power)), x2: at(shareOf(10 ** power)), y1: TOP, y2: foot }));
  const limit = at(shareOf(TOLERANCE));
  lines.push(svg("line", { class: "roi-tolerance", x1: limit, x2: limit, y1: TOP, y2: foot }));
  const near = right - left < 240; // so narrow a place has room for the marks at its ends alone
  const marked = powers.filter((_, n) => !near || n === 0 || n === powers.length - 1);
  const marks = marked.map((power) => label(at(shareOf(10 ** power)), foot + 11, power ? `1e${power}`.replace("-", "\u2212") : "1", { class: "roi-faint" }));
  const chosen = svg("rect", { class: "roi-chosen", x: 0, y: middle(numbers.stage) - ROW / 2, width, height: ROW });
  const bars = numbers.rows.map(({ share }, n) => svg("rect", { class: "roi-bar", x: left, y: middle(n) - 7, width: share * (right - left), height: 14 }));
  const names = STAGES.map((name, n) => label(left - 6, middle(n), name, { class: n === numbers.stage ? "roi-end roi-strong" : "roi-end" }));
  const texts = numbers.rows.map(({ text }, n) => label(width - 2, middle(n), text, { class: n === numbers.stage ? "roi-end roi-strong" : "roi-end" }));
  const title = label((left + right) / 2, foot + 29, "difference / largest value", { class: "roi-faint" });
  view.replaceChildren(chosen, ...bars, ...lines, ...names, ...texts, ...marks, title);
}

function sentences() {
  const looked = html("p", {}, readout("name"), ": difference of its input ", readout("input"), ", of its output ", readout("output"), ".");
  const advice = html("p", { class: "roi-advice" });
  const found = html("p", {}, "Detections with a score above 0.5: port ", readout("port"), " has ", readout("found", 0), ", the right model ", readout("expected", 0), ".");
  const fault = html("p", {}, "The mistake is to ", readout("fault"));
  return { advice, fault, element: html("div", { class: "roi-told", role: "status" }, looked, advice, found, fault) };
}

// Every difference once more as text, for readers who do not see the bars.
function differenceTable() {
  const row = (name, n) => html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, readout(`rows.${n}.text`)));
  const head = html("tr", {}, html("th", { scope: "col" }, "stage"), html("th", { scope: "col" }, "difference"));
  return html("details", {}, html("summary", {}, "The differences as a table"), html("table", {}, html("thead", {}, head), html("tbody", {}, ...STAGES.map(row))));
}

function render({ model, el }) {
  const rows = svg("g");
  const target = handle("rect", { "aria-label": "Stage", rx: 3 });
  const picture = svg("svg", { role: "group", "aria-label": "The difference at each stage" }, rows, target);
  const told = sentences();
  const last = STAGES.length - 1;
  const put = (stage) => store(model, { stage: clamp(Math.round(stage), 0, last) });
  const panel = controls(
    choice({ label: "Port", options: Object.keys(PORTS).map((name) => [name, name]), get: () => model.get("port"), set: (port) => store(model, { port, revealed: false }) }),
    range({ label: "stage", min: 0, max: last, step: 1, path: "stage", get: () => model.get("stage"), set: put }),
    tick({ label: "tell the mistake", get: () => model.get("revealed"), set: (revealed) => store(model, { revealed }) }),
  );
  const root = frame(
    "layer-differences", "Where a port begins to differ",
    picture, told.element, panel,
    caption("Press a stage, drag the marked row, or use the arrow keys (Shift: four stages). The dashed line is the tolerance."),
    differenceTable(),
  );
  el.append(root);

  draggable(target, picture, {
    start: () => model.get("stage"),
    move: (stage, by) => put(stage + by.y / ROW),
  });
  picture.addEventListener("click", (event) => {
    const y = event.clientY - picture.getBoundingClientRect().top;
    if (y < TOP + STAGES.length * ROW) put(Math.floor((y - TOP) / ROW));
  });
  arrowKeys(target, (dx, dy, shift) => put(model.get("stage") + (dx + dy) * (shift ? 4 : 1)));

  function draw() {
    const numbers = compute(readState(model, TRAITS));
    const { width } = fit(picture, TOP + STAGES.length * ROW + FOOT);
    drawRows(rows, numbers, width);
    for (const [key, value] of Object.entries({ x: 1, y: TOP + numbers.stage * ROW + 1, width: width - 2, height: ROW - 2 })) target.setAttribute(key, value);
    describe(target, numbers.stage, 0, last, `${numbers.name}: difference of its input ${numbers.input}, of its output ${numbers.output}`);
    told.advice.textContent = ADVICE[numbers.verdict];
    told.fault.hidden = numbers.fault === null;
    root.dataset.verdict = numbers.verdict;
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// The losses of a healthy training run beside those of a patient, at one of the recorded steps.

const TRAITS = ["patient", "point", "told"];
const LOSSES = Object.keys(RECORD.runs.healthy.losses);
const NAMES = ["total", ...LOSSES];
const LAST = RECORD.steps.length - 1;

const total = (run, point) => LOSSES.reduce((sum, name) => sum + run.losses[name][point], 0);
const lossAt = (run, name, point) => (name === "total" ? total(run, point) : run.losses[name][point]);

export function compute({ patient, point, told }) {
  const [healthy, ill] = ["healthy", PATIENTS[patient]].map((name) => RECORD.runs[name]);
  return {
    patient,
    step: RECORD.steps[point],
    steps: RECORD.steps[LAST],
    rate: RECORD.rate[point],
    losses: NAMES.map((name) => {
      const [one, other] = [healthy, ill].map((run) => lossAt(run, name, point));
      return { name, healthy: one, patient: other, times: other / one };
    }),
    ap: ["boxes", "masks"].map((of) => ({ of, healthy: healthy.ap[of], patient: ill.ap[of] })),
    diagnosis: told ? DIAGNOSES[patient] : null,
  };
}

// Six charts in one picture, each with its own scale from 0; a line at the chosen step in all.

const CHART = { top: 20, left: 30, gap: 18, foot: 20, tall: 84 };

function places(width) {
  const columns = width < 520 ? 2 : 3;
  const wide = (width - columns * CHART.left - (columns - 1) * CHART.gap) / columns;
  const down = CHART.top + CHART.tall + CHART.foot;
  const at = NAMES.map((_, n) => ({
    left: CHART.left + (n % columns) * (wide + CHART.left + CHART.gap),
    top: CHART.top + Math.floor(n / columns) * down,
    wide,
  }));
  return { at, height: down * Math.ceil(NAMES.length / columns) };
}

const across = (step, { left, wide }) => left + (step / RECORD.steps[LAST]) * wide;

function nearestPoint(x, { left, wide }) {
  const step = ((x - left) / wide) * RECORD.steps[LAST];
  return RECORD.steps.reduce((best, at, n) => (Math.abs(at - step) < Math.abs(RECORD.steps[best] - step) ? n : best), 0);
}

function drawChart(name, place, runs, point) {
  const values = runs.map((run) => steps(LAST + 1).map((n) => lossAt(run, name, n)));
  const highest = Math.max(...values.flat());
  const [top, foot] = [place.top, place.top + CHART.tall];
  const path = (line) => `M${line.map((value, n) => `${across(RECORD.steps[n], place)} ${foot - (value / highest) * CHART.tall}`).join("L")}`;
  const x = across(RECORD.steps[point], place);
  const dot = (line, css) => svg("circle", { class: css, cx: x, cy: foot - (line[point] / highest) * CHART.tall, r: 4 });
  return [
    svg("path", { class: "roi-axis", d: `M${place.left} ${top}V${foot}H${place.left + place.wide}` }),
    svg("path", { class: "roi-cursor", d: `M${x} ${top}V${foot}` }),
    svg("path", { class: "roi-healthy", d: path(values[0]) }),
    svg("path", { class: "roi-patient", d: path(values[1]) }),
    dot(values[0], "roi-dot-healthy"),
    dot(values[1], "roi-dot-patient"),
    label(place.left - CHART.left + 2, top - 10, name.replace("loss_", ""), { class: "roi-start roi-strong" }),
    label(place.left - 4, top + 4, format(highest, highest < 1 ? 2 : 1), { class: "roi-end roi-faint" }),
    label(place.left - 4, foot, "0", { class: "roi-end roi-faint" }),
    label(place.left + place.wide, foot + 11, `step ${RECORD.steps[LAST]}`, { class: "roi-end roi-faint" }),
  ];
}

// The words, the table and the controls.

function lossTable() {
  const head = html("tr", {}, html("th", { scope: "col" }, "loss"), ...["healthy", "patient", "ratio"].map((name) => html("th", { scope: "col" }, name)));
  const row = (name, n) => html("tr", {}, html("th", { scope: "row" }, name.replace("loss_", "")), ...["healthy", "patient", "times"].map((what) => html("td", {}, readout(`losses.${n}.${what}`, what === "times" ? 2 : 3))));
  const ap = (of, n) => html("tr", { class: "roi-ap" }, html("th", { scope: "row" }, `AP of ${of}, end`), ...["healthy", "patient"].map((what) => html("td", {}, readout(`ap.${n}.${what}`, 1))), html("td"));
  return html("table", {}, html("thead", {}, head), html("tbody", {}, ...NAMES.map(row), ...["boxes", "masks"].map(ap)));
}

function render({ model, el }) {
  const layer = svg("g");
  const target = handle("rect", { "aria-label": "Step", rx: 4 });
  const picture = svg("svg", { class: "roi-charts", role: "group", "aria-label": "Six losses over the steps of two runs" }, layer, target);
  const diagnosis = html("p", { class: "roi-diagnosis" }, html("span", {}, "Diagnosis: "), html("span", { "data-readout": "diagnosis", "data-digits": 0 }));
  const put = (point) => store(model, { point: clamp(point, 0, LAST) });
  const panel = controls(
    choice({ label: "Patient", options: Object.keys(PATIENTS).map((name) => [name, name]), get: () => model.get("patient"), set: (patient) => store(model, { patient, told: false }) }),
    range({ label: "step", min: 0, max: LAST, step: 1, path: "step", get: () => model.get("point"), set: put }),
    tick({ label: "show the diagnosis", get: () => model.get("told"), set: (told) => store(model, { told }) }),
  );
  const told = html("p", { class: "roi-told" }, "Step ", readout("step", 0), " of ", readout("steps", 0), ": the learning rate is at ", readout("rate", 0), " % of its highest. Dashed: the healthy run. Solid: patient ", readout("patient", 0), ".");
  const root = frame(
    "loss-curves", "The losses of a healthy training run and of a patient",
    panel, html("div", {}, picture), told, html("div", {}, lossTable()), diagnosis,
    caption("Drag the line in the first chart, press a place in any of them, or use the arrow keys (Shift: five points). Each chart has its own scale, from 0. A point is the mean of the five steps up to it; the first is step 1 alone, the second the four after it. AP is in hundredths."),
  );
  el.append(root);

  let at = [];
  draggable(target, picture, {
    across: true,
    start: () => across(RECORD.steps[model.get("point")], at[0]),
    move: (x, by) => put(nearestPoint(x + by.x, at[0])),
  });
  picture.addEventListener("click", (event) => {
    if (event.target === target) return;
    const box = picture.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const hit = at.find(({ left, top, wide }) => x > left - CHART.left && x < left + wide + CHART.gap && y > top - CHART.top && y < top + CHART.tall + CHART.foot);
    if (hit) put(nearestPoint(x, hit));
  });
  arrowKeys(target, (dx, dy, shift) => put(model.get("point") + (dx - dy) * (shift ? 5 : 1)));

  function draw() {
    const state = readState(model, TRAITS);
    const numbers = compute(state);
    const runs = ["healthy", PATIENTS[state.patient]].map((name) => RECORD.runs[name]);
    const { width } = fit(picture, (wide) => places(wide).height);
    at = places(width).at;
    layer.replaceChildren(...NAMES.flatMap((name, n) => drawChart(name, at[n], runs, state.point)));
    const x = across(numbers.step, at[0]);
    for (const [key, value] of Object.entries({ x: x - 22, y: at[0].top, width: 44, height: CHART.tall })) target.setAttribute(key, value);
    diagnosis.hidden = !state.told;
    const [all] = numbers.losses;
    describe(target, numbers.step, RECORD.steps[0], numbers.steps, `step ${numbers.step}, sum of the losses ${format(all.healthy, 3)} healthy, ${format(all.patient, 3)} patient ${state.patient}`);
    panel.update();
    fill(root, numbers);
  }

  return keepDrawn(model, TRAITS, root, draw);
}

export default { render };

// The pictures of average precision: detections along an axis of scores, and precision over recall.

const MARGIN = { left: 30, right: 12, top: 26, foot: 34 };

// Along the scores: right detections filled, wrong ones hollow; equal scores stand on each other.
function drawScores(layer, { rows, chosen }, width) {
  const [from, reach] = [14, width - 28];
  const x = (score) => from + score * reach;
  const near = (one, other) => Math.abs(one.score - other.score) * reach < 19;
  const levels = rows.map((row, n) => rows.slice(0, n).filter((one) => near(row, one)).length);
  const floor = 30 + 20 * Math.max(...levels);
  const places = rows.map((row, n) => ({ ...row, x: x(row.score), y: floor - 16 - 20 * levels[n] }));
  layer.replaceChildren(
    svg("path", { class: "roi-axis", d: `M${x(0)} ${floor}H${x(1)}` }),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((at) => [
      svg("path", { class: "roi-axis", d: `M${x(at)} ${floor}v5` }),
      label(x(at), floor + 14, format(at, 2), { class: "roi-faint" }),
    ]),
    label(x(0.5), floor + 31, "score", { class: "roi-faint" }),
    ...places.flatMap((one) => [
      svg("circle", { class: `roi-detection roi-${one.verdict}${one.name === chosen.name ? " roi-chosen" : ""}`, cx: one.x, cy: one.y, r: 9 }),
      label(one.x, one.y, one.name, { class: `roi-name roi-on-${one.verdict}` }),
    ]),
  );
  return { places, foot: floor + 40 };
}

// The steps of the interpolated precision: at each recall the highest at this or any higher one.
function stepsPath(rows, x, y) {
  const corners = [...rows.map(({ recall, interpolated }) => `V${y(interpolated)}H${x(recall)}`), `V${y(0)}`];
  return `M${x(0)} ${y(rows[0].interpolated)}${corners.join("")}`;
}

function drawCurve(layer, { rows }, width, height) {
  const x = (recall) => MARGIN.left + recall * (width - MARGIN.left - MARGIN.right);
  const y = (precision) => height - MARGIN.foot - precision * (height - MARGIN.top - MARGIN.foot);
  const [recall, precision] = ["recall", "precision"].map((key) => rows.map((row) => row[key]));
  const zigzag = rows.map((row) => `L${x(row.recall)} ${y(row.precision)}`).join("");
  const shared = rows.map((row, n) => rows.slice(0, n).filter((one) => one.recall === row.recall && Math.abs(one.precision - row.precision) < 0.07).length);
  layer.replaceChildren(
    ...[0, 0.5, 1].flatMap((at) => [
      svg("path", { class: "roi-axis", d: `M${x(0)} ${y(at)}H${x(1)}M${x(at)} ${y(0)}V${y(1)}` }),
      label(x(0) - 6, y(at), format(at, 1), { class: "roi-faint roi-end" }),
      label(x(at), y(0) + 12, format(at, 1), { class: "roi-faint" }),
    ]),
    label(x(0.5), y(0) + 26, "recall", { class: "roi-faint" }),
    label(0, y(1) - 18, "precision", { class: "roi-faint roi-start" }),
    svg("path", { class: "roi-under-steps", d: `${stepsPath(rows, x, y)}H${x(0)}Z` }),
    svg("path", { class: "roi-zigzag", d: `M${x(0)} ${y(rows[0].precision)}${zigzag}` }),
    svg("path", { class: "roi-steps", d: stepsPath(rows, x, y) }),
    ...precisionAt(RECALLS_11, precision, recall).map((value, n) => svg("rect", { class: "roi-eleven", x: x(RECALLS_11[n]) - 4, y: y(value) - 4, width: 8, height: 8 })),
    ...rows.flatMap((row, n) => [
      svg("circle", { class: `roi-detection roi-${row.verdict}`, cx: x(row.recall), cy: y(row.precision), r: 4.5 }),
      label(x(row.recall) - 9 - 9 * shared[n], y(row.precision) + 9, row.name, { class: "roi-on-line roi-strong" }),
    ]),
  );
}

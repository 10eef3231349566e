// The boxes of non-maximum suppression on the example scene; the chosen one can be dragged.

const LAYERS = ["removed by", "removed now", "waiting", "kept", "kept now"]; // the last on top
const TAG = { width: 16, height: 15 };

// The outline of one box, and its name in its upper left corner; above a small box, which it would hide.
function drawnBox([x1, y1, x2, y2], { box, class: shape, state }) {
  const kind = state.replace(/ by .*/, "").replace(" ", "-");
  const top = x2 - x1 < 3 * TAG.width && y1 > TAG.height ? y1 - TAG.height : y1;
  const d = `M${x1} ${y1}H${x2}V${y2}H${x1}Z`;
  return svg(
    "g", { class: `roi-${kind}`, style: `--hue: ${SHAPE_COLOURS[shape]}` },
    svg("path", { class: "roi-rim", d }), svg("path", { class: "roi-outline", d }),
    svg("rect", { class: "roi-tag", x: x1, y: top, ...TAG }),
    label(x1 + TAG.width / 2, top + TAG.height / 2 + 0.5, box, { class: "roi-name" }),
  );
}

// How far a point is from the outline of a box.
function fromOutline({ x, y }, [x1, y1, x2, y2]) {
  const [right, down] = [Math.max(x1 - x, x - x2), Math.max(y1 - y, y - y2)];
  return right <= 0 && down <= 0 ? -Math.max(right, down) : Math.hypot(Math.max(right, 0), Math.max(down, 0));
}

// box_gestures moves a box in a feature map: here the map is the scene, a cell for each pixel.
function chosenAsBox(model) {
  const chosen = () => BOXES.indexOf(model.get("chosen"));
  const map = { length: SCENE.height, 0: { length: SCENE.width } };
  return {
    get: (name) => ({ stride: 1, features: map, box: model.get("boxes")[chosen()] })[name],
    set: (_, box) => model.set("boxes", model.get("boxes").map((one, n) => (n === chosen() ? box : one))),
    save_changes: () => model.save_changes(),
  };
}

function scenePicture(model) {
  const image = svg("image", { href: SCENE.address, preserveAspectRatio: "none" });
  const [drawn, grips] = [svg("g", { class: "roi-drawn" }), svg("path", { class: "roi-grips" })];
  const target = handle("rect", { "aria-label": "Box to move" });
  const picture = svg("svg", { class: "roi-scene", role: "group", "aria-label": "The boxes on the scene" }, image, drawn, grips, target);
  let unit = 1; // CSS pixels for an image pixel

  const choose = (at) => {
    const away = model.get("boxes").map((box) => fromOutline({ x: at.x / unit, y: at.y / unit }, box));
    store(model, { chosen: BOXES[away.indexOf(Math.min(...away))] });
  };
  const asBox = chosenAsBox(model);
  boxGestures({ model: asBox, target, picture, keys: true, tap: choose });
  picture.addEventListener("click", (event) => {
    if (event.target === target) return; // a tap of the handle, or the end of a drag
    const { left, top } = picture.getBoundingClientRect();
    choose({ x: event.clientX - left, y: event.clientY - top });
  });

  function draw({ boxes, chosen }, { rows }) {
    const { width, height } = fit(picture, (across) => (across * SCENE.height) / SCENE.width);
    unit = width / SCENE.width;
    for (const [key, value] of Object.entries({ width, height })) image.setAttribute(key, value);
    const places = boxes.map((box) => box.map((edge) => edge * unit));
    const layer = ({ state }) => LAYERS.findLastIndex((name) => state.startsWith(name));
    const order = steps(boxes.length).sort((i, j) => layer(rows[i]) - layer(rows[j]));
    drawn.replaceChildren(...order.map((n) => drawnBox(places[n], rows[n])));
    const n = BOXES.indexOf(chosen);
    placeBox({ outline: grips, target }, places[n]);
    grips.setAttribute("d", grips.getAttribute("d").replace(/^.*?Z/, "")); // its outline is drawn already
    const [x1, y1, x2, y2] = boxes[n].map((edge) => format(edge, 0));
    describe(target, boxes[n][0], 0, SCENE.width, `${chosen}: x ${x1} to ${x2}, y ${y1} to ${y2} pixels; ${rows[n].state}`);
  }

  return { picture, draw };
}

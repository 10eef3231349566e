// A box in a feature map that can be moved and resized: by its edges and corners, by arrow keys.
// Boxes are in image pixels, [x1, y1, x2, y2), whole pixels, at least one pixel long.

function boxGestures({ model, target, picture, keys, tap }) {
  const limits = () => {
    const features = model.get("features");
    return { width: features[0].length * model.get("stride"), height: features.length * model.get("stride") };
  };
  const pixelsPerUnit = () => limits().width / picture.viewBox.baseVal.width;
  const put = (box) => store(model, { box });

  function moveBox([x1, y1, x2, y2], dx, dy) {
    const { width, height } = limits();
    const right = clamp(snap(dx, 1), -x1, width - x2);
    const down = clamp(snap(dy, 1), -y1, height - y2);
    put([x1 + right, y1 + down, x2 + right, y2 + down]);
  }

  function moveEdges(box, edges, dx, dy) {
    const { width, height } = limits();
    let [x1, y1, x2, y2] = box;
    if (edges.left) x1 = clamp(snap(x1 + dx, 1), 0, x2 - 1);
    if (edges.right) x2 = clamp(snap(x2 + dx, 1), x1 + 1, width);
    if (edges.top) y1 = clamp(snap(y1 + dy, 1), 0, y2 - 1);
    if (edges.bottom) y2 = clamp(snap(y2 + dy, 1), y1 + 1, height);
    put([x1, y1, x2, y2]);
  }

  // Which edges a press is near to; none: the whole box. A finger is less exact than a mouse.
  function edgesAt({ x, y, touch }) {
    const [x1, y1, x2, y2] = model.get("box").map((side) => side / pixelsPerUnit());
    const near = (at, edge, length) => Math.abs(at - edge) <= Math.min(touch ? 16 : 8, Math.max(length / 4, 4));
    return {
      left: near(x, x1, x2 - x1),
      right: near(x, x2, x2 - x1),
      top: near(y, y1, y2 - y1),
      bottom: near(y, y2, y2 - y1),
    };
  }

  const any = (edges) => Object.values(edges).some(Boolean);
  draggable(target, picture, {
    start: (at) => ({ box: model.get("box"), edges: edgesAt(at) }),
    move: ({ box, edges }, by) => {
      const [dx, dy] = [by.x * pixelsPerUnit(), by.y * pixelsPerUnit()];
      if (any(edges)) moveEdges(box, edges, dx, dy);
      else moveBox(box, dx, dy);
    },
    tap,
  });
  target.addEventListener("pointermove", (event) => {
    const place = picture.getBoundingClientRect();
    const { left, right, top, bottom } = edgesAt({ x: event.clientX - place.left, y: event.clientY - place.top });
    const corner = (left && top) || (right && bottom) ? "nwse" : "nesw";
    const across = left || right;
    target.style.cursor = !across && !(top || bottom) ? "move" : `${across ? (top || bottom ? corner : "ew") : "ns"}-resize`;
  });
  if (keys)
    arrowKeys(target, (dx, dy, shift) => {
      const box = model.get("box");
      if (shift) moveEdges(box, { right: dx !== 0, bottom: dy !== 0 }, dx, dy);
      else moveBox(box, dx, dy);
    });
}

// The true box with corner grips, and the target that catches presses a little outside it.
function placeBox({ outline, target }, [x1, y1, x2, y2]) {
  const place = (element, out) => {
    const sides = { x: x1 - out, y: y1 - out, width: x2 - x1 + 2 * out, height: y2 - y1 + 2 * out };
    for (const [key, value] of Object.entries(sides)) element.setAttribute(key, value);
  };
  const corners = [[x1, y1], [x2, y1], [x1, y2], [x2, y2]];
  outline.setAttribute(
    "d",
    `M${x1} ${y1}H${x2}V${y2}H${x1}Z` + corners.map(([x, y]) => `M${x - 3} ${y - 3}h6v6h-6z`).join(""),
  );
  place(target, 7);
}

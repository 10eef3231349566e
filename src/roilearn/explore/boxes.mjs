// Boxes, as roilearn.reference.boxes has them, in the same order of arithmetic in float64: anchors, IoU
// and deltas. A box is x1, y1, x2, y2 in image pixels, x2 and y2 exclusive.

// The anchors of one size at one cell, about the origin: one for each ratio, height : width.
function baseAnchors(size, ratios, rounded) {
  return ratios.map((ratio) => {
    const [width, height] = [size / Math.sqrt(ratio), size * Math.sqrt(ratio)];
    const edges = [-width / 2, -height / 2, width / 2, height / 2];
    return rounded ? edges.map(halfEven) : edges;
  });
}

// Where the anchors of each cell are centred, row by row; offset 0.5 is the centre of the cell.
function anchorCentres([rows, columns], stride, offset) {
  return steps(rows).flatMap((row) => steps(columns).map((column) => [(column + offset) * stride, (row + offset) * stride]));
}

function generateAnchors(featureSize, stride, size, ratios, offset, rounded) {
  const shapes = baseAnchors(size, ratios, rounded);
  return anchorCentres(featureSize, stride, offset).flatMap(([x, y]) => shapes.map(([x1, y1, x2, y2]) => [x1 + x, y1 + y, x2 + x, y2 + y]));
}

function boxIou([ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]) {
  const width = Math.max(Math.min(ax2, bx2) - Math.max(ax1, bx1), 0);
  const height = Math.max(Math.min(ay2, by2) - Math.max(ay1, by1), 0);
  const shared = width * height;
  return shared > 0 ? shared / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared) : 0;
}

function centreAndSize([x1, y1, x2, y2]) {
  const [width, height] = [x2 - x1, y2 - y1];
  return { x: x1 + 0.5 * width, y: y1 + 0.5 * height, width, height };
}

// dx, dy in widths and heights of the anchor; dw, dh: logarithms of the ratios of widths and heights.
function encodeBox(box, anchor) {
  const [to, from] = [box, anchor].map(centreAndSize);
  return [(to.x - from.x) / from.width, (to.y - from.y) / from.height, Math.log(to.width / from.width), Math.log(to.height / from.height)];
}

// Pasting, as roilearn.reference.paste_masks_in_image has it, in the same order of arithmetic in float64:
// a small mask spread over its box, read at every pixel, and the pixels where it differs from the truth.

function trueMask(shape) {
  const { first, spans } = OBJECTS[shape];
  const inside = (row, column) => row >= first && row < first + spans.length && column >= spans[row - first][0] && column < spans[row - first][1];
  return steps(SCENE.height).map((row) => steps(SCENE.width).map((column) => inside(row, column)));
}

// Probabilities, stored in 255ths.
function maskCells(shape, side) {
  const values = [...atob(OBJECTS[shape].cells[side])].map((letter) => letter.charCodeAt(0) / 255);
  return steps(side).map((row) => values.slice(row * side, (row + 1) * side));
}

function padded(cells) {
  const framed = zeros(cells.length + 2 * PADDING, cells.length + 2 * PADDING);
  cells.forEach((line, row) => framed[row + PADDING].splice(PADDING, line.length, ...line));
  return framed;
}

// Box of the padded mask. To read the corners of pixels is to read their centres with the box half a
// pixel further to the right and down.
function pastedRegion([x1, y1, x2, y2], side, halfPixels, rounded) {
  const [growX, growY] = [((x2 - x1) * PADDING) / side, ((y2 - y1) * PADDING) / side];
  const grown = [x1 - growX, y1 - growY, x2 + growX, y2 + growY];
  const region = rounded ? grown.map((edge, n) => Math.trunc(edge) + (n < 2 ? 0 : 1)) : grown;
  return region.map((edge) => edge + (halfPixels ? 0 : 0.5));
}

// As roilearn.reference.paste_masks_in_image has it: bilinear at the centre of each pixel in the region.
function paste({ shape, side, box }, halfPixels, rounded) {
  const cells = padded(maskCells(shape, side));
  const [x1, y1, x2, y2] = pastedRegion(box, side, halfPixels, rounded);
  return steps(SCENE.height).map((row) =>
    steps(SCENE.width).map((column) => {
      const x = column + 0.5;
      const y = row + 0.5; // the centre of the pixel
      if (x < x1 || x >= x2 || y < y1 || y >= y2) return false;
      const i = ((y - y1) * cells.length) / (y2 - y1) - 0.5;
      const j = ((x - x1) * cells.length) / (x2 - x1) - 0.5;
      return bilinear(cells, i, j) > THRESHOLD;
    }),
  );
}

// Pixels as [row, column]: those in both masks, and those in one alone.
function compare(truth, mask) {
  const pixels = { shared: [], missing: [], extra: [] };
  mask.forEach((line, row) =>
    line.forEach((here, column) => {
      if (!here && !truth[row][column]) return;
      const kind = !here ? "missing" : truth[row][column] ? "shared" : "extra";
      pixels[kind].push([row, column]);
    }),
  );
  return pixels;
}

function countErrors({ shared, missing, extra }) {
  const wrong = missing.length + extra.length;
  return { missing: missing.length, extra: extra.length, wrong, iou: shared.length ? shared.length / (shared.length + wrong) : 0 };
}

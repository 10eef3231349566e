// The operators, as roilearn.reference has them: same names, same order of arithmetic in float64,
// so that every figure's numbers equal the reference's. Positions are index coordinates.

const halfAway = (value) => {
  const whole = Math.trunc(value);
  return whole + Math.sign(value) * (Math.abs(value - whole) >= 0.5 ? 1 : 0);
};

const halfEven = (value) => {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
};

const ROUNDING = { floor: Math.floor, half_away: halfAway, half_even: halfEven };

function neighbours(position, size) {
  const inside = clamp(position, 0, size - 1);
  const low = Math.floor(inside);
  return { low, high: Math.min(low + 1, size - 1), fraction: inside - low };
}

function bilinearWeights(row, column, height, width) {
  const { low: top, high: bottom, fraction: down } = neighbours(row, height);
  const { low: left, high: right, fraction: across } = neighbours(column, width);
  return [
    { row: top, column: left, weight: (1 - down) * (1 - across) },
    { row: top, column: right, weight: (1 - down) * across },
    { row: bottom, column: left, weight: down * (1 - across) },
    { row: bottom, column: right, weight: down * across },
  ];
}

function bilinear(image, row, column) {
  const weights = bilinearWeights(row, column, image.length, image[0].length);
  return weights.reduce((sum, one) => sum + one.weight * image[one.row][one.column], 0);
}

function binEdges(first, last, bins, limit) {
  const binSize = Math.max(last - first + 1, 1) / bins;
  return steps(bins).map((i) => [
    clamp(first + Math.floor(i * binSize), 0, limit),
    clamp(first + Math.ceil((i + 1) * binSize), 0, limit),
  ]);
}

const zeros = (height, width) => steps(height).map(() => Array(width).fill(0));

// RoIPool of one box on one channel: the rounded box, its bins, each bin's winner, and the gradient
// that a 1 arriving at every bin sends back.
function roiPool(features, box, [height, width], scale) {
  const [x1, y1, x2, y2] = box.map((side) => halfAway(side * scale));
  const rows = binEdges(y1, y2, height, features.length);
  const columns = binEdges(x1, x2, width, features[0].length);
  const winners = rows.map((down) => columns.map((across) => winner(features, down, across)));
  const output = winners.map((line) => line.map((place) => (place ? features[place[0]][place[1]] : 0)));
  const gradient = zeros(features.length, features[0].length);
  winners.flat().forEach((place) => place && (gradient[place[0]][place[1]] += 1));
  return { corners: [x1, y1, x2, y2], rows, columns, winners, output, gradient };
}

// The first largest cell in reading order; null for an empty bin.
function winner(features, [top, bottom], [left, right]) {
  let best = null;
  for (let row = top; row < bottom; row += 1)
    for (let column = left; column < right; column += 1)
      if (!best || features[row][column] > features[best[0]][best[1]]) best = [row, column];
  return best;
}

function samplePositions(start, length, bins, ratio) {
  const binSize = length / bins;
  const samples = ratio > 0 ? ratio : Math.max(Math.ceil(length / bins), 0);
  return steps(bins).map((i) => steps(samples).map((s) => start + i * binSize + ((s + 0.5) * binSize) / samples));
}

const inBand = (position, size) => position >= -1 && position <= size;

// Every sample of one bin: where it reads and what; outside the one-cell band it reads nothing.
function binSamples(features, rows, columns) {
  return rows.flatMap((row) =>
    columns.map((column) => {
      const counts = inBand(row, features.length) && inBand(column, features[0].length);
      return { row, column, counts, value: counts ? bilinear(features, row, column) : 0 };
    }),
  );
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);

const binAverage = (samples) => total(samples.map((sample) => sample.value)) / Math.max(samples.length, 1);

// Spread a gradient of 1 from one bin over the cells that its samples read.
function spreadBin(gradient, samples) {
  for (const sample of samples.filter((one) => one.counts))
    for (const { row, column, weight } of bilinearWeights(sample.row, sample.column, gradient.length, gradient[0].length))
      gradient[row][column] += weight / samples.length;
}

// RoIAlign of one box on one channel, with the gradient that a 1 arriving at every bin sends back.
function roiAlign(features, box, [height, width], scale, ratio, aligned) {
  const [x1, y1, x2, y2] = box.map((side) => side * scale - (aligned ? 0.5 : 0));
  const [tall, wide] = [y2 - y1, x2 - x1].map((side) => (aligned ? side : Math.max(side, 1)));
  const rows = samplePositions(y1, tall, height, ratio);
  const columns = samplePositions(x1, wide, width, ratio);
  const bins = rows.map((down) => columns.map((across) => binSamples(features, down, across)));
  const gradient = zeros(features.length, features[0].length);
  bins.flat().forEach((samples) => spreadBin(gradient, samples));
  return { region: [x1, y1, x1 + wide, y1 + tall], rows, columns, bins, output: bins.map((line) => line.map(binAverage)), gradient };
}

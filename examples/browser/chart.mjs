// A series on a canvas: price coloured by regime, and below it one lane for each regime.

const MARGIN = { top: 26, right: 14, bottom: 26, left: 76 };
const LANE = { height: 13, gap: 4, above: 14 };

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} series
 * @param {string} series.title of the values
 * @param {string[]} series.times one for every bar, as they stand in the table
 * @param {ArrayLike<number>} series.values drawn on a logarithmic axis if all are positive
 * @param {number[]} series.regime -1 where there is none
 * @param {string[]} names of the regimes
 * @param {number} [marked] bar under the pointer
 */
export function drawChart(canvas, { title, times, values, regime }, names, marked = -1) {
  const { context, width, height } = prepare(canvas);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const lanes = height - MARGIN.bottom - names.length * (LANE.height + LANE.gap) + LANE.gap;
  const x = horizontal(width, values.length);
  const { y, ticks, logarithmic } = vertical(values, MARGIN.top, lanes - LANE.above);

  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "middle";
  drawGrid(context, colour, width, height, { y, ticks, x, times: timeTicks(times, width / 90) });
  context.textAlign = "left";
  context.fillText(logarithmic ? `${title}, logarithmic` : title, MARGIN.left, MARGIN.top / 2 - 2);

  context.lineJoin = "round";
  context.lineWidth = 1.8;
  for (let k = -1; k < names.length; k++) {
    context.strokeStyle = context.fillStyle = colour(regimeColour(k));
    context.beginPath();
    for (let t = 1; t < values.length; t++) {
      // A segment has the colour of its later bar: what was known then.
      if (regime[t] !== k) continue;
      if (t === 1 || regime[t - 1] !== k) context.moveTo(x(t - 1), y(values[t - 1]));
      context.lineTo(x(t), y(values[t]));
    }
    context.stroke();
    if (k < 0) continue;
    const top = lanes + k * (LANE.height + LANE.gap);
    for (const [start, end] of spells(regime, k)) {
      context.fillRect(
        x(start - 0.5),
        top,
        Math.max(x(end - 0.5) - x(start - 0.5), 1),
        LANE.height,
      );
    }
    context.fillStyle = colour("muted");
    context.textAlign = "right";
    context.fillText(names[k], MARGIN.left - 10, top + LANE.height / 2 + 0.5, MARGIN.left - 14);
  }
  if (marked >= 0) {
    context.strokeStyle = colour("muted");
    context.lineWidth = 1;
    stroke(context, [x(marked), MARGIN.top], [x(marked), height - MARGIN.bottom]);
    context.fillStyle = colour(regimeColour(regime[marked]));
    context.beginPath();
    context.arc(x(marked), y(values[marked]), 4, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The bar nearest to a horizontal position, in CSS pixels from the canvas's left edge. */
export function barAt(canvas, position, bars) {
  const share = (position - MARGIN.left) / (canvas.clientWidth - MARGIN.left - MARGIN.right);
  return Math.round(Math.min(Math.max(share, 0), 1) * (bars - 1));
}

/** Name of the CSS variable that holds a regime's colour; more regimes repeat them. */
export function regimeColour(k) {
  return k < 0 ? "regime-none" : `regime-${k % 7}`;
}

function prepare(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = window.devicePixelRatio;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

function horizontal(width, bars) {
  const step = (width - MARGIN.left - MARGIN.right) / Math.max(bars - 1, 1);
  return (t) => MARGIN.left + Math.min(Math.max(t, 0), bars - 1) * step;
}

function vertical(values, top, bottom) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low === high) [low, high] = [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const scale = low > 0 ? Math.log : (value) => value;
  const share = (value) => (scale(value) - scale(low)) / (scale(high) - scale(low));
  return {
    y: (value) => bottom - share(value) * (bottom - top),
    ticks: low > 0 && high / low > 20 ? decades(low, high) : rounds(low, high),
    logarithmic: low > 0,
  };
}

/** Round numbers between two, about six of them. */
function rounds(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** 1, 2 and 5 times the powers of ten between two. */
function decades(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    ticks.push(...[1, 2, 5].map((factor) => Number((factor * 10 ** power).toPrecision(12))));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** The first bars of minutes, hours, ... decades: of the finest period that gives few enough. */
function timeTicks(times, most) {
  if (!times.every((time) => /^\d{4}-\d{2}/.test(time))) {
    return rounds(0, times.length - 1)
      .filter(Number.isInteger)
      .map((t) => ({ t, label: times[t] }));
  }
  const candidates = PERIODS.map((period) =>
    times.flatMap((time, t) =>
      t > 0 && period(time) !== period(times[t - 1]) ? [{ t, label: period(time) }] : [],
    ),
  );
  return candidates.find((ticks) => ticks.length <= most) ?? [];
}

/** Of times that begin like 2018-12-31 23:59, the finest first. */
const PERIODS = [
  ...[16, 13, 10, 7].map((length) => (time) => time.slice(0, length)),
  (time) =>
    `${time.slice(0, 5)}${["01", "04", "07", "10"][Math.floor((time.slice(5, 7) - 1) / 3)]}`,
  ...[1, 2, 5, 10, 50].map((n) => (time) => String(time.slice(0, 4) - (time.slice(0, 4) % n))),
];

function drawGrid(context, colour, width, height, { y, ticks, x, times }) {
  context.strokeStyle = colour("grid");
  context.fillStyle = colour("muted");
  context.lineWidth = 1;
  context.textAlign = "right";
  for (const tick of ticks) {
    stroke(context, [MARGIN.left, y(tick)], [width - MARGIN.right, y(tick)]);
    context.fillText(String(tick), MARGIN.left - 10, y(tick));
  }
  context.textAlign = "center";
  for (const { t, label } of times) {
    stroke(context, [x(t), MARGIN.top], [x(t), height - MARGIN.bottom + 4]);
    context.fillText(label, x(t), height - MARGIN.bottom / 2 + 2);
  }
}

function stroke(context, [x0, y0], [x1, y1]) {
  context.beginPath();
  context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.stroke();
}

/** Uninterrupted stretches of one regime, as [first bar, bar after the last]. */
function* spells(regime, k) {
  for (let start = regime.indexOf(k); start >= 0;) {
    let end = start;
    while (regime[end] === k) end++;
    yield [start, end];
    start = regime.indexOf(k, end);
  }
}

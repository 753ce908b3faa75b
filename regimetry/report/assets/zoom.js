// Figures over time show the same stretch; one with a base line fits its height to it.

const linked = [...document.querySelectorAll(".plot[data-keys]")];
let following = false;

function stretchOf(plot) {
  const axis = plot._fullLayout.xaxis;
  return axis.range.map((end) => axis.r2l(end));
}

/** The range of values of the figure's base line within a stretch, as its axis counts. */
function heightOf(plot, [from, to]) {
  const base = plot._fullData.find((trace) => trace.meta?.base);
  if (!base) return null;
  let [low, high] = [Infinity, -Infinity];
  base.x.forEach((x, i) => {
    const y = base.y[i];
    if (x < from || x > to || Number.isNaN(y)) return;
    low = Math.min(low, y);
    high = Math.max(high, y);
  });
  if (low > high) return null;
  const ends = plot._fullLayout.yaxis.type === "log" ? [Math.log10(low), Math.log10(high)] : [low, high];
  const room = 0.04 * (ends[1] - ends[0]) || 0.5;
  return [ends[0] - room, ends[1] + room];
}

async function follow(source, stretch) {
  if (following) return;
  following = true;
  try {
    for (const plot of linked) {
      const update = {};
      const shown = stretchOf(plot);
      const apart = shown.some((end, i) => Math.abs(end - stretch[i]) > 1e-6 * Math.abs(stretch[1] - stretch[0]));
      if (apart) update["xaxis.range"] = stretch;
      const height = heightOf(plot, stretch);
      if (height) update["yaxis.range"] = height;
      if (Object.keys(update).length) await Plotly.relayout(plot, update);
    }
  } finally {
    following = false;
  }
}

/** Move or zoom by keys: by a quarter of what is shown. */
function stretchAfter(key, [from, to], [first, last]) {
  const quarter = (to - from) / 4;
  const moves = {
    ArrowLeft: [from - quarter, to - quarter],
    ArrowRight: [from + quarter, to + quarter],
    "+": [from + quarter, to - quarter],
    "=": [from + quarter, to - quarter],
    "-": [from - 2 * quarter, to + 2 * quarter],
    0: [first, last],
    Home: [first, last],
  };
  return moves[key];
}

function linkZoom() {
  const whole = stretchOf(linked[0]);
  for (const plot of linked) {
    plot.on("plotly_relayout", (change) => {
      if (Object.keys(change).some((key) => key.startsWith("xaxis.autorange"))) return follow(plot, whole);
      if (Object.keys(change).some((key) => key.startsWith("xaxis.range"))) return follow(plot, stretchOf(plot));
    });
    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const stretch = stretchAfter(event.key, stretchOf(plot), whole);
      if (!stretch) return;
      event.preventDefault();
      follow(plot, stretch);
    });
  }
}

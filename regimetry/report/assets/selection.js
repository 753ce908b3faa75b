// A click on a regime, in the legend, a table or a figure, filters every figure.

const selected = new Set();
const picks = [...document.querySelectorAll("button[data-regime]")];

function isShown(regime) {
  return !selected.size || selected.has(regime);
}

function toggle(regime) {
  if (!selected.delete(regime)) selected.add(regime);
  return showSelection();
}

/** Put a veil over the rows of a heatmap that are not selected. */
function cover(plot) {
  const shapes = (plot.layout.shapes ?? []).filter((shape) => shape.name !== "cover");
  for (const trace of plot.data.filter((trace) => trace.meta?.rows)) {
    for (const row of selected.size ? trace.y : []) {
      if (selected.has(row)) continue;
      const place = { xref: "paper", x0: 0, x1: 1, yref: trace.yaxis ?? "y", y0: row - 0.5, y1: row + 0.5 };
      const fillcolor = css("--page");
      shapes.push({ type: "rect", name: "cover", ...place, fillcolor, opacity: 0.85, line: { width: 0 } });
    }
  }
  plot.layout.shapes = shapes;
}

/** Hide or fade the traces of a figure whose regimes are not selected. */
function filter(plot) {
  for (const trace of plot.data) {
    const regime = trace.meta?.regime;
    if (regime === undefined) continue;
    if (trace.meta.fade) trace.opacity = isShown(regime) ? 1 : 0.15;
    else trace.visible = isShown(regime);
  }
  cover(plot);
}

async function showSelection() {
  document.body.classList.toggle("picking", selected.size > 0);
  document.querySelector("#all").hidden = !selected.size;
  for (const pick of picks)
    pick.setAttribute("aria-pressed", String(selected.has(Number(pick.dataset.regime))));
  for (const row of document.querySelectorAll("tr[data-regime]"))
    row.classList.toggle("off", !isShown(Number(row.dataset.regime)));
  for (const plot of plots()) {
    filter(plot);
    await Plotly.react(plot, plot.data, plot.layout);
  }
}

function showAll() {
  selected.clear();
  return showSelection();
}

for (const pick of picks)
  pick.addEventListener("click", () => toggle(Number(pick.dataset.regime)));
document.querySelector("#all").addEventListener("click", showAll);
document.addEventListener("keydown", (event) => event.key === "Escape" && selected.size && showAll());
document.querySelector("#legend").classList.toggle("many", document.querySelectorAll(".chip").length > 12);

// The theme: the system's until the reader chooses. Plots take their greys from the style sheet.

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const plots = () => [...document.querySelectorAll(".plot.drawn")];
let chosen = null;

function css(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

function theme() {
  return chosen ?? (system.matches ? "dark" : "light");
}

/** Give a figure's layout and traces the theme's colours. */
function dress(data, layout) {
  const [ink, muted, line, grid] = ["--ink", "--muted", "--line", "--grid"].map(css);
  Object.assign(layout, { paper_bgcolor: css("--page"), plot_bgcolor: css("--page") });
  layout.font = { ...layout.font, color: ink };
  layout.hoverlabel = { bgcolor: css("--raised"), bordercolor: line, font: { color: ink } };
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: ink };
  for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
    Object.assign(layout[key], { gridcolor: grid, linecolor: line, zerolinecolor: grid });
    if (layout[key].rangeslider)
      Object.assign(layout[key].rangeslider, { bgcolor: css("--raised"), bordercolor: line });
  }
  for (const shape of layout.shapes ?? []) if (shape.name !== "cover") shape.line.color = muted;
  const stops = [0, 0.02, 0.2, 1];
  for (const trace of data) {
    if (trace.meta?.ink) trace.line.color = css(`--${trace.meta.ink}`);
    if (trace.meta?.rows) trace.colorscale = css("--scale").split(" ").map((c, i) => [stops[i], c]);
  }
}

function showTheme() {
  root.dataset.theme = theme();
  document.querySelector("#theme span").textContent = theme() === "dark" ? "Light" : "Dark";
}

async function changeTheme() {
  showTheme();
  for (const plot of plots()) {
    dress(plot.data, plot.layout);
    cover(plot);
    await Plotly.react(plot, plot.data, plot.layout);
  }
}

showTheme();
document.querySelector("#theme").addEventListener("click", () => {
  chosen = theme() === "dark" ? "light" : "dark";
  return changeTheme();
});
system.addEventListener("change", changeTheme);

// Unpack plotly.js, draw every figure, and make ready for paper.

const PAPER = 690; // pixels between A4's margins
const CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  toImageButtonOptions: { format: "svg" },
};

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
}

async function start() {
  const figures = JSON.parse(document.querySelector("#figures").textContent);
  await unpack(document.querySelector("#library").textContent);
  for (const [name, figure] of Object.entries(figures)) {
    const plot = document.getElementById(name);
    // A responsive plot takes its height from its place.
    plot.style.height = `${figure.layout.height}px`;
    delete figure.layout.height;
    dress(figure.data, figure.layout);
    await Plotly.newPlot(plot, figure.data, figure.layout, CONFIG);
    plot.classList.add("drawn");
    plot.on("plotly_click", ({ points }) => {
      const regime = points[0].data.meta?.regime;
      if (regime !== undefined) toggle(regime);
    });
  }
  linkZoom();
  document.body.dataset.ready = "true";
}

addEventListener("beforeprint", () => {
  root.dataset.theme = "light";
  for (const plot of plots()) {
    dress(plot.data, plot.layout);
    cover(plot);
    Plotly.react(plot, plot.data, { ...plot.layout, width: PAPER, autosize: false });
  }
});
addEventListener("afterprint", () => {
  for (const plot of plots()) {
    plot.layout.width = undefined;
    plot.layout.autosize = true;
  }
  return changeTheme();
});

start().catch((error) => {
  const trouble = document.querySelector("#trouble");
  trouble.textContent = `The figures cannot be drawn (${error.message}). They need a browser of 2023 or later; the tables do not.`;
  trouble.hidden = false;
  throw error;
});

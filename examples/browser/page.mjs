// The page: files in, labels and a picture out. Everything runs in this tab.

import { labelsToCsv, parseTable, toBars } from "../javascript/bars.mjs";
import { readContract } from "../javascript/contract.mjs";
import { compareWithGolden, describeFound } from "../javascript/golden.mjs";
import { labelBars } from "../javascript/regimes.mjs";
import { barAt, drawChart, regimeColour } from "./chart.mjs";
import * as ort from "./vendor/ort.wasm.bundle.min.mjs";

ort.env.wasm.numThreads = 1; // more need cross-origin isolation headers from the server

const MODEL = new URLSearchParams(location.search).get("model") ?? "../../models/sp500.onnx";
const $ = (id) => document.getElementById(id);

let model = null; // { name, contract, session }
let shown = null; // { times, columns: { name: values }, regime, novelty }
let marked = -1;

async function openModel(name, bytes) {
  const contract = readContract(bytes);
  model = { name, contract, session: await ort.InferenceSession.create(bytes) };
  shown = null;
  $("legend").replaceChildren();
  redraw();
  const { training, schema } = contract;
  const columns = schema.map((column) => column.name).join(", ");
  $("model").textContent =
    `${name}: ${contract.regimes.length} regimes of windows of ${contract.window_size} bars, ` +
    `fitted on ${training.rows} bars` +
    (training.start ? `, ${training.start} to ${training.end}.` : ".");
  $("columns").textContent =
    `The model reads the columns ${columns}. ` +
    "Another model (.onnx) and its golden file (.json) can be dropped as well.";
  showGolden([], "No golden file was compared with this model yet.");
}

async function openGolden(name, golden) {
  if (!model) throw new Error("There is no model; drop one (.onnx) first.");
  const started = performance.now();
  const checks = await compareWithGolden(ort, model.session, golden);
  showGolden(
    checks,
    `${name}: ${golden.window.length} windows through onnxruntime-web ` +
      `${ort.env.versions.web} (WebAssembly, one thread) in ${seconds(started)}. ` +
      "Differences are relative to the largest magnitude of the output.",
  );
  if (shown) return;
  const bars = consecutiveBars(golden);
  await showSeries(`The golden file's first ${bars.length} bars`, {
    times: bars.map((_, t) => String(t)),
    bars: Float32Array.from(bars.flat()),
    columns: Object.fromEntries(
      featureNames().map((feature, f) => [feature, bars.map((bar) => bar[f])]),
    ),
  });
}

async function openTable(name, csv) {
  if (!model) throw new Error("There is no model; drop one (.onnx) first.");
  const table = parseTable(csv);
  const bars = toBars(table, model.contract);
  const read = (column) =>
    table.rows.map((row) => (row[column] === "" ? NaN : Number(row[column])));
  const columns = table.names.map((column, i) => [column, read(i)]);
  const numeric = columns.filter(([, values]) => values.every(Number.isFinite));
  await showSeries(name, {
    times: table.rows.map((row) => row[0]),
    bars,
    columns: Object.fromEntries(numeric),
  });
  URL.revokeObjectURL($("download").href);
  const labels = new Blob([labelsToCsv(table, shown)], { type: "text/csv" });
  $("download").href = URL.createObjectURL(labels);
  $("download").hidden = false;
}

/** The first windows of a golden file follow each other: the rows of the first, then one of each. */
function consecutiveBars({ window, labels_from_start: labels }) {
  return [...window[0], ...window.slice(1, labels.length).map((rows) => rows.at(-1))];
}

function featureNames() {
  return model.contract.schema.flatMap(({ name, categories }) =>
    categories === null ? name : categories.map((category) => `${name}=${category}`),
  );
}

async function showSeries(title, { times, bars, columns }) {
  const started = performance.now();
  $("progress").hidden = false;
  try {
    const labels = await labelBars(ort, model.session, bars, model.contract, async (share) => {
      $("progress").value = share;
      await new Promise((resume) => setTimeout(resume)); // let the page draw
    });
    shown = { times, columns, ...labels };
  } finally {
    $("progress").hidden = true;
  }
  marked = -1;
  $("series").textContent = title;
  $("download").hidden = true;
  $("status").textContent =
    `${times.length} bars labelled in ${seconds(started)}; bar t uses bars up to t.`;
  $("column").replaceChildren(...Object.keys(columns).map((name) => new Option(name)));
  $("column").value = featureNames().find((name) => name in columns);
  $("choice").hidden = Object.keys(columns).length < 2;
  showLegend();
  redraw();
}

function showLegend() {
  const labelled = shown.regime.filter((k) => k >= 0).length;
  $("legend").replaceChildren(
    ...model.contract.regimes.map(({ name }, k) => {
      const [item, swatch, share] = ["li", "i", "span"].map((tag) => document.createElement(tag));
      swatch.style.background = `var(--${regimeColour(k)})`;
      const bars = shown.regime.filter((regime) => regime === k).length;
      share.textContent = ` ${((100 * bars) / labelled).toFixed(1)}%`;
      item.append(swatch, name, share);
      return item;
    }),
  );
}

function showGolden(checks, note) {
  const passed = checks.every((check) => check.passed);
  $("verdict").textContent = checks.length ? (passed ? "✓ passed" : "✗ failed") : "";
  $("verdict").className = passed ? "pass" : "fail";
  $("golden").hidden = !checks.length;
  $("golden").tBodies[0].replaceChildren(
    ...checks.map((check) => {
      const row = document.createElement("tr");
      const allowed = check.limit === 0 ? "none" : check.limit.toExponential(0);
      const cells = [check.output, describeFound(check), allowed, check.passed ? "✓" : "✗"];
      for (const text of cells) row.insertCell().textContent = text;
      row.cells[3].className = check.passed ? "pass" : "fail";
      return row;
    }),
  );
  $("golden-note").textContent = note;
}

function redraw() {
  const chart = $("chart");
  if (!shown) {
    $("readout").textContent = "\u00a0";
    return chart.getContext("2d").clearRect(0, 0, chart.width, chart.height);
  }
  const names = model.contract.regimes.map((regime) => regime.name);
  const title = $("column").value;
  const values = shown.columns[title];
  const describe = (t) =>
    [
      shown.times[t],
      `${title} ${Number(values[t].toPrecision(7))}`,
      shown.regime[t] < 0
        ? "no full window yet"
        : `${names[shown.regime[t]]}  ·  novelty ${shown.novelty[t].toFixed(2)}`,
    ].join("  ·  ");
  const last = `Last bar: ${describe(values.length - 1)}`;
  $("readout").textContent = marked < 0 ? last : describe(marked);
  chart.setAttribute("aria-label", `${title} coloured by regime, ${values.length} bars. ${last}`);
  drawChart(chart, { ...shown, title, values }, names, marked);
}

const openers = {
  onnx: async (file) => openModel(file.name, new Uint8Array(await file.arrayBuffer())),
  json: async (file) => openGolden(file.name, JSON.parse(await file.text())),
  csv: async (file) => openTable(file.name, await file.text()),
};

let queue = Promise.resolve(); // a session runs one batch at a time
function enqueue(task) {
  queue = queue.then(task).catch((error) => {
    $("error").textContent += `${error.message} `;
  });
}

function openFiles(files) {
  const kindOf = (file) => file.name.split(".").at(-1).toLowerCase();
  enqueue(() => {
    const other = files.filter((file) => !(kindOf(file) in openers)).map((file) => file.name);
    $("error").textContent = other.length
      ? `${other.join(", ")}: no .csv, .onnx or .json file. `
      : "";
  });
  for (const kind of Object.keys(openers)) {
    // the model first
    for (const file of files) if (kindOf(file) === kind) enqueue(() => openers[kind](file));
  }
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} cannot be read (${response.status}).`);
  return response;
}

function nameOf(url) {
  return url.split("/").at(-1);
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(2)} s`;
}

$("files").addEventListener("change", (event) => openFiles([...event.target.files]));
$("column").addEventListener("change", redraw);
$("chart").addEventListener("pointermove", (event) => {
  if (shown) marked = barAt($("chart"), event.offsetX, shown.times.length);
  redraw();
});
$("chart").addEventListener("pointerleave", () => {
  marked = -1;
  redraw();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", kind === "dragover");
    if (kind === "drop") openFiles([...event.dataTransfer.files]);
  });
}
new ResizeObserver(redraw).observe($("chart"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

enqueue(async () => {
  const golden = MODEL.replace(/\.onnx$/, ".golden.json");
  await openModel(nameOf(MODEL), new Uint8Array(await (await fetched(MODEL)).arrayBuffer()));
  await openGolden(nameOf(golden), await (await fetched(golden)).json());
});

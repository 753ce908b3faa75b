// node report.mjs CHROMIUM PAGE FOLDER [STEP,...]: opens a report from disk in headless Chromium, uses it as
// a person would, saves screenshots and a printed PDF in FOLDER and prints what it saw as JSON. Steps are
// "zoom", "filter" and "appearance"; without them, all.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(new URL("../../examples/package.json", import.meta.url))(
  "playwright-core",
);
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const STEPS = { zoom, filter, appearance };
const [executablePath, file, folder, steps = Object.keys(STEPS).join()] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  const page = await browser.newPage({ viewport: { width: 1240, height: 900 }, colorScheme: "light" });
  const seen = { errors: [], requests: [] };
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("dialog", (dialog) => (seen.errors.push(dialog.message()), dialog.dismiss()));
  page.on("request", (request) => seen.requests.push(request.url()));
  const begin = Date.now();
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(
    () => document.body.dataset.ready || !document.querySelector("#trouble").hidden,
    null,
    { timeout: 120_000 },
  );
  seen.ready_ms = Date.now() - begin;
  seen.trouble = await page.locator("#trouble").textContent();
  seen.plots = await page.evaluate(plotsOf);
  for (const step of steps.split(",").filter(Boolean)) await STEPS[step](page, seen);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}

/** Zooms by a script, to time it, and by keys. */
async function zoom(page, seen) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await busy(session);
  seen.relayout_ms = await page.evaluate(timeZoom);
  seen.relayout_cpu_ms = ((await busy(session)) - before) / seen.relayout_ms.length;
  await page.locator("#price").focus();
  await page.keyboard.press("+");
  await page.waitForTimeout(300);
  seen.zoomed = await page.evaluate(stretches);
  await page.keyboard.press("0");
  await page.waitForTimeout(300);
  seen.whole = await page.evaluate(stretches);
}

/** Picks a regime in the legend, all of them, and one in a table. */
async function filter(page, seen) {
  const chip = page.locator("#legend .chip:not(:disabled)").last();
  seen.picked = Number(await chip.getAttribute("data-regime"));
  await chip.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.body.classList.contains("picking"));
  await page.waitForTimeout(500);
  seen.filtered = await page.evaluate(plotsOf);
  seen.off = await page.locator("tr.off").count();
  await page.screenshot({ path: join(folder, "filtered.png"), fullPage: true });
  await page.keyboard.press("Escape");
  await page.waitForTimeout(500);
  seen.restored = await page.evaluate(plotsOf);
  await page.locator("table button.pick").first().click();
  await page.waitForTimeout(500);
  seen.fromTable = await page.evaluate(plotsOf);
  await page.locator("#all").click();
}

/** Light, dark, on paper and narrow. */
async function appearance(page, seen) {
  await page.screenshot({ path: join(folder, "light.png"), fullPage: true });
  seen.light = await page.evaluate(coloursOf);
  await page.locator("#theme").click();
  await page.waitForTimeout(1000);
  await page.screenshot({ path: join(folder, "dark.png"), fullPage: true });
  seen.dark = await page.evaluate(coloursOf);
  await page.evaluate(() => {
    // After the page's own listener.
    addEventListener("beforeprint", () => {
      const { backgroundColor } = getComputedStyle(document.body);
      const text = document.querySelector("#price .xtick text");
      window.printed = { page: backgroundColor, text: getComputedStyle(text).fill };
    });
  });
  await page.pdf({ path: join(folder, "print.pdf"), printBackground: true, format: "A4" });
  await page.waitForTimeout(500);
  seen.printed = await page.evaluate(() => window.printed);
  seen.afterPrint = await page.evaluate(coloursOf);
  await page.setViewportSize({ width: 420, height: 900 });
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(folder, "narrow.png"), fullPage: true });
  seen.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** Milliseconds that the page's thread has computed, whatever else the machine did meanwhile. */
async function busy(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
}

/** Of every figure: its traces that are visible, by regime, and how much of them was drawn. */
function plotsOf() {
  return Object.fromEntries(
    [...document.querySelectorAll(".plot")].map((plot) => [
      plot.id,
      {
        drawn: plot.querySelectorAll(".trace, .scatterlayer .trace, .heatmaplayer image, .bars .point").length,
        regimes: (plot._fullData ?? [])
          .filter((trace) => trace.meta?.regime !== undefined && trace.visible === true && trace.opacity !== 0.15)
          .map((trace) => trace.meta.regime),
        covers: (plot.layout?.shapes ?? []).filter((shape) => shape.name === "cover").length,
      },
    ]),
  );
}

function coloursOf() {
  const text = document.querySelector("#price .xtick text");
  return {
    page: getComputedStyle(document.body).backgroundColor,
    text: text && getComputedStyle(text).fill,
  };
}

function stretches() {
  return ["price", "timeline"].map((name) => {
    const axis = document.getElementById(name)._fullLayout.xaxis;
    return axis.range.map((end) => axis.r2l(end));
  });
}

/** Milliseconds until both figures over time show another stretch, ten times. */
async function timeZoom() {
  const plot = document.getElementById("price");
  const axis = plot._fullLayout.xaxis;
  const [first, last] = axis.range.map((end) => axis.r2l(end));
  const width = last - first;
  const times = [];
  for (let i = 0; i < 10; i++) {
    const begin = performance.now();
    const from = first + (0.05 * i + 0.01) * width;
    await Plotly.relayout(plot, { "xaxis.range": [from, from + 0.4 * width] });
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - begin);
  }
  await Plotly.relayout(plot, { "xaxis.autorange": true });
  await new Promise((done) => setTimeout(done, 300));
  return times;
}

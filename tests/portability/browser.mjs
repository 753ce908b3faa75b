// node browser.mjs CHROMIUM URL FOLDER [bars.csv]: opens the example's page in headless Chromium, uses it as
// a person would, saves screenshots in FOLDER and prints what it saw as JSON.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

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

const [executablePath, url, folder, csv] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  const page = await browser.newPage({ viewport: { width: 1120, height: 980 } });
  const seen = { errors: [], requests: [] };
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("request", (request) => seen.requests.push(request.url()));
  await page.goto(url);
  await page.waitForFunction(
    () =>
      document.querySelector("#status").textContent.includes("labelled") ||
      document.querySelector("#error").textContent,
    null,
    { timeout: 120_000 },
  );
  seen.isolated = await page.evaluate(() => crossOriginIsolated);
  seen.error = (await page.locator("#error").textContent()).trim();
  seen.verdict = await page.locator("#verdict").textContent();
  seen.checks = await page.locator("#golden tbody tr").allInnerTexts();
  if (csv) {
    seen.golden = await look(page, "golden.png");
    await page.locator("#files").setInputFiles(csv);
    await labelled(page, readFileSync(csv, "utf8").trim().split("\n").length - 1);
    seen.picked = await look(page, "picked.png");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#download").click(),
    ]);
    await download.saveAs(join(folder, "regimes.csv"));

    await page.emulateMedia({ colorScheme: "dark" });
    await drop(page, "short.csv", readFileSync(csv, "utf8").split("\n").slice(0, 301).join("\n"));
    await labelled(page, 300);
    await page.locator("#chart").hover();
    seen.dropped = await look(page, "dropped.png");

    await drop(page, "wrong.csv", "date,high\n2020-01-01,1\n");
    await page.locator("#error:not(:empty)").waitFor();
    seen.refusal = (await page.locator("#error").textContent()).trim();
  }
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}

function labelled(page, bars) {
  return page.waitForFunction(
    (text) => document.querySelector("#status").textContent.startsWith(text),
    `${bars} bars labelled`,
    { timeout: 120_000 },
  );
}

async function drop(page, name, text) {
  const dataTransfer = await page.evaluateHandle(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      return transfer;
    },
    [name, text],
  );
  await page.dispatchEvent("body", "drop", { dataTransfer });
}

/** A screenshot, and how many of the canvas's pixels have exactly each regime's colour. */
async function look(page, name) {
  await page.screenshot({ path: join(folder, name), fullPage: true });
  return page.evaluate(() => {
    const canvas = document.querySelector("#chart");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixels = {};
    for (let i = 0; i < data.length; i += 4) {
      const key = `#${[0, 1, 2].map((c) => data[i + c].toString(16).padStart(2, "0")).join("")}`;
      pixels[key] = (pixels[key] ?? 0) + 1;
    }
    const style = getComputedStyle(document.documentElement);
    const colours = [0, 1, 2].map((k) => style.getPropertyValue(`--regime-${k}`).trim());
    const text = (selector) => document.querySelector(selector).textContent;
    return {
      pixels: colours.map((colour) => pixels[colour] ?? 0),
      legend: [...document.querySelectorAll("#legend li")].map((item) => item.textContent),
      readout: text("#readout"),
      status: text("#status"),
      title: text("#series"),
    };
  });
}

// node time_models.mjs a.onnx b.onnx ... [--batch 64] [--rounds 15] [--runtime web|node]
//
// Times each file on one thread, all interleaved, on log-normal input, and prints JSON:
// {file: {median_ms_per_call, microseconds_per_window}}. `web` is onnxruntime-web's WebAssembly in
// headless Chromium ($CHROMIUM, or `chromium` of the path); both runtimes come from
// examples/node_modules.

import { execFileSync } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { timeInterleaved } from "./interleave.mjs";

const examples = createRequire(new URL("../../examples/package.json", import.meta.url));
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TYPES = { html: "text/html", mjs: "text/javascript", wasm: "application/wasm" };

async function timeInNode(paths, options) {
  const files = {};
  for (const path of paths) files[path] = await readFile(path);
  return timeInterleaved(examples("onnxruntime-node"), files, options);
}

async function timeInBrowser(paths, options) {
  const { chromium } = examples("playwright-core");
  const server = await serve(paths);
  const executablePath =
    process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
    return await page.evaluate(
      async ({ paths, options }) => {
        const ort = await import("/ort.wasm.bundle.min.mjs");
        const { timeInterleaved } = await import("/interleave.mjs");
        ort.env.wasm.numThreads = 1;
        const files = {};
        for (const [i, path] of paths.entries()) {
          files[path] = new Uint8Array(await (await fetch(`/${i}.onnx`)).arrayBuffer());
        }
        return timeInterleaved(ort, files, options);
      },
      { paths, options },
    );
  } finally {
    await browser.close();
    server.close();
  }
}

/** A static server for the page, the runtime and the models, on a free port. */
async function serve(paths) {
  const ort = new URL("../../examples/node_modules/onnxruntime-web/dist/", import.meta.url);
  const read = async (name) => {
    if (name === "page.html") return "<!doctype html>";
    const model = name.match(/^(\d+)\.onnx$/);
    if (model) return readFile(paths[model[1]]);
    return readFile(
      name === "interleave.mjs" ? new URL(name, import.meta.url) : new URL(basename(name), ort),
    );
  };
  const server = createServer(async ({ url }, response) => {
    try {
      const body = await read(url.slice(1));
      response.setHeader(
        "Content-Type",
        TYPES[url.split(".").at(-1)] ?? "application/octet-stream",
      );
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: "string", default: "64" },
    rounds: { type: "string", default: "15" },
    runtime: { type: "string", default: "web" },
  },
});
const [batch, rounds] = [Number(values.batch), Number(values.rounds)];
const run = { web: timeInBrowser, node: timeInNode }[values.runtime];
if (!positionals.length || !run || !(batch >= 1) || !(rounds >= 1)) {
  console.error(
    "usage: node time_models.mjs model.onnx ... [--batch N] [--rounds N] [--runtime web|node]",
  );
  process.exit(2);
}
try {
  await Promise.all(positionals.map((path) => access(path)));
  console.log(JSON.stringify(await run(positionals, { batch, rounds }), null, 2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// node regimes.mjs model.onnx golden.json   compares onnxruntime-node with the golden file
// node regimes.mjs model.onnx bars.csv      labels every bar; CSV on standard output

import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { labelsToCsv, parseTable, toBars } from "../javascript/bars.mjs";
import { readContract } from "../javascript/contract.mjs";
import { compareWithGolden, describeFound } from "../javascript/golden.mjs";
import { labelBars } from "../javascript/regimes.mjs";

async function main(modelPath, dataPath) {
  const model = await readFile(modelPath);
  const data = await readFile(dataPath, "utf8");
  const contract = readContract(model);
  const session = await ort.InferenceSession.create(model);
  if (dataPath.endsWith(".json")) return compare(session, JSON.parse(data));
  const table = parseTable(data);
  const labels = await labelBars(ort, session, toBars(table, contract), contract);
  process.stdout.write(labelsToCsv(table, labels));
}

async function compare(session, golden) {
  const checks = await compareWithGolden(ort, session, golden);
  for (const check of checks) {
    const verdict = check.passed ? "pass" : "FAIL";
    console.log(
      `${verdict}  ${check.output.padEnd(17)}  ${describeFound(check)} (limit ${check.limit})`,
    );
  }
  if (!checks.every((check) => check.passed)) process.exitCode = 1;
}

const paths = process.argv.slice(2);
if (paths.length !== 2) {
  console.error("usage: node regimes.mjs model.onnx golden.json|bars.csv");
  process.exitCode = 2;
} else {
  main(...paths).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

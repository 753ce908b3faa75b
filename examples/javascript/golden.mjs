// A runtime is checked against the golden file: what Keras and the head gave at the fit.

import { causalLabels, runWindows } from "./regimes.mjs";

/** Largest difference allowed, relative to the largest magnitude of the golden output. */
export const TOLERANCE = { embedding: 1e-4, distance: 1e-4, novelty: 1e-3 };

/**
 * @param {object} ort
 * @param {object} session
 * @param {object} golden content of a golden file
 * @returns {Promise<{output: string, found: number, limit: number, passed: boolean}[]>}
 *   `found` is a relative difference, or a count of labels that differ
 */
export async function compareWithGolden(ort, session, golden) {
  const outputs = await runWindows(ort, session, golden.window);
  const expected = golden.labels_from_start;
  const labels = causalLabels(outputs.distance.slice(0, expected.length), golden.jump_penalty);
  const checks = Object.entries(TOLERANCE).map(([output, limit]) => ({
    output,
    found: relativeDifference(outputs[output], golden[output]),
    limit,
  }));
  checks.push({
    output: "regime",
    found: countDifferent(outputs.regime.flat(), golden.regime),
    limit: 0,
  });
  checks.push({ output: "labels_from_start", found: countDifferent(labels, expected), limit: 0 });
  return checks.map((check) => ({ ...check, passed: check.found <= check.limit })); // not if NaN
}

/** What a check found, in words. */
export function describeFound({ found, limit }) {
  if (limit === 0) return `${found} labels`;
  return found === 0 ? "0" : found.toExponential(1);
}

function relativeDifference(found, expected) {
  const [a, b] = [found.flat(), expected.flat()];
  if (a.length !== b.length) return NaN;
  let difference = 0,
    scale = 0;
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return difference / scale; // NaN if any entry is
}

function countDifferent(found, expected) {
  if (found.length !== expected.length) return NaN;
  return found.filter((value, i) => value !== expected[i]).length;
}

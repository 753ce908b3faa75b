// Bars become regimes. `ort` is onnxruntime-node or onnxruntime-web: their interface is the same.

const BATCH = 64; // windows per call; more is slower on a CPU

/**
 * Run windows through the graph, one batch after the other.
 * @param {object} ort
 * @param {object} session an ort.InferenceSession
 * @param {number[][][]} windows N windows of R rows of F features
 * @returns {Promise<Object<string, number[][]>>} N rows for each output of the graph
 */
export function runWindows(ort, session, windows) {
  const shape = [windows[0].length, windows[0][0].length];
  return runBatches(ort, session, session.outputNames, windows.length, shape, (i) =>
    windows[i].flat(),
  );
}

/**
 * Label every bar that has a full window behind it; the label of bar t uses bars up to t.
 * @param {object} ort
 * @param {object} session
 * @param {Float32Array} bars T rows of F features
 * @param {object} contract
 * @param {(share: number) => Promise<void>} [progress] called after every batch
 * @returns {Promise<{regime: number[], novelty: number[]}>} T values each; -1 and NaN where there
 *   is no window
 */
export async function labelBars(ort, session, bars, contract, progress) {
  const [rows, features] = [contract.window_rows, contract.transforms.length];
  const count = bars.length / features - rows + 1;
  if (count < 1) {
    throw new Error(`The table has ${count + rows - 1} rows; the model reads ${rows} at once.`);
  }
  const outputs = await runBatches(
    ort,
    session,
    ["distance", "novelty"],
    count,
    [rows, features],
    (i) => bars.subarray(i * features, (i + rows) * features),
    progress,
  );
  const before = (value) => Array(rows - 1).fill(value);
  return {
    regime: [...before(-1), ...causalLabels(outputs.distance, contract.jump_penalty)],
    novelty: [...before(NaN), ...outputs.novelty.flat()],
  };
}

/**
 * The temporal recursion: a change of regime has a price. `costs` is the whole state of a stream,
 * and its least entry is 0 between bars.
 * @param {number[][]} distances a row of K for every window, in time order
 * @param {number} penalty
 * @returns {number[]}
 */
export function causalLabels(distances, penalty) {
  let costs = distances[0].map(() => 0);
  return distances.map((distance) => {
    costs = costs.map((cost, k) => distance[k] + Math.min(cost, penalty));
    costs = costs.map((cost, k, all) => cost - Math.min(...all));
    return costs.indexOf(0);
  });
}

async function runBatches(ort, session, names, count, [rows, features], windowAt, progress) {
  const outputs = Object.fromEntries(names.map((name) => [name, []]));
  for (let start = 0; start < count; start += BATCH) {
    const size = Math.min(BATCH, count - start);
    const batch = new Float32Array(size * rows * features);
    for (let i = 0; i < size; i++) batch.set(windowAt(start + i), i * rows * features);
    const window = new ort.Tensor("float32", batch, [size, rows, features]);
    const results = await session.run({ window }, names);
    for (const name of names) outputs[name].push(...rowsOf(results[name], size));
    await progress?.((start + size) / count);
  }
  return outputs;
}

function rowsOf(tensor, size) {
  const width = tensor.data.length / size;
  return Array.from({ length: size }, (_, i) =>
    Array.from(tensor.data.subarray(i * width, (i + 1) * width), Number),
  );
}

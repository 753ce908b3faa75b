// Models timed side by side in one process; runs in Node and in a page.

const SAMPLE_MS = 20; // a browser's clock ticks in tenths of a millisecond
const WARM_UP_MS = 2000; // a browser compiles WebAssembly better once it has run for a while

/**
 * @param {object} ort onnxruntime-node or onnxruntime-web
 * @param {Object<string, Uint8Array>} files content of each model, by name
 * @param {{batch: number, rounds: number}} options windows per call, and samples of each model
 * @returns {Promise<Object<string, {median_ms_per_call: number, microseconds_per_window: number}>>}
 */
export async function timeInterleaved(ort, files, { batch, rounds }) {
  const models = [];
  for (const [name, file] of Object.entries(files)) {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
    const session = await ort.InferenceSession.create(file, options);
    const feeds = randomFeeds(ort, session, batch);
    const calls = await warmUp(session, feeds);
    models.push({ name, session, feeds, calls, times: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { session, feeds, calls, times } of models) {
      times.push(await timeCalls(session, feeds, calls));
    }
  }
  return Object.fromEntries(
    models.map(({ name, times }) => {
      const median = medianOf(times);
      return [
        name,
        { median_ms_per_call: median, microseconds_per_window: (1000 * median) / batch },
      ];
    }),
  );
}

/** Run for a while, and return how many calls make one sample. */
async function warmUp(session, feeds) {
  let once = Infinity;
  for (const start = performance.now(); performance.now() - start < WARM_UP_MS;) {
    once = Math.min(once, await timeCalls(session, feeds, 1));
  }
  return Math.ceil(SAMPLE_MS / Math.max(once, 0.1));
}

/** Milliseconds a call. */
async function timeCalls(session, feeds, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await session.run(feeds);
  return (performance.now() - start) / calls;
}

/**
 * Log-normal numbers for the model's one input, whose first dimension is the batch: positive, since
 * a model that takes logarithms would compute with NaN otherwise, which is slower.
 */
function randomFeeds(ort, session, batch) {
  const [{ name, shape }] = session.inputMetadata;
  const [, ...row] = shape;
  if (session.inputMetadata.length !== 1 || !row.every(Number.isInteger)) {
    throw new Error(
      `One input (batch, R, F) is expected; found ${JSON.stringify(session.inputMetadata)}.`,
    );
  }
  const size = row.reduce((product, length) => product * length, batch);
  const draw = () =>
    Math.exp(Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
  return {
    [name]: new ort.Tensor("float32", Float32Array.from({ length: size }, draw), [batch, ...row]),
  };
}

function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

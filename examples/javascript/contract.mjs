// The contract that a model file carries in its metadata_props. onnxruntime's JavaScript API does
// not expose them, so they are read from the protobuf itself.

const CONTRACT_KEY = "regimetry.contract";
const METADATA_PROPS = 14; // field of ModelProto, repeated: { key = 1, value = 2 }
const VARINT = 0,
  EIGHT_BYTES = 1,
  LENGTH_PREFIXED = 2,
  FOUR_BYTES = 5; // protobuf's wire types
const DAMAGED = "The file is no ONNX model, or it is cut short.";

/**
 * Read what the file says about itself: columns, window_rows, regimes, jump_penalty and more.
 * @param {Uint8Array} file content of a model file
 * @returns {object} the contract, described in docs/model-file.md
 */
export function readContract(file) {
  for (const [field, entry] of fields(file)) {
    if (field !== METADATA_PROPS) continue;
    const { 1: key, 2: value } = Object.fromEntries(fields(entry));
    if (text(key) === CONTRACT_KEY) return JSON.parse(text(value));
  }
  throw new Error(`The file has no metadata ${CONTRACT_KEY}; it is not a regimetry model.`);
}

/** Walk the fields of one message; those of a nested message are skipped by their length. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    for (let value = 0, unit = 1; at < bytes.length; unit *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
    throw new Error(DAMAGED);
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === VARINT) {
      varint();
      continue;
    }
    const length =
      type === LENGTH_PREFIXED ? varint() : { [EIGHT_BYTES]: 8, [FOUR_BYTES]: 4 }[type];
    if (!(at + length <= bytes.length)) throw new Error(DAMAGED);
    yield [Math.floor(tag / 8), bytes.subarray(at, at + length)];
    at += length;
  }
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}

// A CSV becomes bars: numbers in the model's column order, found by name.

/**
 * @param {string} csv comma-separated, with a header; a field may stand in double quotes
 * @returns {{names: string[], rows: string[][]}}
 */
export function parseTable(csv) {
  const lines = csv
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim());
  const [names, ...rows] = lines.map(splitLine);
  if (!rows.length) throw new Error("The table has no rows.");
  const uneven = rows.findIndex((row) => row.length !== names.length);
  if (uneven >= 0) {
    throw new Error(
      `Row ${uneven + 1} has ${rows[uneven].length} fields; the header has ${names.length}.`,
    );
  }
  return { names, rows };
}

function splitLine(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'),
  );
}

/**
 * @param {{names: string[], rows: string[][]}} table
 * @param {object} contract of the model
 * @returns {Float32Array} T rows of F features, row by row
 */
export function toBars(table, contract) {
  const names = contract.schema.map((column) => column.name);
  const missing = names.filter((name) => !table.names.includes(name));
  if (missing.length) {
    throw new Error(`The table lacks ${missing.join(", ")}; the model reads ${names.join(", ")}.`);
  }
  const at = names.map((name) => table.names.indexOf(name));
  const bars = table.rows.flatMap((row, t) =>
    contract.schema.flatMap((column, i) => toFeatures(row[at[i]], column, t)),
  );
  requirePositive(bars, contract);
  return Float32Array.from(bars);
}

/** A number is one feature; a category becomes one for each known value, 1 where it is that value. */
function toFeatures(field, { name, categories }, t) {
  const found = `Row ${t + 1}, column ${name} holds "${field}"`;
  if (categories === null) {
    const value = field === "" ? NaN : Number(field);
    if (!Number.isFinite(value)) throw new Error(`${found}, which is no number.`);
    return value;
  }
  if (!categories.includes(field)) {
    throw new Error(`${found}; the categories are ${categories.join(", ")}.`);
  }
  return categories.map((category) => Number(category === field));
}

/**
 * @param {{names: string[], rows: string[][]}} table
 * @param {{regime: number[], novelty: number[]}} labels of its rows
 * @returns {string} CSV: the table's first column, regime, novelty; empty without a full window
 */
export function labelsToCsv(table, { regime, novelty }) {
  const lines = table.rows.map((row, t) =>
    regime[t] < 0 ? `${row[0]},,` : `${row[0]},${regime[t]},${novelty[t].toFixed(6)}`,
  );
  return [`${table.names[0]},regime,novelty`, ...lines, ""].join("\n");
}

/** The graph takes the logarithm of some columns, where 0 or less would give NaN in silence. */
function requirePositive(bars, { transforms }) {
  const F = transforms.length;
  const wrong = bars.findIndex((value, i) => transforms[i % F] === "log_difference" && value <= 0);
  if (wrong >= 0) {
    throw new Error(
      `Row ${Math.floor(wrong / F) + 1} holds ${bars[wrong]} where the model takes the logarithm.`,
    );
  }
}

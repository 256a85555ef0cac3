// Figures as a Markdown table, as prettier would write it.

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {string} key of the figures
 * @property {number} [digits] behind the point; without it three significant ones
 */

/** @param {number} value */
const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {string} first title of the first column @param {readonly Column[]} columns @param {ReadonlyMap<string, Readonly<Record<string, number>>>} rows */
export function formatTable(first, columns, rows) {
  const cells = [
    [first, ...columns.map(({ title }) => title)],
    ...[...rows].map(([name, figures]) => [
      name,
      ...columns.map(({ key, digits }) => {
        const value = figures[key];
        return value === undefined || Number.isNaN(value)
          ? ''
          : digits === undefined
            ? short(value)
            : (Math.round(value * 10 ** digits) / 10 ** digits + 0).toFixed(digits);
      }),
    ]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (/** @type {readonly string[]} */ row) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** Puts a table between the marks of its topic. @param {string} page @param {string} topic @param {string} table */
export function insertTable(page, topic, table) {
  const marks = new RegExp(`(<!-- ${topic} -->\\n)[^]*?(<!-- /${topic} -->)`);
  if (!marks.test(page)) throw new Error(`the page has no place for ${topic}`);
  return page.replace(marks, (_, begin, end) => `${begin}\n${table}\n\n${end}`);
}

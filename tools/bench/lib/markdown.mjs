// Tables of Markdown as the formatter leaves them: cells padded to the width of their column.

/** @typedef {{ title: string, isText?: boolean }} Heading numbers stand on the right */

/** @param {readonly Heading[]} headings @param {readonly (readonly string[])[]} rows */
export function markdownTable(headings, rows) {
  const widths = headings.map(({ title }, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  /** @param {readonly string[]} cells */
  const line = (cells) =>
    `| ${headings.map(({ isText = false }, column) => pad(cells[column] ?? '', widths[column] ?? 0, isText)).join(' | ')} |`;
  const rule = headings.map(({ isText = false }, column) => {
    const dashes = '-'.repeat(Math.max(2, (widths[column] ?? 0) - (isText ? 0 : 1)));
    return isText ? dashes : `${dashes}:`;
  });
  return [line(headings.map(({ title }) => title)), line(rule), ...rows.map(line)].join('\n');
}

/** @param {string} text @param {number} width @param {boolean} isText */
const pad = (text, width, isText) => (isText ? text.padEnd(width) : text.padStart(width));

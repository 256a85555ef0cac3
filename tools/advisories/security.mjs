// Writes the tables of SECURITY.md from rows.mjs: `node security.mjs`. With --check it says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { NOT_APPLICABLE, ROWS } from './rows.mjs';

const security = new URL('../../SECURITY.md', import.meta.url);
const [BEGIN, END] = ['<!-- made by tools/advisories/security.mjs -->', '<!-- end -->'];

/** @param {readonly string[]} cells */
const line = (...cells) => `| ${cells.join(' | ')} |`;

/** @param {string} id */
function link(id) {
  if (id.startsWith('CVE-')) return `[${id}](https://www.cve.org/CVERecord?id=${id})`;
  if (id.startsWith('GHSA-')) return `[${id}](https://github.com/advisories/${id})`;
  return id;
}

const applicable = Object.values(ROWS).map(({ what, ids, who, defence, file }) =>
  line(what, ids.map(link).join(', '), who, defence, `[${file}](tools/advisories/test/${file}.test.ts)`),
);
const others = NOT_APPLICABLE.map(({ what, ids, why }) => line(what, ids.map(link).join(', '), why));
const tables = [
  line('what went wrong', 'known as', 'where', 'here', 'tests'),
  line('-', '-', '-', '-', '-'),
  ...applicable,
  '',
  'What does not apply:',
  '',
  line('what went wrong', 'known as', 'why not'),
  line('-', '-', '-'),
  ...others,
].join('\n');

const before = readFileSync(security, 'utf8');
const [start, rest] = [before.indexOf(BEGIN), before.indexOf(END)];
if (start < 0 || rest < 0) throw new Error('SECURITY.md has no place for the tables');
const text = `${before.slice(0, start)}${BEGIN}\n\n${tables}\n\n${before.slice(rest)}`;
const after = await format(text, { ...(await resolveConfig(security)), parser: 'markdown' });

if (!process.argv.includes('--check')) {
  writeFileSync(security, after);
} else if (after !== before) {
  process.stderr.write('SECURITY.md is not what rows.mjs says: run `node tools/advisories/security.mjs`\n');
  process.exitCode = 1;
}

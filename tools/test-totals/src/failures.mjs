// Which tests failed, and with what: for somebody who has only the end of a log.
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const MOST_FAILURES = 30;
const MOST_LINES = 8;
const MOST_COLUMNS = 200;

/**
 * @typedef {object} SuiteReport
 * @property {string} name
 * @property {string} status
 * @property {string} [message]
 * @property {{ status: string, fullName?: string, failureMessages?: string[] }[]} assertionResults
 */

/**
 * One text for each failed test, and for each suite that could not run: file and full name, and indented below the
 * first lines of the message and where it was thrown.
 * @param {readonly SuiteReport[]} suites
 * @param {string} directory  of the package: files are named from there
 * @returns {string[]}
 */
export function describeFailures(suites, directory) {
  const texts = [];
  for (const suite of suites) {
    const file = relative(directory, suite.name);
    const failed = suite.assertionResults.filter(({ status }) => status === 'failed');
    for (const { fullName, failureMessages } of failed) {
      texts.push(`${file} › ${fullName ?? '(no name)'}${firstLines(failureMessages?.[0] ?? '', file)}`);
    }
    if (isBroken(suite)) texts.push(`suite could not run: ${file}${firstLines(suite.message ?? '', file)}`);
  }
  const rest = texts.length - MOST_FAILURES;
  return rest <= 0 ? texts : [...texts.slice(0, MOST_FAILURES), `${rest} more`];
}

/**
 * A suite that failed although no test in it did: it did not compile, or a hook threw.
 * @param {SuiteReport} suite
 */
export function isBroken({ status, assertionResults }) {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

/**
 * What was said, without blank lines and stack; then the line of the stack that is in the test itself.
 * @param {string} message
 * @param {string} file
 */
function firstLines(message, file) {
  const lines = stripVTControlCharacters(message).split('\n');
  const isOfStack = (/** @type {string} */ line) => /^ +at /.test(line);
  const said = lines.filter((line) => line.trim() !== '' && !isOfStack(line)).slice(0, MOST_LINES);
  const where = lines.find((line) => isOfStack(line) && line.includes(file));
  return [...said, ...(where === undefined ? [] : [where.trim()])]
    .map((line) => `\n    ${line.trimEnd().slice(0, MOST_COLUMNS)}`)
    .join('');
}

import { assertList } from './list.js';
import { equalsIgnoringCase, isBlank, isToken, splitList, trimBlanks } from './token.js';

/** Name, value, name, value, …: `rawHeaders` of Node's `IncomingMessage` as it is, order and repeats kept. */
export type HeaderList = readonly string[];

/** An object of headers, say, which would look like none at all. */
export const NOT_A_LIST = 'headers must be a list of names and values';

const NO_VALUES: readonly string[] = [];

/**
 * Every value of the field `lowerName`, in the order of the list, without the blanks around them. A name at the end of the list
 * that has no value is not looked at.
 */
export function fieldValues(headers: HeaderList, lowerName: string): readonly string[] {
  let values: string[] | undefined;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    if (name.length !== lowerName.length || !equalsIgnoringCase(name, lowerName)) continue;
    (values ??= []).push(trimBlanks(headers[at + 1]!));
  }
  return values ?? NO_VALUES;
}

/** Whether one of the lists holds the token, in any case. */
export function listsInclude(lists: readonly string[], lowerToken: string): boolean {
  for (const list of lists) {
    if (equalsIgnoringCase(list, lowerToken)) return true;
    if (splitList(list).some((element) => equalsIgnoringCase(element, lowerToken))) return true;
  }
  return false;
}

/** Whether a field value may hold this character: tab, visible ASCII, blank, and the upper half of latin1. RFC 9110 §5.5. */
const isFieldCode = (code: number): boolean =>
  (code >= 0x20 && code <= 0x7e) || (code >= 0x80 && code <= 0xff) || isBlank(code);

/** Whether `value` can stand in a header line or as a reason phrase: no CR, LF, NUL or other control, nothing beyond latin1. */
export function isFieldValue(value: string): boolean {
  if (typeof value !== 'string') return false;
  for (let at = 0; at < value.length; at++) {
    if (!isFieldCode(value.charCodeAt(at))) return false;
  }
  return true;
}

/** A check without a type: callers of ours without TypeScript. */
export const isList = (value: unknown): boolean => Array.isArray(value);

/**
 * Checks headers that our caller wants to send.
 * @throws {TypeError} for an odd list, a name that is not a token, a value that would break its line
 */
export function assertHeaders(headers: HeaderList): void {
  assertList(headers, NOT_A_LIST);
  if (headers.length % 2 !== 0) throw new TypeError(NOT_A_LIST);
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!;
    if (!isToken(name)) throw new TypeError(`headers: name ${at / 2} is not a token`);
    if (!isFieldValue(headers[at + 1]!))
      throw new TypeError(`headers: the value of ${name} has characters that no header may have`);
  }
}

/** `headers` without the fields of those names; the names are in lower case. */
export function withoutFields(headers: HeaderList, lowerNames: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!;
    if (!lowerNames.some((lowerName) => equalsIgnoringCase(name, lowerName))) kept.push(name, headers[at + 1]!);
  }
  return kept;
}

import type { DeflateElement, DeflateParameters } from '../src/index.js';

/** An element as it is written in the header. */
export function element(text: string, name = 'permessage-deflate'): DeflateElement {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  return {
    name,
    parameters: parts.map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [part.trim(), true] : [part.slice(0, equals).trim(), part.slice(equals + 1)];
    }),
  };
}

/** What is behind the name, in the header's form. */
export function written({ name, parameters }: DeflateElement): string {
  if (name !== 'permessage-deflate') throw new Error(name);
  return parameters.map(([key, value]) => (value === true ? key : `${key}=${value}`)).join('; ');
}

export const PLAIN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
/** What our server agrees to by default. */
export const NO_TAKEOVER: DeflateParameters = {
  ...PLAIN,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
};

export const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
/** What is no window: too small or large, not decimal, not the shortest form. §7.1.2.1, §7.1.2.2 */
export const NO_BITS = [
  '7',
  '16',
  '08',
  '015',
  '+8',
  '-8',
  '8.0',
  '8 ',
  ' 8',
  '',
  '0x8',
  '1e1',
  '８',
  '٨',
  'true',
  '108',
  '0',
];

import type { Role } from './case.js';
import { Inflater } from '@ws/testing';

// What an answer to an offer of permessage-deflate means, read without the packages under test. RFC 7692 §7.1.

type Parameters = readonly (readonly [name: string, value: string | undefined])[];

/** An element of Sec-WebSocket-Extensions. Its values hold no comma or semicolon: rows with such answers expect a refusal. */
function parametersOf(element: string): Parameters {
  const [, ...parameters] = element.split(';');
  return parameters.map((parameter) => {
    const [name = '', value] = parameter.trim().split('=');
    return [name.trim(), value?.trim().replace(/^"(.*)"$/, '$1')] as const;
  });
}

/** The order of parameters is free (§5), and so are blanks and quotes: a form in which they are all the same. */
export function normalized(extensions: string): string {
  const elements = extensions.split(',').map((element) => {
    const parameters = parametersOf(element).map(([name, value]) => (value === undefined ? name : `${name}=${value}`));
    return [element.split(';')[0]?.trim(), ...parameters.sort()].join(';');
  });
  return elements.join(',');
}

/** What inflates the messages that our end sends: with its window, and with those before only if it keeps them. */
export function inflaterFor(answer: string, role: Role): Inflater {
  const parameters = new Map(parametersOf(answer));
  const windowBits = Number(parameters.get(`${role}_max_window_bits`) ?? 15);
  return new Inflater(windowBits, !parameters.has(`${role}_no_context_takeover`));
}

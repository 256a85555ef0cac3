// What the bot answers to what. Chance comes from node:crypto.
import { randomInt } from 'node:crypto';

const GREETINGS = new Set('hello hi hey hallo hola bonjour moin servus ciao salut howdy'.split(' '));
/** @type {Intl.DateTimeFormatOptions} */
const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' };
const MAX_DICE = 10;
const MAX_SIDES = 1000;

/** @type {(choices: readonly string[]) => string} */
const pick = (choices) => choices[randomInt(choices.length)] ?? '';

/**
 * @param {string} botName
 * @returns {(text: string, from: string) => string | undefined} the answer; `undefined`: the bot was not meant
 */
export function createReplies(botName) {
  const startedAt = Date.now();

  /** @type {Map<string, (argument: string, from: string) => string>} */
  const commands = new Map([
    ['help', () => 'I know /time, /dice (or /dice 2d20), /coin and /uptime. I also answer to hello, and to my name.'],
    ['time', () => `It is ${new Date().toLocaleTimeString('en-GB', TIME)} where I sit.`],
    ['dice', rollDice],
    ['coin', (_argument, from) => `${from} flips a coin: ${pick(['heads', 'tails'])}.`],
    ['uptime', () => `I have been here for ${duration(Date.now() - startedAt)}.`],
  ]);

  return (text, from) => {
    if (text.startsWith('/')) {
      const [word = '', argument = ''] = text.slice(1).split(/\s+/, 2);
      const command = commands.get(word.toLowerCase());
      return command ? command(argument, from) : `I do not know /${word.slice(0, 20)}. Try /help.`;
    }
    /** @type {readonly string[]} */
    const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    if (words.slice(0, 2).some((word) => GREETINGS.has(word)))
      return pick([`Hello, ${from}!`, `Hi ${from}.`, `Hey ${from}!`]);
    if (words[0] === 'ping' && words.length === 1) return 'pong';
    if (!words.includes(botName.toLowerCase())) return undefined;
    if (words.some((word) => word.startsWith('thank'))) return `Any time, ${from}.`;
    if (!text.trimEnd().endsWith('?')) return pick([`Yes, ${from}?`, 'I am here. Try /help.', `You called, ${from}?`]);
    return pick(['Yes.', 'No.', 'Certainly.', 'Better not.', 'Ask again one frame later.', 'The signs are good.']);
  };
}

/**
 * @param {string} argument `2d20`, `d6`, `3` or nothing
 * @param {string} from
 */
function rollDice(argument, from) {
  const parts = /^(?<count>[0-9]{0,2})(?:d(?<sides>[0-9]{1,4}))?$/.exec(argument.toLowerCase());
  const dice = parts ? Number(parts.groups?.['count'] || 1) : NaN;
  const faces = Number(parts?.groups?.['sides'] ?? 6);
  if (!(dice >= 1 && dice <= MAX_DICE && faces >= 2 && faces <= MAX_SIDES)) {
    return `I have ${MAX_DICE} dice of up to ${MAX_SIDES} sides: try /dice 2d20.`;
  }
  const rolls = Array.from({ length: dice }, () => randomInt(1, faces + 1));
  const sum = rolls.reduce((total, roll) => total + roll, 0);
  return `${from} rolls ${dice}d${faces}: ${dice === 1 ? sum : `${rolls.join(' + ')} = ${sum}`}.`;
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

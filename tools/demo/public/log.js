// The list of messages. Whatever people write goes in as text, never as markup.
import { element } from './element.js';

const MAX_ENTRIES = 300;
/** Messages of one person closer together than this share a head line. */
const SAME_BREATH_MS = 120_000;
const NEAR_END_PX = 60;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** @typedef {{ id: string, name: string, bot: boolean }} Person */

export class Log {
  #list = element('log', HTMLElement);
  #newer = element('log-newer', HTMLButtonElement);
  /** @type {{ id: string, at: number } | undefined} who spoke last */
  #last;

  constructor() {
    this.#newer.addEventListener('click', () => this.#toEnd());
    this.#list.addEventListener('scroll', () => {
      if (this.#atEnd()) this.#newer.hidden = true;
    });
  }

  /**
   * @param {{ at: number, from: Person, text: string }} said
   * @param {boolean} mine
   */
  say({ at, from, text }, mine) {
    const follows = this.#last?.id === from.id && at - this.#last.at < SAME_BREATH_MS;
    this.#last = { id: from.id, at };
    const entry = make('article', ['entry', mine && 'mine', from.bot && 'bot', follows && 'follows']);
    const head = make('p', ['head', follows && 'unseen']);
    head.append(make('bdi', [], from.name));
    if (from.bot) head.append(' ', make('span', ['tag'], 'bot'));
    const time = make('time', [], clock.format(at));
    time.setAttribute('datetime', new Date(at).toISOString());
    head.append(' ', time);
    entry.append(avatar(from), head, make('p', ['text'], text));
    this.#add(entry, mine);
  }

  /**
   * @param {string} text
   * @param {boolean} [problem]
   */
  note(text, problem = false) {
    this.#last = undefined;
    this.#add(make('p', ['note', problem && 'problem'], text), problem);
  }

  /**
   * @param {HTMLElement} entry
   * @param {boolean} follow scroll to it even if the reader is elsewhere
   */
  #add(entry, follow) {
    const stay = !follow && !this.#atEnd();
    this.#list.append(entry);
    while (this.#list.childElementCount > MAX_ENTRIES) this.#list.firstElementChild?.remove();
    if (stay) this.#newer.hidden = false;
    else this.#toEnd();
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#newer.hidden = true;
  }
}

/**
 * @param {Person} person
 * @returns {HTMLElement} initials on a colour of their own
 */
export function avatar({ name }) {
  const words = name.split(' ');
  const initials = [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => [...(word ?? '')][0] ?? '').join('');
  const circle = make('span', ['avatar'], initials.toLocaleUpperCase());
  circle.setAttribute('aria-hidden', 'true');
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 4093;
  circle.style.setProperty('--hue', String((hash * 47) % 360));
  return circle;
}

/**
 * @param {string} tag
 * @param {readonly (string | false)[]} classes
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function make(tag, classes, text = '') {
  const made = document.createElement(tag);
  made.className = classes.filter(Boolean).join(' ');
  made.textContent = text;
  return made;
}

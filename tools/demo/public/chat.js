// The left half of the page: the room as this tab sees it.
import { Link } from './connection.js';
import { element } from './element.js';
import { avatar, Log, make } from './log.js';

/** @typedef {import('./log.js').Person} Person */

const NAME_KEY = 'ws-demo-name';

/** @param {string} url of the room */
export function openChat(url) {
  const log = new Log();
  const say = element('say', HTMLTextAreaElement);
  const sayForm = element('say-form', HTMLFormElement);
  const sendButton = element('say-send', HTMLButtonElement);
  const nameForm = element('name-form', HTMLFormElement);
  const name = element('name', HTMLInputElement);
  const suggestions = [...document.querySelectorAll('button')].filter(({ dataset }) => dataset['say'] !== undefined);

  /** @type {Map<string, Person>} */
  const people = new Map();
  /** @type {Person | undefined} who we are, while we are in the room */
  let me;
  /** The last event seen, and of which run of the server. */
  let seen = { run: '', n: 0 };
  /** @type {number | undefined} */
  let countdown;

  const link = new Link(url, {
    open: () => link.send({ type: 'join', name: recall() ?? name.value }),
    message: (json) => hear(JSON.parse(json)),
    state: showState,
  });

  element('link-retry', HTMLButtonElement).addEventListener('click', () => link.retryNow());
  sayForm.addEventListener('submit', (event) => {
    event.preventDefault();
    if (tell(say.value)) say.value = '';
    say.focus();
  });
  say.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sayForm.requestSubmit();
  });
  for (const button of suggestions) button.addEventListener('click', () => tell(button.dataset['say'] ?? ''));
  nameForm.addEventListener('submit', (event) => {
    event.preventDefault();
    name.blur();
  });
  name.addEventListener('change', () => {
    if (me !== undefined && name.value !== me.name) link.send({ type: 'rename', name: name.value });
  });

  /**
   * @param {string} text
   * @returns {boolean} whether it went out
   */
  function tell(text) {
    return text.trim() !== '' && me !== undefined && link.send({ type: 'say', text });
  }

  /** @param {any} message as room.mjs lists them; others are left alone */
  function hear(message) {
    switch (message.type) {
      case 'welcome':
        return enter(message);
      case 'said':
        log.say(message, message.from.id === me?.id);
        break;
      case 'joined':
        people.set(message.who.id, message.who);
        log.note(`${message.who.name} joined`);
        showPeople();
        break;
      case 'left':
        people.delete(message.who.id);
        log.note(`${message.who.name} left`);
        showPeople();
        break;
      case 'renamed':
        people.set(message.who.id, message.who);
        if (message.who.id === me?.id) become(message.who);
        log.note(`${message.was} is now ${message.who.name}`);
        showPeople();
        break;
      case 'refused':
        log.note(message.text, true);
        if (message.code === 'bad-name' && me !== undefined) name.value = me.name;
        break;
    }
    if (typeof message.n === 'number') seen.n = message.n;
  }

  /** @param {{ run: string, you: Person, people: Person[], history: any[], limits: { name: number, text: number } }} welcome */
  function enter({ run, you, people: present, history, limits }) {
    if (seen.run !== '' && seen.run !== run) log.note('The server has started anew');
    if (seen.run !== run) seen = { run, n: 0 };
    people.clear();
    for (const person of present) people.set(person.id, person);
    name.maxLength = limits.name;
    say.maxLength = limits.text;
    for (const event of history) {
      if (event.n <= seen.n) continue;
      log.say(event, false);
      seen.n = event.n;
    }
    become(you);
    log.note(`You are in the room as ${you.name}`);
    showPeople();
    setReady(true);
    const isDesk = matchMedia('(hover: hover) and (min-width: 60rem)').matches;
    if (isDesk && document.activeElement === document.body) say.focus({ preventScroll: true });
  }

  /** @param {Person} person */
  function become(person) {
    me = person;
    name.value = person.name;
    remember(person.name);
  }

  function showPeople() {
    const items = [...people.values()].map((person) => {
      const item = make('li', []);
      item.append(avatar(person), make('bdi', [], person.name));
      if (person.bot) item.append(make('span', ['tag'], 'bot'));
      if (person.id === me?.id) item.append(make('span', ['tag'], 'you'));
      return item;
    });
    element('people', HTMLElement).replaceChildren(...items);
  }

  /** @type {import('./connection.js').LinkHandlers['state']} */
  function showState(state, { retryAt, code }) {
    const status = element('link-status', HTMLElement);
    const retry = element('link-retry', HTMLButtonElement);
    status.dataset['state'] = state;
    status.textContent = { open: 'Connected', connecting: 'Connecting', waiting: 'Disconnected' }[state];
    clearInterval(countdown);
    retry.hidden = state !== 'waiting';
    if (state !== 'waiting') return;
    if (me !== undefined) {
      log.note(code === 1001 ? 'The server is going away' : `The connection was lost (${code})`, true);
      me = undefined;
      people.clear();
      showPeople();
    }
    setReady(false);
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((retryAt - performance.now()) / 1000));
      retry.textContent = `Connect now (else in ${seconds} s)`;
    };
    tick();
    countdown = setInterval(tick, 500);
  }

  /** @param {boolean} ready */
  function setReady(ready) {
    sendButton.disabled = !ready;
    for (const button of suggestions) button.disabled = !ready;
    say.placeholder = ready ? 'Write a message' : 'Not connected; what you write stays here';
  }
}

/** The name is the tab's own, so that two tabs are two people; a reload keeps it. */
function recall() {
  try {
    return sessionStorage.getItem(NAME_KEY) ?? undefined;
  } catch {
    return undefined; // storage is switched off
  }
}

/** @param {string} name */
function remember(name) {
  try {
    sessionStorage.setItem(NAME_KEY, name);
  } catch {
    // storage is switched off
  }
}

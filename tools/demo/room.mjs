// The chat room: who is in it, what was said lately, and the rules. Every message is a JSON object with a `type`.
//
//   page -> room   { type: 'join', name }   { type: 'say', text }   { type: 'rename', name }
//   room -> page   { type: 'welcome', run, you, people, history, limits }
//                  { type: 'said', n, at, from, text }
//                  { type: 'joined' | 'left', n, at, who }   { type: 'renamed', n, at, who, was }
//                  { type: 'refused', code, text }           what the page sent was not taken, and why
import { randomInt, randomUUID } from 'node:crypto';
import { cleanName, cleanText, MAX_NAME, MAX_TEXT } from './wording.mjs';

/**
 * @typedef {{ readonly id: string, readonly name: string, readonly bot: boolean }} Person
 * @typedef {import('@ws/server').WebSocket} Socket
 * @typedef {{ socket: Socket, person: Person | undefined, tokens: number, filledAt: number, refused: number }} Member
 */

const HISTORY = 60;
const MAX_MEMBERS = 100;
/** Messages a member may send at once, and then per second. */
const BURST = 12;
const PER_SECOND = 4;
/** Messages in a row that came too fast; then the connection is closed. */
const MAX_REFUSED = 200;
/** A member with this much unread output has stopped reading. */
const MAX_UNREAD_BYTES = 1024 * 1024;

const ADJECTIVES = 'Amber Brisk Calm Coral Gentle Jolly Keen Lucky Mellow Nimble Quiet Rusty Silver Sunny Swift Violet';
const ANIMALS = 'Badger Crane Dolphin Finch Fox Heron Ibex Lynx Marten Newt Otter Owl Puffin Seal Stoat Wren';

export class Room {
  #botKey;
  #now;
  /** Tells the page whether its last message number is of this run. */
  #run = randomUUID();
  #n = 0;
  /** @type {Set<Member>} */
  #members = new Set();
  /** @type {object[]} */
  #history = [];

  /** @param {{ botKey: string, now?: () => number }} options `botKey` is what the bot shows to be marked as one */
  constructor({ botKey, now = Date.now }) {
    this.#botKey = botKey;
    this.#now = now;
  }

  /** @param {Socket} socket a connection that has just opened; it joins with its first message */
  admit(socket) {
    socket.on('error', () => {}); // the close that follows says it all
    if (this.#members.size >= MAX_MEMBERS) return socket.close(1013, 'the room is full, try again later');
    /** @type {Member} */
    const member = { socket, person: undefined, tokens: BURST, filledAt: this.#now(), refused: 0 };
    this.#members.add(member);
    socket.on('message', (data, isBinary) => this.#receive(member, isBinary ? undefined : String(data)));
    socket.on('close', () => this.#leave(member));
  }

  /**
   * @param {Member} member
   * @param {string | undefined} json
   */
  #receive(member, json) {
    if (member.socket.readyState !== member.socket.OPEN) return;
    if (!this.#mayTalk(member)) {
      if (member.refused === 1) this.#refuse(member, 'too-fast', 'Too fast: that was not delivered. Wait a moment.');
      if (member.refused > MAX_REFUSED) member.socket.close(1008, 'too many messages');
      return;
    }
    const message = json === undefined ? undefined : parseObject(json);
    const { type, name, text, key } = message ?? {};
    if (message === undefined) return this.#refuse(member, 'malformed', 'Expected a JSON object as text.');
    if (type === 'join') return this.#join(member, name, key);
    if (type !== 'say' && type !== 'rename') return this.#refuse(member, 'unknown-type', 'No such message type.');
    if (member.person === undefined) return this.#refuse(member, 'not-joined', 'Join first.');
    if (type === 'say') return this.#say(member, member.person, text);
    this.#rename(member, member.person, name);
  }

  /**
   * @param {Member} member
   * @param {unknown} name
   * @param {unknown} key
   */
  #join(member, name, key) {
    if (member.person !== undefined) return this.#refuse(member, 'joined-already', 'You are in the room already.');
    for (const other of this.#members) if (other.socket.readyState !== other.socket.OPEN) this.#leave(other); // a reload
    const wanted = cleanName(name);
    const person = { id: randomUUID(), name: this.#freeName(wanted ?? randomName()), bot: key === this.#botKey };
    member.person = person;
    const people = [...this.#members].flatMap((each) => each.person ?? []);
    const limits = { name: MAX_NAME, text: MAX_TEXT };
    this.#announce({ type: 'joined', who: person }, member);
    this.#send(member, { type: 'welcome', run: this.#run, you: person, people, history: this.#history, limits });
  }

  /**
   * @param {Member} member
   * @param {Person} from
   * @param {unknown} written
   */
  #say(member, from, written) {
    const text = cleanText(written);
    if (text === undefined) return this.#refuse(member, 'bad-text', `A message has 1 to ${MAX_TEXT} characters.`);
    this.#history.push(this.#announce({ type: 'said', from, text }));
    if (this.#history.length > HISTORY) this.#history.shift();
  }

  /**
   * @param {Member} member
   * @param {Person} person
   * @param {unknown} wanted
   */
  #rename(member, person, wanted) {
    const name = cleanName(wanted);
    if (name === undefined) return this.#refuse(member, 'bad-name', `A name has 1 to ${MAX_NAME} visible characters.`);
    if (name === person.name) return;
    member.person = undefined; // so that one's own name, spelled otherwise, counts as free
    member.person = { ...person, name: this.#freeName(name) };
    this.#announce({ type: 'renamed', who: member.person, was: person.name });
  }

  /** @param {Member} member */
  #leave(member) {
    if (this.#members.delete(member) && member.person !== undefined)
      this.#announce({ type: 'left', who: member.person });
  }

  /**
   * Numbers and dates an event and sends it to all who have joined.
   * @param {object} event
   * @param {Member} [except]
   * @returns {object} the event as sent
   */
  #announce(event, except) {
    const stamped = { n: ++this.#n, at: this.#now(), ...event };
    const json = JSON.stringify(stamped);
    for (const member of this.#members) if (member.person !== undefined && member !== except) this.#write(member, json);
    return stamped;
  }

  /**
   * @param {Member} member
   * @param {string} code
   * @param {string} text
   */
  #refuse(member, code, text) {
    this.#send(member, { type: 'refused', code, text });
  }

  /**
   * @param {Member} member
   * @param {object} message
   */
  #send(member, message) {
    this.#write(member, JSON.stringify(message));
  }

  /**
   * @param {Member} member
   * @param {string} json
   */
  #write({ socket }, json) {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
    else socket.send(json);
  }

  /**
   * Takes a token out of the member's bucket.
   * @param {Member} member
   */
  #mayTalk(member) {
    if (member.person?.bot) return true; // it answers everybody at once
    const now = this.#now();
    member.tokens = Math.min(BURST, member.tokens + ((now - member.filledAt) / 1000) * PER_SECOND);
    member.filledAt = now;
    if (member.tokens < 1) {
      member.refused += 1;
      return false;
    }
    member.tokens -= 1;
    member.refused = 0;
    return true;
  }

  /** @param {string} wanted */
  #freeName(wanted) {
    const taken = new Set([...this.#members].map(({ person }) => person?.name.toLowerCase()));
    let name = wanted;
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${wanted} ${i}`;
    return name;
  }
}

/**
 * @param {string} json
 * @returns {Record<string, unknown> | undefined}
 */
function parseObject(json) {
  try {
    const value = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function randomName() {
  const pick = (/** @type {string} */ words) => words.split(' ').at(randomInt(16));
  return `${pick(ADJECTIVES)} ${pick(ANIMALS)}`;
}

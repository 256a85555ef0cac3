// The http side: files, headers, and what is not there.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { startDemo } from '../start.mjs';
import { exchange, upgradeText } from './raw.mjs';

const PUBLIC = new URL('../public/', import.meta.url);

/** @type {import('../demo.mjs').Demo} */
let demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.close());

/** @param {string} path @param {Parameters<typeof request>[1]} [options] */
const fetchPath = (path, options) => request(new URL(path, demo.url), options);

test.each([
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/index.html', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/?utm=1', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
  { path: '/main.js', file: 'main.js', type: 'text/javascript; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
])('GET $path', async ({ path, file, type }) => {
  const { statusCode, headers, body } = await fetchPath(path);
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toBe(type);
  expect(headers['x-content-type-options']).toBe('nosniff');
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(await body.text()).toBe(readFileSync(new URL(file, PUBLIC), 'utf8'));
});

test('HEAD has the headers of GET and no body', async () => {
  const get = await fetchPath('/style.css');
  const { length } = Buffer.from(await get.body.arrayBuffer());
  const answer = await exchange(demo.url, 'HEAD /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const [head = '', body] = answer.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(head).toContain(`Content-Length: ${length}\r\n`);
  expect(body).toBe('');
});

test('a file that has not changed is not sent again', async () => {
  const first = await fetchPath('/main.js');
  await first.body.dump();
  const { etag } = first.headers;
  const second = await fetchPath('/main.js', { headers: { 'if-none-match': String(etag) } });
  expect(second.statusCode).toBe(304);
  expect(await second.body.text()).toBe('');
  const other = await fetchPath('/main.js', { headers: { 'if-none-match': '"other"' } });
  expect(other.statusCode).toBe(200);
  await other.body.dump();
});

test.each([
  '/nothing.html',
  '/../start.mjs',
  '/../../../../../../etc/passwd',
  '/%2e%2e/start.mjs',
  '/..%2fstart.mjs',
  '/..%5cstart.mjs',
  '/public/index.html',
  '/./index.html',
  '//index.html',
  '/index.html/',
  '/index.html%00.css',
  '/constructor',
  '/__proto__',
  'http://example.com/start.mjs',
])('GET %s: 404', async (path) => {
  const answer = await exchange(demo.url, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).not.toContain('import ');
});

test('other methods: 405 with Allow', async () => {
  const { statusCode, headers, body } = await fetchPath('/', { method: 'POST', body: 'x' });
  await body.dump();
  expect(statusCode).toBe(405);
  expect(headers['allow']).toBe('GET, HEAD');
});

test.each(['/chat', '/echo'])('GET %s without an upgrade: 426', async (path) => {
  const { statusCode, headers, body } = await fetchPath(path);
  await body.dump();
  expect(statusCode).toBe(426);
  expect(headers['upgrade']).toBe('websocket');
});

test('an upgrade on another path is answered, not left hanging', async () => {
  expect(await exchange(demo.url, upgradeText(demo.url, '/nowhere'))).toMatch(/^HTTP\/1\.1 400 /);
});

test.each(['/chat', '/echo'])('a page of another origin gets no connection on %s', async (path) => {
  const answer = await exchange(demo.url, upgradeText(demo.url, path, 'Origin: https://evil.example\r\n'));
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
});

test('garbage instead of HTTP is answered with 400, and the server goes on', async () => {
  expect(await exchange(demo.url, '\x16\x03\x01\x00\xff garbage\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  const { statusCode, body } = await fetchPath('/');
  await body.dump();
  expect(statusCode).toBe(200);
});

test('the page names no other host and has no inline script or style', () => {
  const names = readdirSync(PUBLIC);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    const text = readFileSync(new URL(name, PUBLIC), 'utf8').replace('http://www.w3.org/2000/svg', '');
    expect({ name, urls: text.match(/(?:https?:)?\/\/[a-z0-9-]+\.[a-z]+/gi) }).toEqual({ name, urls: null });
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
    if (name.endsWith('.html')) expect(text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on[a-z]+=/i);
  }
});

test('a page of another name that leads here (DNS rebinding) gets no WebSocket', async () => {
  const { host } = new URL(demo.url);
  const foreign = upgradeText(demo.url, '/chat', 'Origin: http://evil.example\r\n').replace(host, 'evil.example');
  expect(await exchange(demo.url, foreign)).toMatch(/^HTTP\/1\.1 403 /);
  const own = upgradeText(demo.url, '/chat').replace(host, `localhost:${new URL(demo.url).port}`);
  expect(await exchange(demo.url, own)).toMatch(/^HTTP\/1\.1 101 /);
});

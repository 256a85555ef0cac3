// nginx and haproxy as docs/deployment.md configures them: the configuration is read from the page, and only addresses and files are replaced.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@ws/testing';

/**
 * @typedef {'nginx' | 'haproxy'} Name
 *
 * @typedef {object} ProxyOptions
 * @property {readonly string[]} to where the servers listen: a port of 127.0.0.1, or the path of a Unix socket
 * @property {{ key: string, cert: string }} [tls] without it the proxy speaks plain TCP
 * @property {readonly (readonly [RegExp, string])[]} [edits] of the page's text
 *
 * @typedef {Awaited<ReturnType<typeof startProxy>>} Proxy
 */

const PAGE = new URL('../../../docs/deployment.md', import.meta.url);
const TRIES = 5;
const START_MS = 10_000;

/** The page's configuration of a proxy. @param {Name} name */
function configurationOf(name) {
  const [, text] = new RegExp(`^\`\`\`${name}\\n(.*?)^\`\`\``, 'ms').exec(readFileSync(PAGE, 'utf8')) ?? [];
  if (text === undefined) throw new Error(`docs/deployment.md has no block for ${name}`);
  return text;
}

/** What is missing on this machine, as a clause; undefined: nothing. @param {Name} name */
export function missingProxy(name) {
  return spawnSync(name, ['-v'], { stdio: 'ignore' }).status === 0
    ? undefined
    : `${name} (Debian: apt-get install ${name})`;
}

/** Replaces what has to be there. @param {string} text @param {RegExp} what @param {string} by */
function replace(text, what, by) {
  if (text.search(what) < 0) throw new Error(`the configuration has no ${what}`);
  return text.replace(what, () => by);
}

/** @param {string} text @param {number} port @param {string} folder @param {ProxyOptions} options */
function forNginx(text, port, folder, { to, tls }) {
  const servers = to.map((each) => `server ${each.startsWith('/') ? `unix:${each}` : `127.0.0.1:${each}`};`);
  let site = replace(text, /server 127\.0\.0\.1:8080;/, servers.join(' '));
  site = replace(site, /listen 443 ssl;/, `listen 127.0.0.1:${port}${tls ? ' ssl' : ''};`);
  site = replace(site, /\/etc\/ssl\/app\.pem/, `${folder}/cert.pem`);
  site = replace(site, /\/etc\/ssl\/app\.key/, `${folder}/key.pem`);
  if (!tls) site = site.replaceAll(/^.*ssl_.*\n/gm, '');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  return `pid ${folder}/pid; daemon off; worker_processes 1; user root;
worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
access_log off;
${paths.join('\n')}
${site}
}
`;
}

/** @param {string} text @param {number} port @param {string} folder @param {ProxyOptions} options */
function forHaproxy(text, port, folder, { to, tls }) {
  const servers = to.map(
    (each, index) => `server s${index} ${each.startsWith('/') ? `unix@${each}` : `127.0.0.1:${each}`} check inter 200`,
  );
  let site = replace(text, /server one 127\.0\.0\.1:8080 check/, servers.join('\n  '));
  site = replace(
    site,
    /bind :443 ssl crt \/etc\/ssl\/app\.pem/,
    `bind 127.0.0.1:${port}${tls ? ` ssl crt ${folder}/both.pem` : ''}`,
  );
  return `global\n  nbthread 1\n  maxconn 9000\n${site}`;
}

/** @param {number} port */
async function answers(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * A proxy that listens on `port` of 127.0.0.1, in the foreground and with one worker.
 * @param {Name} name @param {ProxyOptions} options @param {number} [core]
 */
export async function startProxy(name, options, core) {
  const folder = mkdtempSync(path.join(tmpdir(), `${name}-`));
  const { key = '', cert = '' } = options.tls ?? {};
  writeFileSync(`${folder}/key.pem`, key, { mode: 0o600 });
  writeFileSync(`${folder}/cert.pem`, cert);
  writeFileSync(`${folder}/both.pem`, cert + key, { mode: 0o600 });
  const page = (options.edits ?? []).reduce((text, [what, by]) => replace(text, what, by), configurationOf(name));
  let said = '';
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const port = await freePort();
      const file = `${folder}/${name}.conf`;
      writeFileSync(
        file,
        name === 'nginx' ? forNginx(page, port, folder, options) : forHaproxy(page, port, folder, options),
      );
      const args = name === 'nginx' ? ['-e', 'stderr', '-p', folder, '-c', file] : ['-W', '-db', '-f', file];
      const [command = name, ...rest] =
        core === undefined ? [name, ...args] : ['taskset', '-c', String(core), name, ...args];
      const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = once(child, 'close');
      child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
      const start = performance.now();
      while (child.exitCode === null && performance.now() - start < START_MS && !(await answers(port))) await delay(20);
      if (child.exitCode === null && (await answers(port)))
        return {
          port,
          pid: /** @type {number} */ (child.pid),
          folder,
          /** Reads its configuration anew, and leaves open connections to the worker that has them. */
          reload: () => child.kill(name === 'nginx' ? 'SIGHUP' : 'SIGUSR2'),
          async stop() {
            child.kill('SIGTERM');
            await ended;
            rmSync(folder, { recursive: true, force: true });
          },
        };
      child.kill('SIGKILL');
      await ended;
      if (!/in use|bind/i.test(said)) break; // else somebody else has taken that port
    }
    throw new Error(`${name} does not start:\n${said}`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

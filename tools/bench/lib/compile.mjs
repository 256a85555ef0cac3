// Builds the load generator with the machine's gcc and zlib.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const SOURCE_WITH_ZLIB = '#include <stdio.h>\n#include <zlib.h>\nint main(void) { return puts(zlibVersion()) < 0; }\n';

/** What the generator's build lacks on this machine, as a clause for a message; undefined: nothing. */
export function missingForLoad() {
  if (spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status !== 0)
    return 'gcc (Debian: apt-get install gcc libc6-dev)';
  const args = ['-x', 'c', '-o', '/dev/null', '-', '-lz'];
  if (spawnSync('gcc', args, { input: SOURCE_WITH_ZLIB, stdio: ['pipe', 'ignore', 'ignore'] }).status !== 0)
    return 'the headers of libc and zlib (Debian: apt-get install libc6-dev zlib1g-dev)';
  return undefined;
}

const SOURCE_WITH_OPENSSL =
  '#include <openssl/ssl.h>\nint main(void) { return SSL_CTX_new(TLS_client_method()) == 0; }\n';
const TLS = ['-DWITH_TLS', '-lssl', '-lcrypto'];

/** What wss needs and this machine lacks; without it the rest is built all the same. */
export function missingForTls() {
  const args = ['-x', 'c', '-o', '/dev/null', '-', ...TLS];
  const { status } = spawnSync('gcc', args, { input: SOURCE_WITH_OPENSSL, stdio: ['pipe', 'ignore', 'ignore'] });
  return status === 0 ? undefined : 'the headers of OpenSSL (Debian: apt-get install libssl-dev)';
}

/** @returns {string} path of the executable */
export function compileLoad() {
  const sources = path.join(HERE, 'load');
  const build = path.join(HERE, 'build');
  const target = path.join(build, 'load');
  mkdirSync(build, { recursive: true });
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  const args = [
    '-std=c11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror=incompatible-pointer-types',
    '-o',
    `${target}.${process.pid}`,
    ...files,
    '-lz',
  ];
  if (missingForTls() === undefined) args.push(...TLS);
  const { status, stderr } = spawnSync('gcc', args, { cwd: sources, encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc could not build the load generator:\n${stderr}`);
  renameSync(`${target}.${process.pid}`, target); // a generator that runs at the moment keeps its file
  return target;
}

// Builds the load generator with the machine's gcc and zlib.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { builds, compile, missingGcc } from './gcc.mjs';

const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const SOURCES = path.join(HERE, 'load');

const SOURCE_WITH_ZLIB = '#include <stdio.h>\n#include <zlib.h>\nint main(void) { return puts(zlibVersion()) < 0; }\n';
const ZLIB = ['-lz'];

/** What the generator's build lacks on this machine, as a clause for a message; undefined: nothing. */
export function missingForLoad() {
  const missing = missingGcc();
  if (missing !== undefined || builds(SOURCE_WITH_ZLIB, ZLIB)) return missing;
  return 'the headers of libc and zlib (Debian: apt-get install libc6-dev zlib1g-dev)';
}

const SOURCE_WITH_OPENSSL =
  '#include <openssl/ssl.h>\nint main(void) { return SSL_CTX_new(TLS_client_method()) == 0; }\n';
const TLS = ['-DWITH_TLS', '-lssl', '-lcrypto'];

/** What wss needs and this machine lacks; without it the rest is built all the same. */
export const missingForTls = () =>
  builds(SOURCE_WITH_OPENSSL, TLS) ? undefined : 'the headers of OpenSSL (Debian: apt-get install libssl-dev)';

const MAIN = 'load.c';

/** @param {(name: string) => boolean} isWanted @returns {string[]} */
const sources = (isWanted) =>
  readdirSync(SOURCES)
    .filter((name) => name.endsWith('.c') && isWanted(name))
    .map((name) => path.join(SOURCES, name));

/** @returns {string} path of the executable */
export function compileLoad() {
  const tls = missingForTls() === undefined ? TLS : [];
  return compile(path.join(HERE, 'build/load'), [...sources(() => true), ...ZLIB, ...tls]);
}

/** A program of its own, from `source` and the parts of the generator. @param {string} source @param {string} target path of the executable @returns {string} `target` */
export const compileWithParts = (source, target) =>
  compile(target, ['-I', SOURCES, source, ...sources((name) => name !== MAIN), ...ZLIB]);

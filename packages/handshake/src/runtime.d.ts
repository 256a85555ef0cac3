// The one global beyond ECMAScript that this package uses: Web Crypto, found in browsers, Workers, Deno, Bun and Node.
declare const crypto: { getRandomValues(array: Uint8Array): Uint8Array };

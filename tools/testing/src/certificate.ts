import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A private key and its certificate, both PEM: what `https.createServer` and `tls.connect({ ca: cert })` take. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** One DER value: tag, length in its shortest form, content. X.690 §8.1. */
function der(tag: number, ...contents: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(contents.map((part) => (typeof part === 'string' ? Buffer.from(part, 'ascii') : part)));
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const oid = (encoded: string): Buffer => der(0x06, Buffer.from(encoded, 'hex'));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');
const TRUE = der(0x01, Buffer.of(0xff));

/** GeneralName: an IPv4 address as its four octets ([7]), anything else as a DNS name ([2]). RFC 5280 §4.2.1.6. */
function generalName(host: string): Buffer {
  if (isIP(host) === 6) throw new RangeError(`host is ${host}, expected a name or an IPv4 address`);
  return isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, host);
}

/**
 * A self-signed certificate made on the spot (ECDSA, P-256), so that tests need neither openssl nor a key in the
 * repository. It is valid for `hosts` and may be given as `ca` to whoever shall trust it.
 */
export function makeCertificate(hosts: readonly string[] = ['localhost', '127.0.0.1']): Certificate {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, 'made in a test'))));
  const extensions = sequence(
    sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, sequence(TRUE))),
    sequence(SUBJECT_ALT_NAME, der(0x04, sequence(...hosts.map(generalName)))),
  );
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.of(1)), // serial number
    ECDSA_WITH_SHA256,
    name, // issuer
    sequence(der(0x17, '200101000000Z'), der(0x17, '491231235959Z')),
    name, // subject
    pair.publicKey,
    der(0xa3, extensions),
  );
  const signature = sign('sha256', toBeSigned, createPrivateKey(pair.privateKey));
  const certificate = sequence(toBeSigned, ECDSA_WITH_SHA256, der(0x03, Buffer.of(0), signature));
  const base64 = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return { key: pair.privateKey, cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n` };
}

// Certificates made on the spot.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const KINDS = {
  ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
};

/** @param {keyof typeof KINDS} kind @returns {{ key: string, cert: string }} */
export function makeCertificate(kind) {
  const folder = mkdtempSync(path.join(tmpdir(), 'certificate-'));
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  const fixed = ['req', '-x509', '-nodes', '-days', '30', '-subj', '/CN=127.0.0.1', '-keyout', key, '-out', cert];
  try {
    execFileSync('openssl', [...fixed, ...KINDS[kind]], { stdio: 'ignore' });
    return { key: readFileSync(key, 'latin1'), cert: readFileSync(cert, 'latin1') };
  } catch (error) {
    throw new Error('this measurement needs openssl (Debian: apt-get install openssl)', { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

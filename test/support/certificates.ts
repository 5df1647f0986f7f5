/** Certificates made by openssl: an authority of our own, and a server's signed by it. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface TestCertificate {
  /** PEM of the authority. */
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the server's certificate, with colons. */
  readonly fingerprint: string;
}

/** `names`: as in subjectAltName, such as `DNS:localhost`. */
export async function makeCertificate(names: string): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-certificates-'));
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    await writeFile(join(folder, 'names'), `subjectAltName=${names}\n`);
    await openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      '/CN=Test CA',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    await openssl(
      'req',
      ...newKey,
      '-subj',
      '/CN=test',
      '-keyout',
      'key.pem',
      '-out',
      'request.pem',
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      'request.pem',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'names',
      '-out',
      'cert.pem',
    );
    const [ca, key, cert] = await Promise.all(
      ['ca.pem', 'key.pem', 'cert.pem'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    const { fingerprint256 } = new X509Certificate(cert!);
    return { ca: ca!, key: key!, cert: cert!, fingerprint: fingerprint256 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

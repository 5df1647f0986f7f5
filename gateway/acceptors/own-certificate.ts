/**
 * A certificate of our own for TLS, where people have configured none: made once, kept in dataDir, and trusted by its
 * fingerprint, which stays the same. X.509 v3, RFC 5280 §4.1, with an ECDSA key on P-256 (RFC 5480, RFC 5758 §3.2).
 *
 * It never ends (RFC 5280 §4.1.2.5), and begins before any clock that a box may have at its first start.
 */
import { generateKeyPair, randomBytes, sign, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import type { CertificateFiles } from '../certificate.ts';

const CERT_FILE = 'own-certificate.pem';
const KEY_FILE = 'own-certificate.key';
const NOT_BEFORE = '200101000000Z';
const NOT_AFTER = '99991231235959Z';

/** DER tags, ITU-T X.690. */
const Tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  version: 0xa0,
  extensions: 0xa3,
} as const;
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
/** 2.5.4.3 */
const COMMON_NAME = '550403';
/** 2.5.29.17 */
const SUBJECT_ALT_NAME = '551d11';
const SERIAL_BYTES = 16;
const VERSION_3 = 2;

/** Made when it is not there. Its fingerprint goes to the log, for those who want to pin it. */
export async function ownCertificate(
  dataDir: string,
  gatewayId: string,
  log: Logger,
): Promise<CertificateFiles> {
  const files = { certFile: join(dataDir, CERT_FILE), keyFile: join(dataDir, KEY_FILE) };
  const known = await readFile(files.certFile).catch(() => undefined);
  const cert = known ?? (await make(files, dataDir, gatewayId));
  const { fingerprint256 } = new X509Certificate(cert);
  log.info(
    { certFile: files.certFile, fingerprint: fingerprint256 },
    'TLS with a certificate of our own; clients can pin its SHA-256 fingerprint',
  );
  return files;
}

/** The key first: a certificate that is there has its key. */
async function make(files: CertificateFiles, dataDir: string, name: string): Promise<Buffer> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const pem = Buffer.from(pemOf(selfSigned(name, publicKey, privateKey)));
  await mkdir(dataDir, { recursive: true });
  await replaceFile(files.keyFile, Buffer.from(privateKey));
  await replaceFile(files.certFile, pem);
  return pem;
}

async function replaceFile(path: string, content: Buffer): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function selfSigned(name: string, publicKey: Buffer, privateKey: string): Buffer {
  const algorithm = der(Tag.sequence, oid(ECDSA_WITH_SHA256));
  const toBeSigned = der(
    Tag.sequence,
    der(Tag.version, der(Tag.integer, Buffer.of(VERSION_3))),
    der(Tag.integer, serialNumber()),
    algorithm,
    commonName(name),
    der(
      Tag.sequence,
      der(Tag.utcTime, Buffer.from(NOT_BEFORE)),
      der(Tag.generalizedTime, Buffer.from(NOT_AFTER)),
    ),
    commonName(name),
    publicKey,
    der(Tag.extensions, der(Tag.sequence, subjectAltName(name, 'localhost'))),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return der(Tag.sequence, toBeSigned, algorithm, bitString(signature));
}

function commonName(name: string): Buffer {
  const value = der(Tag.utf8String, Buffer.from(name));
  return der(Tag.sequence, der(Tag.set, der(Tag.sequence, oid(COMMON_NAME), value)));
}

function subjectAltName(...names: readonly string[]): Buffer {
  const all = der(Tag.sequence, ...names.map((name) => der(Tag.dnsName, Buffer.from(name))));
  return der(Tag.sequence, oid(SUBJECT_ALT_NAME), der(Tag.octetString, all));
}

/** Positive, and without a zero in front. */
function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function oid(hex: string): Buffer {
  return der(Tag.objectIdentifier, Buffer.from(hex, 'hex'));
}

/** The first byte: how many bits of the last are unused. */
function bitString(bytes: Buffer): Buffer {
  return der(Tag.bitString, Buffer.of(0), bytes);
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function pemOf(certificate: Buffer): string {
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

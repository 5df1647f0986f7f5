/** A certificate and its key, wherever they stand. */
import { failAt, type KeyPath } from './config-error.ts';

interface CertificatePair {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export function checkCertificatePair(
  { certFile, keyFile }: CertificatePair,
  path: KeyPath,
  file: string,
): void {
  if ((certFile === undefined) === (keyFile === undefined)) return;
  const missing = certFile === undefined ? 'certFile' : 'keyFile';
  failAt(file, [...path, missing], 'expected beside the other half of the pair, got nothing');
}

/** From the configuration's three keys about certificates to what a driver or publisher trusts. */
import { readFileSync } from 'node:fs';
import type { TlsTrust } from '../drivers/tls-trust.ts';

interface TrustKeys {
  readonly caFile?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly insecure: boolean;
}

export function tlsTrust({ caFile, fingerprint, insecure }: TrustKeys): TlsTrust {
  return { ca: caFile === undefined ? undefined : readFileSync(caFile), fingerprint, insecure };
}

/** What stands for secrets, and keeps them off the page. */

/** The gateway puts it in place of every secret, with a short mark behind it; sent back it means: as it is. */
const MASK = '***';

const SECRET_KEYS: ReadonlySet<unknown> = new Set(['password', 'token', 'streamKey']);

export function isSecretKey(key: unknown): boolean {
  return SECRET_KEYS.has(key);
}

export function isMask(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(MASK);
}

/** A URL without the password in front of its host, and without those in its query. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/(:\/\/[^/?#\s@:]*:)[^/?#\s]*@/g, '$1***@')
    .replace(/([?&;](?:password|passwd|pwd|pass|token|key|secret)=)[^&#\s]*/gi, '$1***');
}

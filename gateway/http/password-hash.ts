/** Passwords as scrypt hashes (RFC 7914). */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * 50 ms of a desktop's core, some 150 ms of a Raspberry Pi's: as much work as N = 2^14, p = 1, the usual choice for logins, in 1 MiB
 * instead of 16. Because: glibc keeps what scrypt took, once for each of libuv's four threads (measured after 20 logins: 65 MB with
 * N = 2^14, 4 MB with this). Whoever can read the file reads the cameras' passwords beside it without guessing. The file says what it
 * was made with, so that this may change.
 */
const COST = { N: 1024, r: 8, p: 16 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Of a hash that was read from a file: more is none of ours, and takes memory or time that nobody has. */
const MAX_N = 16_384;
const MAX_P = 64;
/** One is made at a time; who comes when so many wait is told to come again: 1 s of work on a small box. */
const MAX_WAITING = 8;

export interface PasswordHash {
  readonly algorithm: 'scrypt';
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** Base64. */
  readonly salt: string;
  readonly key: string;
}

/** As many wait as may. */
export class HashingBusyError extends Error {
  override readonly name = 'HashingBusyError';
}

export class PasswordHashing {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  async hash(password: string): Promise<PasswordHash> {
    const salt = randomBytes(SALT_BYTES);
    const key = await this.#derive(password, salt, COST);
    const base64 = (bytes: Buffer) => bytes.toString('base64');
    return { algorithm: 'scrypt', ...COST, salt: base64(salt), key: base64(key) };
  }

  async isRight(password: string, { N, r, p, salt, key }: PasswordHash): Promise<boolean> {
    const wanted = Buffer.from(key, 'base64');
    const derived = await this.#derive(password, Buffer.from(salt, 'base64'), { N, r, p });
    return timingSafeEqual(derived, wanted);
  }

  /** Rejects with a `HashingBusyError`. */
  #derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new HashingBusyError('many log in at this moment'));
    }
    this.#waiting += 1;
    const derived = this.#last.then(() => derive(password, salt, cost));
    this.#last = derived
      .catch(() => undefined)
      .finally(() => {
        this.#waiting -= 1;
      });
    return derived;
  }
}

/** undefined: not one that `hash` has made. */
export function parsePasswordHash(value: unknown): PasswordHash | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { algorithm, N, r, p, salt, key } = value as Partial<Record<keyof PasswordHash, unknown>>;
  const isOurs =
    algorithm === 'scrypt' &&
    isWithin(N, 2, MAX_N) &&
    (N & (N - 1)) === 0 &&
    isWithin(r, 8, 8) &&
    isWithin(p, 1, MAX_P) &&
    hasBytes(salt, SALT_BYTES) &&
    hasBytes(key, KEY_BYTES);
  return isOurs ? { algorithm, N, r, p, salt, key } : undefined;
}

function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function hasBytes(value: unknown, bytes: number): value is string {
  return typeof value === 'string' && Buffer.from(value, 'base64').length === bytes;
}

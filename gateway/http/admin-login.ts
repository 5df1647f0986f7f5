/**
 * The administrator's login. Where none is configured and others can connect, a password is made at the first start,
 * kept in dataDir, and shown once on the console. There is never a built-in one.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isLoopback, parseHostPort } from '../config/fields.ts';
import { writeAtomically } from '../config/identity.ts';
import type { Config } from '../config/schema.ts';
import { registerSecret } from '../secrets.ts';

const FIRST_USERNAME = 'admin';
const FILE = 'http-password';
/** For nobody but the service's own user. */
const MODE = 0o600;
/** No letters that look like one another; 20 of 31 are 99 bits. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = 20;

export interface AdminLogin {
  readonly username: string;
  readonly password: string;
}

/** undefined: being on this machine is the login. `show` is called when a password is new. */
export function adminLogin(
  { http, gateway }: Config,
  log: Logger,
  show: (words: string) => void,
): AdminLogin | undefined {
  if (http.admin !== undefined) {
    const { username, password = '' } = http.admin;
    return { username, password };
  }
  if (isLoopbackListen(http.listen)) return undefined;
  return { username: FIRST_USERNAME, password: firstPassword(gateway.dataDir, log, show) };
}

export function isLoopbackListen(listen: string): boolean {
  return isLoopback(parseHostPort(listen)?.host ?? '');
}

function firstPassword(dataDir: string, log: Logger, show: (words: string) => void): string {
  const file = join(dataDir, FILE);
  const kept = readKept(file);
  if (kept !== undefined) {
    registerSecret(kept);
    log.info({ username: FIRST_USERNAME, file }, 'the login for HTTP was made at the first start');
    return kept;
  }
  const password = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join(
    '',
  );
  registerSecret(password);
  let where = `It is kept in ${file}.`;
  try {
    writeAtomically(dataDir, FILE, `${password}\n`, MODE);
  } catch (err) {
    log.warn(
      { err, dataDir },
      'cannot write to dataDir: the login for HTTP holds until the next start',
    );
    where = 'It holds until the next start: dataDir cannot be written to.';
  }
  show(
    `The login for HTTP, shown this once: ${FIRST_USERNAME} ${password}\n${where} http.admin sets another.\n`,
  );
  return password;
}

function readKept(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    // Not there, or not yet.
    return undefined;
  }
}

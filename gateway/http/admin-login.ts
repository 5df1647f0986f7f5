/**
 * The administrator's login. Where none is configured and others can connect, a password is made at the first start and
 * shown once on the console; dataDir has its hash only. There is never a built-in one.
 */
import { randomInt } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isLoopback, parseHostPort } from '../config/fields.ts';
import type { Config } from '../config/schema.ts';
import { KeptFile } from '../kept-file.ts';
import { registerSecret } from '../secrets.ts';
import { type AdminAccount, ConfiguredAdmin, KeptAdmin, type KeptLogin } from './admin-account.ts';
import { PasswordHashing, parsePasswordHash } from './password-hash.ts';

const FIRST_USERNAME = 'admin';
const FILE = 'http-login.json';
/** Of versions that kept the password as it is. */
const OLD_FILE = 'http-password';
/** No letters that look like one another; 20 of 31 are 99 bits. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = 20;

/** undefined: being on this machine is the login. `show` is called when a password is new. */
export async function adminLogin(
  { http, gateway }: Config,
  log: Logger,
  show: (words: string) => void,
): Promise<AdminAccount | undefined> {
  if (http.admin !== undefined) {
    const { username, password = '' } = http.admin;
    return new ConfiguredAdmin(username, password);
  }
  if (isLoopbackListen(http.listen)) return undefined;
  return await keptAdmin(gateway.dataDir, log, show);
}

export function isLoopbackListen(listen: string): boolean {
  return isLoopback(parseHostPort(listen)?.host ?? '');
}

async function keptAdmin(
  dataDir: string,
  log: Logger,
  show: (words: string) => void,
): Promise<AdminAccount> {
  const file = new KeptFile(dataDir, FILE);
  const hashing = new PasswordHashing();
  // Without the one before: a password that was replaced is to be nowhere.
  const keep = (login: KeptLogin) => file.write(serialize(login), false);
  const tryToKeep = async (login: KeptLogin, words: string) => {
    try {
      await keep(login);
      return true;
    } catch (err) {
      log.warn({ err, dataDir }, words);
      return false;
    }
  };
  const text = file.read('newest');
  let login = text === undefined ? undefined : parseKept(text);
  if (text !== undefined && login === undefined) {
    log.error(
      { file: join(dataDir, FILE) },
      'the kept login for HTTP is damaged: a new password is made',
    );
  }
  const old = readOld(dataDir);
  if (login !== undefined) {
    log.info(
      { username: login.username, file: join(dataDir, FILE) },
      'the login for HTTP is the one that is kept',
    );
    if (old !== undefined) removeOld(dataDir, log);
  } else if (old !== undefined && text === undefined) {
    login = { username: FIRST_USERNAME, isMade: true, hash: await hashing.hash(old) };
    const words = 'cannot write to dataDir: the password for HTTP stays there as it is';
    if (await tryToKeep(login, words)) removeOld(dataDir, log);
  } else {
    const password = newPassword();
    login = { username: FIRST_USERNAME, isMade: true, hash: await hashing.hash(password) };
    // Before it is kept: were the power to go between, the next start makes another.
    show(
      `The login for HTTP, shown this once: ${FIRST_USERNAME} ${password}\nSet one of your own on the web page. Lost? Delete ${join(dataDir, FILE)} and start again.\n`,
    );
    const words = 'cannot write to dataDir: the login for HTTP holds until the next start';
    if (!(await tryToKeep(login, words))) {
      show('It holds until the next start: dataDir cannot be written to.\n');
    }
  }
  return new KeptAdmin(login, hashing, keep);
}

function newPassword(): string {
  const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]);
  const password = letters.join('');
  registerSecret(password);
  return password;
}

function serialize({ username, isMade, hash }: KeptLogin): string {
  return `${JSON.stringify({ username, isMade, hash }, null, 2)}\n`;
}

function parseKept(text: string): KeptLogin | undefined {
  try {
    const { username, isMade, hash } = JSON.parse(text) as Record<string, unknown>;
    const parsed = parsePasswordHash(hash);
    if (typeof username !== 'string' || username === '' || parsed === undefined) return undefined;
    return { username, isMade: isMade === true, hash: parsed };
  } catch {
    // No JSON, or null.
    return undefined;
  }
}

function readOld(dataDir: string): string | undefined {
  try {
    const text = readFileSync(join(dataDir, OLD_FILE), 'utf8').trim();
    if (text === '') return undefined;
    registerSecret(text);
    return text;
  } catch {
    // None, as it should be.
    return undefined;
  }
}

function removeOld(dataDir: string, log: Logger): void {
  const file = join(dataDir, OLD_FILE);
  try {
    rmSync(file, { force: true });
    log.info({ file }, 'the password for HTTP is kept as a hash from now on');
  } catch (err) {
    log.warn({ err, file }, 'cannot remove the file with the password as it is: remove it');
  }
}

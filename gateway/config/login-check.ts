/** A user name and its password, wherever they stand. */
import { failAt, type KeyPath } from './config-error.ts';
import type { LoginConfig } from './schema.ts';

interface Login {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

export function checkLogin(login: Login, path: KeyPath, file: string): void {
  const { username, password, passwordFile } = login;
  if (password !== undefined && passwordFile !== undefined) {
    failAt(file, [...path, 'passwordFile'], 'expected password or passwordFile, got both');
  }
  if (username === undefined && (password ?? passwordFile) !== undefined) {
    failAt(file, [...path, 'username'], 'expected a user name beside the password, got nothing');
  }
}

export function hasLogin({ username, token, tokenFile }: LoginConfig): boolean {
  return (username ?? token ?? tokenFile) !== undefined;
}

/** Of those who come to us: nothing of it may be missing. */
export function checkWholeLogin(login: LoginConfig, path: KeyPath, file: string): void {
  checkLogin(login, path, file);
  const { username, password, passwordFile, token, tokenFile, addresses } = login;
  if (token !== undefined && tokenFile !== undefined) {
    failAt(file, [...path, 'tokenFile'], 'expected token or tokenFile, got both');
  }
  if (username !== undefined && (password ?? passwordFile) === undefined) {
    failAt(file, [...path, 'password'], 'expected a password beside the user name, got nothing');
  }
  if (!hasLogin(login) && addresses === undefined) {
    failAt(
      file,
      path,
      'expected username and password, or token; left out altogether: everybody may',
    );
  }
}

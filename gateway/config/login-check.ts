/** A user name and its password, wherever they stand. */
import { failAt, type KeyPath } from './config-error.ts';

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

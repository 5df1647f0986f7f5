/** The broker's login in the fleet view: kept for this tab alone, and only where whoever typed it said so. */
import { fieldOf } from './field-of.ts';
import type { Login } from './mqtt-connection.ts';

const KEY = 'sluice-broker-login';

export function recallLogin(): Login | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    return isLogin(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: what was kept is forgotten. */
export function keepLogin(login: Login | undefined): void {
  try {
    if (login === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(login));
  } catch {
    // The browser keeps nothing: it is asked again.
  }
}

function isLogin(value: unknown): value is Login {
  return (
    typeof fieldOf(value, 'username') === 'string' && typeof fieldOf(value, 'password') === 'string'
  );
}

/** The verb `adopt`: its arguments from what somebody typed, and what of its reply is shown. */
import { fieldOf } from '../field-of.ts';

export interface AdoptWishes {
  readonly name: string;
  readonly username: string;
  readonly password: string;
  /** Empty: as the settings say. */
  readonly profile: string;
}

/** Or what is wrong. */
export function adoptArguments(
  device: string,
  { name, username, password, profile }: AdoptWishes,
): Readonly<Record<string, string>> | 'nameWrong' | 'passwordAlone' {
  if (name !== '' && !/^[a-z0-9-]{1,48}$/.test(name)) return 'nameWrong';
  if (username === '' && password !== '') return 'passwordAlone';
  const wishes = { name, username, password, profile };
  const typed = Object.entries(wishes).filter(([, value]) => value !== '');
  return { device, ...Object.fromEntries(typed) };
}

export interface AdoptReply {
  readonly adoptedAs: string;
  readonly code: string | undefined;
  readonly reason: string | undefined;
}

/** Throws where it does not say what became of it. */
export function readAdoptReply(data: unknown): AdoptReply {
  const at = (key: string): string | undefined => {
    const value = fieldOf(data, key);
    return typeof value === 'string' ? value : undefined;
  };
  const adoptedAs = at('adoptedAs');
  if (adoptedAs === undefined) throw new Error('expected the name of the stream');
  return { adoptedAs, code: at('code'), reason: at('reason') };
}

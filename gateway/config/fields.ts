/**
 * Building blocks of the schema: each carries, beside its check, the words that say what is
 * expected ("a whole number from 1 to 60"), for the one-line error and for the JSON Schema.
 */
import { isIP } from 'node:net';
import * as z from 'zod/mini';

/** Names that end in topics and stream keys. */
const NAME_PATTERN = /^[a-z0-9-]{1,48}$/;
const NAME_EXPECTED = '1 to 48 lower-case letters, digits or hyphens';

/** No text of ours is longer; a bound keeps a mistaken paste out of the log. */
const MAX_TEXT = 4096;

export function name() {
  return z.string({ error: NAME_EXPECTED }).check(z.regex(NAME_PATTERN, { error: NAME_EXPECTED }));
}

export function text(expected: string) {
  return z
    .string({ error: expected })
    .check(z.minLength(1, { error: expected }), z.maxLength(MAX_TEXT, { error: expected }));
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `one of ${values.join(', ')}` });
}

export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).check(z.minimum(min, { error }), z.maximum(max, { error }));
}

/** A text with a check of its own; `problem` returns what is expected, or undefined when all is well. */
export function checkedText(expected: string, problem: (value: string) => string | undefined) {
  return text(expected).check(
    z.refine((value: string) => problem(value) === undefined, {
      error: (issue) =>
        typeof issue.input === 'string' ? (problem(issue.input) ?? expected) : expected,
    }),
  );
}

/** `host:port`, with IPv6 in brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function parseHostPort(value: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(value);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port > 65535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  return plain === undefined ? undefined : { host: plain, port };
}

export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `10.0.0.5`, or a range of them as `10.0.0.0/24`. */
export function parseAddressRange(value: string): AddressRange | undefined {
  const [, address = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(value) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  return prefix <= bits ? { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** A listen address that only this machine can reach; `why` says why no other is taken. */
export function loopbackListen(example: string, why: string) {
  const expected = `a listen address such as ${example}`;
  return checkedText(expected, (value) => {
    const address = parseHostPort(value);
    if (address === undefined) return expected;
    return isLoopback(address.host) ? undefined : `a loopback address such as ${example} (${why})`;
  });
}

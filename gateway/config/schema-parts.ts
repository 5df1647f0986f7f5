/** What several sections of the configuration have in common. */
import * as z from 'zod/mini';
import { checkedText, flag, text } from './fields.ts';

export const MINUTE_MS = 60_000;
export const MEBIBYTE = 1024 * 1024;

/** A section left out is the section with all its defaults. */
export function section<const Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  return z
    .prefault(z.strictObject(shape, { error: mapOnly }), {} as never)
    .check(z.describe(description));
}

export function mapOnly(issue: { readonly code?: string }): string | undefined {
  return issue.code === 'invalid_type' ? 'a map of keys' : undefined;
}

export const username = z.optional(text('a user name')).check(z.describe('User name'));
export const password = z
  .optional(text('a password'))
  .check(z.describe('Password; better given as passwordFile or from the environment'));
export const passwordFile = z
  .optional(text('the path of a file'))
  .check(z.describe('File that holds the password; a trailing newline is not part of it'));

export const caFile = z
  .optional(text('the path of a PEM file'))
  .check(z.describe('Certificate authority to trust instead of the system’s'));

const FINGERPRINT_EXPECTED = 'a SHA-256 fingerprint of 64 hexadecimal digits';
export const fingerprint = z
  .optional(
    checkedText(FINGERPRINT_EXPECTED, (value) =>
      /^[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31}$/.test(value) ? undefined : FINGERPRINT_EXPECTED,
    ),
  )
  .check(z.describe('SHA-256 of the peer’s certificate: trust exactly that one'));

export const insecure = z
  ._default(flag(), false)
  .check(z.describe('TLS without any check of the certificate; said loudly'));

/** How long a password holds against guessing, roughly. The server alone decides what it takes. */

export type PasswordStrength = 'empty' | 'weak' | 'fair' | 'good';

/** Guesses that stay below these, as powers of two: an evening's, and a rich attacker's with the hash in hand. */
const FAIR_BITS = 40;
const GOOD_BITS = 64;

const KINDS: readonly (readonly [RegExp, number])[] = [
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[0-9]/, 10],
  [/[ -/:-@[-`{-~]/, 33],
  [/[^ -~]/, 100],
];

/** What everybody tries first, and what comes after it on the keyboard or in the alphabet. */
const FIRST_TRIED = /passw|admin|sluice|camera|qwert|letmein|welcome|secret/gi;

export function passwordStrength(password: string): PasswordStrength {
  if (password === '') return 'empty';
  const bits = guessBits(password);
  if (bits < FAIR_BITS) return 'weak';
  return bits < GOOD_BITS ? 'fair' : 'good';
}

function guessBits(password: string): number {
  const alphabet = KINDS.reduce((sum, [kind, size]) => sum + (kind.test(password) ? size : 0), 0);
  const text = password.replace(FIRST_TRIED, '*');
  const codes = [...text].map((letter) => letter.codePointAt(0) ?? 0);
  // A letter that repeats the one before, or is its neighbour, adds nothing to guess.
  const surprises = codes.filter(
    (code, at) => at === 0 || Math.abs(code - (codes[at - 1] ?? 0)) > 1,
  ).length;
  return surprises * Math.log2(Math.max(2, alphabet));
}

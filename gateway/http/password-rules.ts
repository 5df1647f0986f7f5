/** Which passwords people may choose (NIST SP 800-63B §5.1.1.2: long enough, and none that everybody tries; no rules on signs). */

const MIN_LENGTH = 10;
const MAX_LENGTH = 256;
/** aaaaaaaaaa, 1212121212. */
const MIN_DIFFERENT = 5;

/** Beginnings of the lists that are tried first, and what stands on cameras. */
const TRIED_FIRST =
  /^(?:password|passw0rd|admin|sluice|camera|qwert[yz]|qwertyuiop|letmein|welcome|iloveyou|changeme|default|abc|abcdefghij)?(?:0?123456789?0?|12345|1234|123|12|1|20\d\d|!|#)*$/i;

/** What is wrong with it, in words for whoever chose it. */
export function passwordProblem(
  password: string,
  username: string,
  current: string,
): string | undefined {
  const { length } = [...password];
  if (length < MIN_LENGTH) return `expected at least ${MIN_LENGTH} characters`;
  if (length > MAX_LENGTH) return `expected at most ${MAX_LENGTH} characters`;
  if (password === current) return 'expected another password than the present one';
  const lower = password.toLowerCase();
  const without = lower.replaceAll(username.toLowerCase(), '');
  if (new Set(without).size < MIN_DIFFERENT || TRIED_FIRST.test(lower)) {
    return 'this password is one of those that are tried first; three unrelated words are better';
  }
  return undefined;
}

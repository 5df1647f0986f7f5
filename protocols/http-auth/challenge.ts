/**
 * WWW-Authenticate: one or several challenges, in one header or many. RFC 7235 §4.1, RFC 7616 §3.3.
 *
 * Read as cameras write it: `algorithm` and `qop` with or without quotes, `stale=TRUE`, commas and spaces
 * anywhere, several challenges in one line. What cannot be read is skipped.
 */

export interface Challenge {
  /** Lower case: digest, basic. */
  readonly scheme: string;
  /** Keys in lower case, quotes and escapes taken off. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** No camera's header comes near; what is longer is not looked at. */
const MAX_HEADER_LENGTH = 8192;
const MAX_CHALLENGES = 16;

const TOKEN = /[^\s,="]+/y;
/** A parameter: token = (token | quoted string). An unquoted value may hold = (Base64) and goes to the comma. */
const PARAMETER = /([^\s,="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*))/y;
const SEPARATORS = /[\s,]*/y;

export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap((header) => parseHeader(header.slice(0, MAX_HEADER_LENGTH)));
}

function parseHeader(text: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = skip(SEPARATORS, text, 0);
  while (at < text.length && challenges.length < MAX_CHALLENGES) {
    PARAMETER.lastIndex = at;
    const parameter = PARAMETER.exec(text);
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (parameter?.[1] !== undefined) {
      const value = parameter[2]?.replace(/\\(.)/g, '$1') ?? parameter[3] ?? '';
      challenges.at(-1)?.parameters.set(parameter[1].toLowerCase(), value);
      at = PARAMETER.lastIndex;
    } else if (token !== null) {
      challenges.push({ scheme: token[0].toLowerCase(), parameters: new Map() });
      at = TOKEN.lastIndex;
    } else {
      at += 1; // a stray quote or equals sign
    }
    at = skip(SEPARATORS, text, at);
  }
  return challenges;
}

function skip(separators: RegExp, text: string, at: number): number {
  separators.lastIndex = at;
  separators.exec(text);
  return separators.lastIndex;
}

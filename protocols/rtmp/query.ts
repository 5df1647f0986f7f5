/**
 * Parameters behind a question mark, as clients put them into the application and the stream name: `live?token=x`,
 * `cam?user=u&pass=p`. ffmpeg writes a second question mark where there is one already, and leaves the base64 of its logins
 * as it is, so that `+` is no space.
 */

/** Real ones have six at most. */
const MAX_PARAMETERS = 32;

export type RtmpQuery = ReadonlyMap<string, string>;

export interface WithQuery {
  /** What is before the question mark. */
  readonly path: string;
  readonly query: RtmpQuery;
}

/** The first of two parameters of the same name counts. */
export function splitQuery(text: string): WithQuery {
  const mark = text.indexOf('?');
  if (mark < 0) return { path: text, query: new Map() };
  const query = new Map<string, string>();
  for (const pair of text.slice(mark + 1).split(/[?&]/, MAX_PARAMETERS)) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (!query.has(key)) query.set(key, equals < 0 ? '' : decoded(pair.slice(equals + 1)));
  }
  return { path: text.slice(0, mark), query };
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // not percent-encoded after all
  }
}

/** What one table of the ancestor's configuration becomes: an entry of sluice.yaml, and what to say about it. */
export interface Piece {
  /** The stream's name, where the entry stands under a name. */
  readonly name?: string;
  /** Undefined where nothing comes of it. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
  /** One line each. */
  readonly remarks: readonly string[];
}

/** `name (application)`; people look for the line first. */
export function at(line: number, application: string): string {
  return `line ${line} (${application})`;
}

/** Entries left out where they are undefined. */
export function withoutUndefined(
  entries: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

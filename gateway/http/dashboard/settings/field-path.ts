/** Where something is in the configuration, written as the gateway writes it: `proxypublish.targets[0].targetUri`. */

export type FieldPath = readonly (string | number)[];

export function formatPath(path: FieldPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** Of `streams.door.source: expected …`, with or without the file's name in front; undefined where it names none. */
export function pathIn(message: string): string | undefined {
  return /^(?:\S+\.ya?ml: )?([a-z]\w*(?:\.[\w-]+|\[\d+\])*): /i.exec(message)?.[1];
}

/** Whether a field is at that path, or is what holds it. */
export function isWithin(path: string, holder: string): boolean {
  if (!path.startsWith(holder)) return false;
  const next = path[holder.length];
  return next === undefined || next === '.' || next === '[';
}

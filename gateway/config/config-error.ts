/** A configuration that cannot be used: one line with file, path of the key and what is expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type KeyPath = readonly PropertyKey[];

/** `proxypublish.targets[0].targetUri` */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text;
}

/** Throws the one line. `file` is the file's name as the user gave it. */
export function failAt(file: string, path: KeyPath, problem: string): never {
  const where = path.length === 0 ? file : `${file}: ${formatPath(path)}`;
  throw new ConfigError(`${where}: ${problem}`.replace(/\s*\n\s*/g, ' '));
}

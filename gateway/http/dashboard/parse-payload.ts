/** A payload as the value that it is; undefined when it is none, or another. */
export function parsePayload<T>(
  payload: Uint8Array,
  isWhole: (value: unknown) => value is T,
): T | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    return isWhole(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

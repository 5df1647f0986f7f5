/** The presets in the reply to `ptz` with the action `presets`. */

export interface Preset {
  readonly token: string;
  readonly name: string;
}

/** What is not understood is left out. */
export function presetsIn(data: unknown): readonly Preset[] {
  const { presets } = (typeof data === 'object' && data !== null ? data : {}) as {
    readonly presets?: unknown;
  };
  if (!Array.isArray(presets)) return [];
  return presets.flatMap((preset: unknown) => {
    const { token, name } = (preset ?? {}) as { readonly token?: unknown; readonly name?: unknown };
    if (typeof token !== 'string' || token === '') return [];
    return [{ token, name: typeof name === 'string' && name !== '' ? name : token }];
  });
}

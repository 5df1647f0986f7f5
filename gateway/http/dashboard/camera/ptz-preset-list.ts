/** The presets in the reply to `ptz` with the action `presets`. */
import { fieldOf } from '../field-of.ts';

export interface Preset {
  readonly token: string;
  readonly name: string;
}

/** What is not understood is left out. */
export function presetsIn(data: unknown): readonly Preset[] {
  const presets = fieldOf(data, 'presets');
  if (!Array.isArray(presets)) return [];
  return presets.flatMap((preset: unknown) => {
    const token = fieldOf(preset, 'token');
    const name = fieldOf(preset, 'name');
    if (typeof token !== 'string' || token === '') return [];
    return [{ token, name: typeof name === 'string' && name !== '' ? name : token }];
  });
}

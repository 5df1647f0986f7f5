/** What the broker held of our discovery topics, and what a camera answered: neither is trusted to have its form. */
import type { Platform } from './home-assistant-device.ts';
import type { Preset } from './home-assistant-stream.ts';

const PLATFORMS: readonly Platform[] = [
  'binary_sensor',
  'sensor',
  'button',
  'image',
  'select',
  'number',
];
/** A stream has some thirty, and one for each target. */
const MAX_COMPONENTS = 200;
/** Some domes say that they have 300; nobody picks from such a list. */
const MAX_PRESETS = 128;
const MAX_TEXT_LENGTH = 256;

/** The components of a discovery payload, without those that it takes back. */
export function readComponents(payload: Uint8Array): Map<string, Platform> {
  const components = new Map<string, Platform>();
  for (const [id, component] of Object.entries(fieldsOf(fieldsOf(parse(payload))['cmps']))) {
    const { p, unique_id } = fieldsOf(component);
    const platform = PLATFORMS.find((known) => known === p);
    if (platform === undefined || unique_id === undefined) continue;
    if (components.size < MAX_COMPONENTS && id.length <= MAX_TEXT_LENGTH) {
      components.set(id, platform);
    }
  }
  return components;
}

/** Of the reply to the verb `ptz` with the action `presets`. */
export function readPresets(data: unknown): Preset[] {
  const { presets } = fieldsOf(data);
  if (!Array.isArray(presets)) return [];
  return presets
    .map(fieldsOf)
    .flatMap(({ token, name }) =>
      typeof token === 'string' && typeof name === 'string' && token.length <= MAX_TEXT_LENGTH
        ? [{ token, name: name.slice(0, MAX_TEXT_LENGTH) }]
        : [],
    )
    .slice(0, MAX_PRESETS);
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    // Somebody else's.
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

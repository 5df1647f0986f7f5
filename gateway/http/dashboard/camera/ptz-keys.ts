/** Which way a button or key moves the head. Positive: to the right, up, nearer. */
import type { PtzDirection } from './ptz-mover.ts';

export const DIRECTIONS = {
  'up-left': { pan: -1, tilt: 1, zoom: 0 },
  up: { pan: 0, tilt: 1, zoom: 0 },
  'up-right': { pan: 1, tilt: 1, zoom: 0 },
  left: { pan: -1, tilt: 0, zoom: 0 },
  right: { pan: 1, tilt: 0, zoom: 0 },
  'down-left': { pan: -1, tilt: -1, zoom: 0 },
  down: { pan: 0, tilt: -1, zoom: 0 },
  'down-right': { pan: 1, tilt: -1, zoom: 0 },
  'zoom-in': { pan: 0, tilt: 0, zoom: 1 },
  'zoom-out': { pan: 0, tilt: 0, zoom: -1 },
} as const satisfies Record<string, PtzDirection>;

export type DirectionName = keyof typeof DIRECTIONS;

/** By `KeyboardEvent.key`. `=` is `+` without the shift key. */
const KEYS: ReadonlyMap<string, DirectionName> = new Map([
  ['ArrowUp', 'up'],
  ['ArrowDown', 'down'],
  ['ArrowLeft', 'left'],
  ['ArrowRight', 'right'],
  ['+', 'zoom-in'],
  ['=', 'zoom-in'],
  ['-', 'zoom-out'],
]);

export function directionOfKey(key: string): DirectionName | undefined {
  return KEYS.get(key);
}

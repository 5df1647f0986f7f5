/** The head of the virtual camera: where it looks, and how it gets there. Positions as in ONVIF's generic spaces (PTZ §5.1). */

/** Pan and tilt from -1 to 1, zoom from 0 to 1. */
export interface HeadPosition {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

export interface HeadPreset {
  readonly token: string;
  readonly name: string;
  readonly position: HeadPosition;
}

type Motion =
  | { readonly is: 'still' }
  /** At a speed on each axis, until then. */
  | { readonly is: 'moving'; readonly speed: HeadPosition; readonly untilMs: number }
  | { readonly is: 'going'; readonly to: HeadPosition };

const HOME: HeadPosition = { pan: 0, tilt: 0, zoom: 0 };
/** At full speed, of the position in a second: once round in 8 s. */
const FULL_SPEED: HeadPosition = { pan: 0.25, tilt: 0.5, zoom: 0.4 };
const AXES = ['pan', 'tilt', 'zoom'] as const;
const LOWEST: HeadPosition = { pan: -1, tilt: -1, zoom: 0 };
const MAX_PRESETS = 32;
const STILL: Motion = { is: 'still' };

export class VirtualHead {
  readonly #presets = new Map<string, HeadPreset>();
  #position = HOME;
  #home = HOME;
  #motion: Motion = STILL;
  #lastToken = 0;

  constructor() {
    for (const [name, position] of [
      ['bars', HOME],
      ['steps', { pan: 0.667, tilt: 0, zoom: 0 }],
      ['close', { pan: -0.125, tilt: 0, zoom: 1 }],
    ] as const) {
      this.setPreset({ name, position });
    }
  }

  get position(): HeadPosition {
    return this.#position;
  }

  get isMoving(): boolean {
    return this.#motion.is !== 'still';
  }

  get presets(): Iterable<HeadPreset> {
    return this.#presets.values();
  }

  /** Speeds from -1 to 1. */
  move(speed: HeadPosition, untilMs: number): void {
    this.#motion = { is: 'moving', speed, untilMs };
  }

  stop(): void {
    this.#motion = STILL;
  }

  goTo(position: Partial<HeadPosition>): void {
    this.#motion = { is: 'going', to: withinRange({ ...this.#position, ...position }) };
  }

  goBy(by: HeadPosition): void {
    const { pan, tilt, zoom } = this.#position;
    this.goTo({ pan: pan + by.pan, tilt: tilt + by.tilt, zoom: zoom + by.zoom });
  }

  goHome(): void {
    this.goTo(this.#home);
  }

  setHome(): void {
    this.#home = this.#position;
  }

  /** False: there is no such preset. */
  goToPreset(token: string): boolean {
    const preset = this.#presets.get(token);
    if (preset !== undefined) this.goTo(preset.position);
    return preset !== undefined;
  }

  /** Returns the token; undefined: there are too many, or none of that token. */
  setPreset(preset: {
    readonly token?: string | undefined;
    readonly name?: string | undefined;
    readonly position?: HeadPosition;
  }): string | undefined {
    const known = preset.token === undefined ? undefined : this.#presets.get(preset.token);
    if (preset.token !== undefined && known === undefined) return undefined;
    if (known === undefined && this.#presets.size >= MAX_PRESETS) return undefined;
    if (known === undefined) this.#lastToken += 1;
    const token = known?.token ?? String(this.#lastToken);
    const name = preset.name ?? known?.name ?? `preset ${token}`;
    this.#presets.set(token, { token, name, position: preset.position ?? this.#position });
    return token;
  }

  removePreset(token: string): boolean {
    return this.#presets.delete(token);
  }

  /** Time has passed. */
  step(elapsedMs: number, nowMs: number): void {
    const motion = this.#motion;
    if (motion.is === 'moving') {
      this.#position = advance(this.#position, elapsedMs, (axis) => motion.speed[axis]);
      if (nowMs >= motion.untilMs) this.#motion = STILL;
    } else if (motion.is === 'going') {
      const { to } = motion;
      const from = this.#position;
      this.#position = advance(from, elapsedMs, (axis) => Math.sign(to[axis] - from[axis]), to);
      if (AXES.every((axis) => this.#position[axis] === to[axis])) this.#motion = STILL;
    }
  }
}

/** `to`: it is not passed by. */
function advance(
  from: HeadPosition,
  elapsedMs: number,
  speedOf: (axis: (typeof AXES)[number]) => number,
  to?: HeadPosition,
): HeadPosition {
  const moved = (axis: (typeof AXES)[number]) => {
    const way = (speedOf(axis) * FULL_SPEED[axis] * elapsedMs) / 1000;
    if (to !== undefined && Math.abs(to[axis] - from[axis]) <= Math.abs(way)) return to[axis];
    return from[axis] + way;
  };
  return withinRange({ pan: moved('pan'), tilt: moved('tilt'), zoom: moved('zoom') });
}

function withinRange(position: HeadPosition): HeadPosition {
  const within = (axis: (typeof AXES)[number]) =>
    Math.min(1, Math.max(LOWEST[axis], position[axis]));
  return { pan: within('pan'), tilt: within('tilt'), zoom: within('zoom') };
}

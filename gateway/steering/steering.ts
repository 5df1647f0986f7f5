/**
 * What people ask of a camera beside its pictures: one command at a time for each camera, each with a bound, and an answer that
 * says what happened.
 */
import type { CameraControls } from '../../drivers/camera/camera-controls.ts';
import type { PtzHead } from '../../drivers/ptz/ptz-head.ts';
import type { CameraArguments, CameraHandlers, PtzArguments } from '../report/camera-commands.ts';
import { CommandError } from '../report/commands.ts';
import { bounded } from './bounded.ts';
import { clockWords } from './clock-words.ts';
import { refusal } from './refusals.ts';
import { type TurnKind, Turns } from './turns.ts';

/** A login and a few questions to a slow camera; with those that wait before it, less than a minute. */
const COMMAND_TIMEOUT_MS = 10_000;
/** Home automation shows them; brokers take more, but not every one. */
const MAX_SNAPSHOT_BYTES = 1024 * 1024;

/** A stream's camera, as far as it can be steered. */
export interface Steered {
  /** Begins sentences about it: "The camera front-door at 10.0.0.20". */
  readonly who: string;
  readonly ptz: PtzHead | undefined;
  readonly controls: CameraControls | undefined;
}

export interface SteeringContext {
  readonly find: (name: string) => Steered | undefined;
  /** undefined: it has none. */
  readonly snapshot: (name: string) => Promise<Uint8Array> | undefined;
  /** Returns the topic; undefined while there is no broker. */
  readonly tellSnapshot: (name: string, jpeg: Uint8Array) => string | undefined;
  /** Aborts when the gateway stops. */
  readonly signal: AbortSignal;
}

export class Steering {
  readonly #context: SteeringContext;
  readonly #turns = new Map<string, Turns>();

  constructor(context: SteeringContext) {
    this.#context = context;
  }

  handlers(): CameraHandlers {
    return {
      ptz: (args) => this.#ptz(args),
      snapshot: (args) => this.#snapshot(args),
      'camera/reboot': (args) => this.#reboot(args),
      'camera/clock': (args) => this.#clock(args),
      'camera/encoder': (args) => this.#encoder(args),
    };
  }

  #ptz(args: PtzArguments): Promise<unknown> {
    const steered = this.#find(args.name);
    const head = steered.ptz;
    if (head === undefined) {
      throw new CommandError(
        'unsupported',
        `${steered.who} cannot be moved: it offers no PTZ of its own as far as is known, and streams.${args.name}.ptz is not set.`,
      );
    }
    return this.#take(args.name, steered.who, turnOf(args), (signal) =>
      perform(head, args, signal),
    );
  }

  async #snapshot({ name }: CameraArguments<'snapshot'>): Promise<unknown> {
    const { who } = this.#find(name);
    const taken = this.#context.snapshot(name);
    if (taken === undefined) {
      throw new CommandError(
        'unsupported',
        `${who} gives no snapshot: it is no ONVIF camera, and streams.${name}.snapshot is not set.`,
      );
    }
    const jpeg = await taken.catch((error: unknown) => {
      throw refusal(error, who);
    });
    if (jpeg.length > MAX_SNAPSHOT_BYTES) {
      throw new CommandError(
        'refused',
        `The snapshot has ${jpeg.length} bytes, more than the ${MAX_SNAPSHOT_BYTES} that are sent over MQTT; /live/${name}.jpg has it.`,
      );
    }
    const topic = this.#context.tellSnapshot(name, jpeg);
    if (topic === undefined) {
      throw new CommandError('unreachable', 'There is no MQTT broker now that would take it.');
    }
    return { name, bytes: jpeg.length, topic, message: `Published on ${topic}.` };
  }

  #reboot({ name }: CameraArguments<'camera/reboot'>): Promise<unknown> {
    return this.#ask(name, 'restarted', async (controls, signal) => {
      await controls.reboot(signal);
      return { name, message: 'The camera restarts. Its stream comes back by itself.' };
    });
  }

  #clock({ name, set, ntp }: CameraArguments<'camera/clock'>): Promise<unknown> {
    return this.#ask(name, 'asked for its clock', async (controls, signal) => {
      const done: string[] = [];
      if (ntp !== undefined) {
        await controls.setNtp(ntp, signal);
        done.push(`It takes its time from ${ntp} now.`);
      }
      if (set) {
        await controls.setClock(signal);
        done.push('Its clock was set to that of this box.');
      }
      const clock = await controls.clock(signal);
      return { name, ...clock, message: [...done, clockWords(clock.offsetMs)].join(' ') };
    });
  }

  #encoder({ name, ...change }: CameraArguments<'camera/encoder'>): Promise<unknown> {
    return this.#ask(name, 'asked for its encoder', async (controls, signal) => {
      const wanted = Object.entries(change).filter(([, value]) => value !== undefined);
      if (wanted.length === 0) {
        return { name, ...(await controls.encoder(signal)), message: 'Nothing was changed.' };
      }
      const settings = await controls.setEncoder(change, signal);
      // The camera may round, or know better.
      const kept = new Map<string, unknown>(Object.entries(settings));
      const words = wanted.map(([key, value]) => {
        const now = kept.get(key);
        return now === value
          ? `${key} is ${value} now.`
          : `${key} was to be ${value}, and is ${now}.`;
      });
      return { name, ...settings, message: words.join(' ') };
    });
  }

  #ask<T>(
    name: string,
    what: string,
    work: (controls: CameraControls, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { who, controls } = this.#find(name);
    if (controls === undefined) {
      throw new CommandError('unsupported', `${who} cannot be ${what}: it is no ONVIF camera.`);
    }
    return this.#take(name, who, 'other', (signal) => work(controls, signal));
  }

  #find(name: string): Steered {
    const steered = this.#context.find(name);
    if (steered !== undefined) return steered;
    throw new CommandError('not-found', `There is no stream called ${name}.`);
  }

  async #take<T>(
    name: string,
    who: string,
    kind: TurnKind,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const turns = this.#turns.get(name) ?? new Turns();
    this.#turns.set(name, turns);
    try {
      return await turns.take(kind, () => bounded(this.#context.signal, COMMAND_TIMEOUT_MS, work));
    } catch (error) {
      throw refusal(error, who);
    }
  }
}

function turnOf(args: PtzArguments): TurnKind {
  switch (args.action) {
    case 'stop':
      return 'stop';
    case 'move':
      return isStill(args) ? 'stop' : 'move';
    case 'absolute':
    case 'home':
    case 'preset':
      return 'move';
    case 'presets':
    case 'set-preset':
    case 'remove-preset':
      return 'other';
  }
}

function isStill({ pan, tilt, zoom }: Extract<PtzArguments, { action: 'move' }>): boolean {
  return pan === 0 && tilt === 0 && zoom === 0;
}

async function perform(head: PtzHead, args: PtzArguments, signal: AbortSignal): Promise<unknown> {
  const { name, action } = args;
  const said = (message: string, more: object = {}) => ({ name, action, ...more, message });
  switch (args.action) {
    case 'move': {
      if (isStill(args)) {
        await head.stop(signal);
        return said('It was stopped: pan, tilt and zoom are all 0.');
      }
      const { pan, tilt, zoom, timeoutMs } = args;
      await head.move({ pan, tilt, zoom }, timeoutMs, signal);
      return said(`It moves, and stops by itself after ${timeoutMs} ms.`, { timeoutMs });
    }
    case 'stop':
      await head.stop(signal);
      return said('It was stopped.');
    case 'absolute': {
      const { pan, tilt, zoom } = args;
      if (pan === undefined && tilt === undefined && zoom === undefined) {
        throw new CommandError('bad-request', 'expected at least one of pan, tilt and zoom');
      }
      await head.moveTo({ pan, tilt, zoom }, signal);
      return said('It goes there.');
    }
    case 'home':
      await head.home(signal);
      return said('It goes home.');
    case 'presets': {
      const presets = await head.presets(signal);
      const count = presets.length === 1 ? '1 preset' : `${presets.length} presets`;
      return said(`It has ${count}.`, { presets });
    }
    case 'preset':
      await head.goToPreset(args.preset, signal);
      return said(`It goes to preset ${args.preset}.`, { preset: args.preset });
    case 'set-preset': {
      const { preset: token, presetName } = args;
      const preset = await head.setPreset({ token, name: presetName }, signal);
      return said(`Where it looks now is preset ${preset}.`, { preset });
    }
    case 'remove-preset':
      await head.removePreset(args.preset, signal);
      return said(`There is no preset ${args.preset} any more.`, { preset: args.preset });
  }
}

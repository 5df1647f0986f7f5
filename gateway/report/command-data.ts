/**
 * What each verb answers: the reply's `data`, where all went well. The JSON Schemas of replies are made of these types, and tests hold
 * what is really sent against them.
 */
import type { FoundDevice, StreamStatus } from './status.ts';

/** Plain words for whoever asked: what happened. */
interface Told {
  readonly name: string;
  readonly message: string;
}

/** Of the configuration. */
interface Changed {
  readonly revision: string;
  /** Paths of keys that took effect. */
  readonly applied: readonly string[];
  /** All that take effect at the next start, of earlier changes, too. */
  readonly restartNeeded: readonly string[];
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export interface CommandData {
  readonly 'stream/restart': { readonly name: string };
  readonly 'stream/add': Changed & {
    readonly name: string;
    /** How the stream does; left out where its name has to wait for a restart. */
    readonly state?: StreamStatus['state'];
    readonly code?: StreamStatus['code'];
    readonly reason?: string;
  };
  readonly 'stream/remove': Told & {
    /** `removed`: from the file, or from what others had pushed in; `ignored`: it was found, and is not adopted again until the command `adopt`. */
    readonly outcome: 'removed' | 'ignored';
    /** Where the file was changed. */
    readonly revision?: string;
  };
  readonly discover: {
    readonly devices: readonly FoundDevice[];
    readonly scan?: {
      readonly network: string;
      /**
       * Of `addresses`, how many have been asked.
       * @asType integer
       */
      readonly asked: number;
      /** @asType integer */
      readonly addresses: number;
      /** @asType integer */
      readonly found: number;
      /** False: it goes on, and what it finds is told as `found`. */
      readonly isDone: boolean;
    };
  };
  readonly restart: { readonly message: string };
  readonly 'log/level': { readonly level: string };
  readonly adopt: {
    /** As it was asked for. */
    readonly device: string;
    readonly decision: 'adopted' | 'ignored' | 'forgotten';
    /** The stream that it is. */
    readonly adoptedAs?: string;
    /** How the stream does. */
    readonly state?: StreamStatus['state'];
    readonly code?: StreamStatus['code'];
    readonly reason?: string;
  };
  readonly ptz: Told & {
    readonly action: string;
    /** Of a move: it stops by itself then. */
    readonly timeoutMs?: number;
    readonly preset?: string;
    readonly presets?: readonly { readonly token: string; readonly name: string }[];
  };
  readonly snapshot: Told & {
    /** @asType integer */
    readonly bytes: number;
    /** Where the JPEG was published. */
    readonly topic: string;
  };
  readonly 'camera/reboot': Told;
  readonly 'camera/clock': Told & {
    /** The camera's clock minus that of this box. */
    readonly offsetMs: number;
    readonly setBy?: 'manual' | 'ntp';
    readonly ntpServers: readonly string[];
  };
  readonly 'camera/encoder': Told & {
    /** Of the encoder configuration. */
    readonly token: string;
    readonly codec: string;
    readonly width: number;
    readonly height: number;
    readonly fps: number;
    readonly kbps: number;
    /** From one keyframe to the next; left out where the camera does not tell. */
    readonly gopFrames?: number;
    /** What may be set, as far as the camera tells. */
    readonly options: {
      readonly codecs: readonly string[];
      readonly kbps?: Range;
      readonly gopFrames?: Range;
    };
  };
  readonly 'config/get': {
    /** The file's content; in place of each secret a mask. */
    readonly config: Readonly<Record<string, unknown>>;
    readonly revision: string;
    /** Paths of keys that were changed and take effect at the next start. */
    readonly restartNeeded: readonly string[];
    /** One line: why the file, as somebody has edited it, is not taken. */
    readonly problem?: string;
  };
  readonly 'config/set': Changed;
}

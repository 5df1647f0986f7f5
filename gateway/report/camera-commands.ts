/** What can be asked of a camera beside its pictures: the arguments of those verbs. */
import * as z from 'zod/mini';
import { checkedText, flag, name, oneOf, text, wholeNumber } from '../config/fields.ts';

/** Whoever wants a longer move asks again: it must end when nobody asks any more. */
const MAX_MOVE_MS = 30_000;
const MOVE_MS = 1_000;
/** ONVIF Schema: tokens and names have at most 64 characters; some cameras' tokens have more. */
const MAX_NAME_LENGTH = 64;
const MAX_TOKEN_LENGTH = 256;
const HOST_EXPECTED = 'a host name or address';

function number(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).check(z.minimum(min, { error }), z.maximum(max, { error }));
}

function speed() {
  return z._default(number(-1, 1), 0);
}

/** Serial heads have numbers for them. */
function presetToken() {
  const error = `a preset: its token, or its number`;
  const token = z.string({ error }).check(
    z.minLength(1, { error }),
    z.maxLength(MAX_TOKEN_LENGTH, { error }),
    z.refine((value) => !/\p{Cc}/u.test(value), { error }),
  );
  return z.pipe(
    z.union([token, wholeNumber(0, 65_535)], { error }),
    z.transform((value) => String(value)),
  );
}

function presetName() {
  const error = `a name of 1 to ${MAX_NAME_LENGTH} characters`;
  return text(error).check(
    z.maxLength(MAX_NAME_LENGTH, { error }),
    z.refine((value) => !/\p{Cc}/u.test(value), { error }),
  );
}

function action<const T extends string>(value: T) {
  return { name: name(), action: z.literal(value) };
}

const ptz = z.discriminatedUnion(
  'action',
  [
    z.object({
      ...action('move'),
      pan: speed(),
      tilt: speed(),
      zoom: speed(),
      timeoutMs: z._default(wholeNumber(1, MAX_MOVE_MS), MOVE_MS),
    }),
    z.object(action('stop')),
    z.object({
      ...action('absolute'),
      pan: z.optional(number(-1, 1)),
      tilt: z.optional(number(-1, 1)),
      zoom: z.optional(number(0, 1)),
    }),
    z.object(action('home')),
    z.object(action('presets')),
    z.object({ ...action('preset'), preset: presetToken() }),
    z.object({
      ...action('set-preset'),
      preset: z.optional(presetToken()),
      presetName: z.optional(presetName()),
    }),
    z.object({ ...action('remove-preset'), preset: presetToken() }),
  ],
  {
    error:
      'action as one of move, stop, absolute, home, presets, preset, set-preset, remove-preset',
  },
);

export const CAMERA_COMMANDS = {
  ptz,
  snapshot: z.object({ name: name() }),
  'camera/reboot': z.object({ name: name() }),
  'camera/clock': z.object({
    name: name(),
    set: z._default(flag(), false),
    ntp: z.optional(
      checkedText(HOST_EXPECTED, (value) =>
        /^[a-z0-9:][a-z0-9.:-]{0,252}$/i.test(value) ? undefined : HOST_EXPECTED,
      ),
    ),
  }),
  'camera/encoder': z.object({
    name: name(),
    codec: z.optional(oneOf(['h264', 'h265'])),
    kbps: z.optional(wholeNumber(1, 1_000_000)),
    gopFrames: z.optional(wholeNumber(1, 10_000)),
  }),
} as const;

type CameraCommand = typeof CAMERA_COMMANDS;
export type CameraVerb = keyof CameraCommand;
export type CameraArguments<Verb extends CameraVerb> = z.output<CameraCommand[Verb]>;
export type PtzArguments = CameraArguments<'ptz'>;

export type CameraHandlers = {
  readonly [Verb in CameraVerb]: (args: CameraArguments<Verb>) => unknown;
};

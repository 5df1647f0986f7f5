/** Which of a camera's profiles is wanted: of all cameras, or of one by command. */
import * as z from 'zod/mini';
import { oneOf, wholeNumber } from './fields.ts';

export const profile = z
  .union(
    [
      oneOf(['main', 'sub']),
      z.strictObject({
        maxHeight: z
          .optional(wholeNumber(1, 8640))
          .check(z.describe('Tallest picture wanted, in lines')),
        maxKbps: z
          .optional(wholeNumber(1, 1_000_000))
          .check(z.describe('Highest bit rate wanted, in kbit/s')),
        codec: z
          .optional(oneOf(['h264', 'h265']))
          .check(z.describe('Video codec wanted; left out: H.264 where the camera has it')),
      }),
    ],
    { error: 'main, sub, or a map of maxHeight, maxKbps and codec' },
  )
  .check(z.describe('Which of a camera’s profiles to pull: its best, its smallest, or by limits'));

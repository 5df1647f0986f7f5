/** The part of the configuration about serial lines: heads of cameras (PTZ) on RS-232 and RS-485, and a GNSS receiver. */
import * as z from 'zod/mini';
import { flag, name, oneOf, text, wholeNumber } from './fields.ts';
import { mapOnly } from './schema-parts.ts';

const line = z
  .strictObject(
    {
      name: name().check(z.describe('Name of the line')),
      path: text('the path of a device such as /dev/ttyUSB0').check(
        z.describe('The device; better one of /dev/serial/by-id, which stays the same'),
      ),
      protocol: oneOf(['pelco-d', 'pelco-p', 'visca', 'nmea']).check(
        z.describe('What is spoken on it; nmea: a GNSS receiver'),
      ),
      baudRate: z
        .optional(wholeNumber(300, 921_600))
        .check(z.describe('Default: 2400 for Pelco-D, 4800 for Pelco-P and NMEA, 9600 for VISCA')),
      rs485: z
        ._default(flag(), false)
        .check(
          z.describe(
            'The kernel switches the direction of the line (TIOCSRS485); for UARTs that need it, not for USB adapters',
          ),
        ),
      addresses: z
        ._default(z.record(name(), wholeNumber(0, 255), { error: 'a map of head names' }), {})
        .check(z.describe('Heads on the line, by name: their address on the bus')),
    },
    { error: mapOnly },
  )
  .check(z.describe('A serial line'));

export const serial = z
  ._default(
    z
      .array(line, { error: 'a list of serial lines' })
      .check(z.maxLength(16, { error: 'at most 16 serial lines' })),
    [],
  )
  .check(z.describe('Serial lines: heads of cameras (PTZ), and a GNSS receiver'));

/** What GNSS receivers send, with their own binary messages in between. */
import { parseNavigation } from '../../../protocols/nmea/navigation-report.ts';
import { NmeaFramer } from '../../../protocols/nmea/sentence-framer.ts';
import { asSent, FURUNO, QUECTEL_SEARCHING, TELIT } from '../../protocols/nmea/receiver-logs.ts';
import { framerOf, parserOf, type Subject } from '../subject.ts';

export const NMEA_SUBJECTS: readonly Subject[] = [
  framerOf('NMEA sentences', () => new NmeaFramer(), asSent(TELIT), asSent(QUECTEL_SEARCHING)),
  parserOf(
    'NMEA fields',
    (bytes) => {
      // Without the checksum, which would keep all damage away.
      const [type = '', ...fields] = Buffer.from(bytes).toString('latin1').split(',');
      return parseNavigation({ talker: 'GN', type: type.slice(3), fields });
    },
    ...[TELIT, FURUNO].flatMap((log) =>
      log
        .trim()
        .split('\n')
        .map((line) => Buffer.from(line.replace(/\*..$/, ''))),
    ),
  ),
];

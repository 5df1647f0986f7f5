import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  type NavigationReport,
  parseNavigation,
} from '../../../protocols/nmea/navigation-report.ts';
import { NmeaFramer } from '../../../protocols/nmea/sentence-framer.ts';
import {
  asSent,
  FURUNO,
  QUECTEL_FIX,
  QUECTEL_SEARCHING,
  SIRF_SEARCHING,
  TELIT,
  TRIMBLE,
} from './receiver-logs.ts';

function reports(log: string): NavigationReport[] {
  return new NmeaFramer().push(asSent(log)).flatMap((sentence) => parseNavigation(sentence) ?? []);
}

function ofKind<K extends NavigationReport['kind']>(log: string, kind: K) {
  const found = reports(log).filter(
    (report): report is NavigationReport & { kind: K } => report.kind === kind,
  );
  assert.ok(found[0]);
  return found;
}

function parse(type: string, fields: string) {
  return parseNavigation({ talker: 'GP', type, fields: fields.split(',') });
}

describe('what receivers report', () => {
  it('place, height and quality: GGA', () => {
    const [gga] = ofKind(TRIMBLE, 'gga');
    assert.deepEqual(gga, {
      kind: 'gga',
      hasFix: true,
      timeOfDayMs: Date.UTC(1970, 0, 1, 13, 39, 0, 100),
      place: { latitude: 41 + 34.50180243 / 60, longitude: -(93 + 45.03586611 / 60) },
      satellites: 19,
      hdop: 0.7,
      altitudeM: 280.828,
    });
  });

  it('the satellites of all systems: GNS', () => {
    for (const [log, gga, gns] of [
      [TELIT, 5, 14],
      [FURUNO, 0, 11],
      [QUECTEL_FIX, 3, 8],
    ] as const) {
      assert.equal(ofKind(log, 'gga')[0]?.satellites, gga);
      const [report] = ofKind(log, 'gns');
      assert.deepEqual([report?.satellites, report?.hasFix], [gns, true]);
    }
  });

  it('date, time and speed: RMC', () => {
    const [rmc] = ofKind(QUECTEL_FIX, 'rmc');
    assert.equal(rmc?.timeMs, Date.UTC(2022, 8, 11, 19, 15, 3, 10));
    assert.ok(rmc.hasFix && Math.abs((rmc.speedKmh ?? 0) - 2.4) < 0.01);
    assert.equal(ofKind(FURUNO, 'rmc')[0]?.timeMs, Date.UTC(2022, 6, 31, 12, 2, 13));
  });

  it('in how many dimensions: GSA', () => {
    assert.deepEqual(
      [TELIT, FURUNO, QUECTEL_SEARCHING].map((log) => ofKind(log, 'gsa')[0]?.dimensions),
      [2, 3, 0],
    );
  });

  it('no place and no time before there is a fix, whatever the date says', () => {
    for (const log of [QUECTEL_SEARCHING, SIRF_SEARCHING]) {
      for (const report of reports(log)) {
        if (report.kind === 'gsa') continue;
        assert.equal(report.hasFix, false);
        assert.equal(report.place, undefined);
        if (report.kind === 'rmc') assert.equal(report.timeMs, undefined);
      }
    }
  });

  it('south and west are negative', () => {
    // adrianmo/go-nmea, a receiver in New Zealand.
    const report = parse('GNS', '014035.00,4332.69262,S,17235.48549,W,RR,13,0.9,25.63,11.24,,');
    assert.ok(report?.kind === 'gns');
    assert.deepEqual(report.place, {
      latitude: -(43 + 32.69262 / 60),
      longitude: -(172 + 35.48549 / 60),
    });
  });

  it('estimated, manual and simulated places are no fix', () => {
    const place = '4332.69,S,17235.48,E';
    for (const [type, fields] of [
      ['GGA', `014035.00,${place},6,13,0.9,25.63,M,11.2,M,,`],
      ['GGA', `014035.00,${place},7,13,0.9,25.63,M,11.2,M,,`],
      ['GGA', `014035.00,${place},8,13,0.9,25.63,M,11.2,M,,`],
      ['GNS', `014035.00,${place},ENN,13,0.9,25.63,11.24,,`],
      ['RMC', `014035.00,A,${place},1.0,0.0,110922,,,E`],
      ['RMC', `014035.00,V,${place},1.0,0.0,110922,,,A`],
      ['GGA', '014035.00,,,,,1,13,0.9,25.63,M,11.2,M,,'],
    ] as const) {
      const report = parse(type, fields);
      assert.ok(report !== undefined && report.kind !== 'gsa');
      assert.equal(report.hasFix, false, `${type} ${fields}`);
    }
  });

  it('takes a sentence of old receivers, which ends early', () => {
    // NMEA 2.0, before there were modes.
    const report = parse('RMC', '225446,A,4916.45,N,12311.12,W,000.5,054.7,191104,020.3,E');
    assert.ok(report?.kind === 'rmc' && report.hasFix);
    assert.deepEqual(parse('GSA', ''), { kind: 'gsa', dimensions: 0 });
  });

  it('a leap second', () => {
    const report = parse('RMC', '235960.00,A,4916.45,N,12311.12,W,0.0,,311216,,,A');
    assert.equal(report?.kind === 'rmc' && report.timeMs, Date.UTC(2017, 0, 1));
  });

  it('others are not read', () => {
    assert.equal(parse('VTG', ',T,,M,,N,,K,N'), undefined);
    assert.equal(parse('PERDCRZ', 'TPS4'), undefined);
  });

  const refused: readonly (readonly [type: string, fields: string])[] = [
    ['GGA', '014035.00,9132.69,S,17235.48,E,1,13,0.9,25.63,M,11.2,M,,'],
    ['GGA', '014035.00,4360.00,S,17235.48,E,1,13,0.9,25.63,M,11.2,M,,'],
    ['GGA', '014035.00,4332.69,X,17235.48,E,1,13,0.9,25.63,M,11.2,M,,'],
    ['GGA', '014035.00,4332.69,S,18100.00,E,1,13,0.9,25.63,M,11.2,M,,'],
    ['GGA', '014035.00,4332.69,S,17235.48,E,99,13,0.9,25.63,M,11.2,M,,'],
    ['GGA', '254035.00,4332.69,S,17235.48,E,1,13,0.9,25.63,M,11.2,M,,'],
    ['GGA', '014035.00,4332.69,S,17235.48,E,1,1e3,0.9,25.63,M,11.2,M,,'],
    ['GNS', '014035.00,4332.69,S,17235.48,E,1,13,0.9,25.63,11.24,,'],
    ['RMC', '014035.00,A,4332.69,S,17235.48,E,1.0,0.0,310222,,,A'],
    ['RMC', '014035.00,A,4332.69,S,17235.48,E,1.0,0.0,1109,,,A'],
    ['RMC', '014035.00,A,4332.69,S,17235.48,E,0x10,0.0,110922,,,A'],
  ];
  for (const [type, fields] of refused) {
    it(`refuses ${type},${fields}`, () => {
      assert.throws(() => parse(type, fields), ParseError);
    });
  }

  it('gives a value within its bounds or a ParseError, whatever stands in the fields', () => {
    const field = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.stringMatching(/^\d{0,6}(\.\d{0,3})?$/),
      fc.constantFrom('', 'A', 'V', 'N', 'S', 'E', 'W', '4332.69', '17235.48', '110922', '1'),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('GGA', 'GNS', 'RMC', 'GSA'),
        fc.array(field, { maxLength: 20 }),
        (type, fields) => {
          let report: NavigationReport | undefined;
          try {
            report = parseNavigation({ talker: 'GN', type, fields });
          } catch (error) {
            assert.ok(error instanceof ParseError, String(error));
            return;
          }
          if (report === undefined || report.kind === 'gsa' || report.place === undefined) return;
          assert.ok(Math.abs(report.place.latitude) <= 90);
          assert.ok(Math.abs(report.place.longitude) <= 180);
          if (report.kind === 'rmc') assert.ok(!Number.isNaN(report.timeMs));
        },
      ),
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeReport } from '../../../gateway/probe/probe.ts';
import { reportJson, reportText } from '../../../gateway/probe/report-text.ts';
import { registerSecret } from '../../../gateway/secrets.ts';

const REPORT: ProbeReport = {
  source: 'rtsp://10.0.0.20/cam',
  ok: false,
  carriage: 'none',
  findings: [{ code: 'protocol', weight: 'problem', words: 'It said 12345 and \x1b[31mmore.' }],
  tracks: [],
  device: { model: 'M\x07' },
  transport: 'tcp',
  firstUnitMs: null,
  measuredMs: 0,
  video: null,
  audio: null,
  clockPercent: null,
  packets: { received: 1_234_567, lost: 0, damagedUnits: 0, jitterMs: 0 },
};

registerSecret('12345');

test('a password of digits leaves the figures alone', () => {
  const { findings, packets } = JSON.parse(reportJson(REPORT)) as ProbeReport;
  assert.equal(packets.received, 1_234_567);
  assert.match(findings[0]?.words ?? '', /said \*\*\*/);
});

test('a device cannot steer the terminal', () => {
  assert.doesNotMatch(reportText(REPORT).replaceAll('\n', ''), /\p{Cc}/u);
});

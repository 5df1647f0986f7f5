/** A probe's report: for people, the verdict first, then what is wrong, then the figures; for programs, all of it. */
import type { TrackDescription } from '../../codecs/describe-track.ts';
import { scrubbedJson } from '../secrets.ts';
import type { Finding } from './findings.ts';
import type { ProbeReport } from './probe.ts';

const MARKS: Readonly<Record<Finding['weight'], string>> = {
  problem: '✗',
  warning: '!',
  hint: '·',
};
const WIDTH = 100;

/** Without secrets; a password of digits leaves the figures alone. */
export function reportJson(report: ProbeReport): string {
  return `${JSON.stringify(JSON.parse(scrubbedJson(report)), null, 2)}\n`;
}

export function reportText(report: ProbeReport): string {
  const lines = [report.source, '', verdict(report), ''];
  for (const { weight, words } of report.findings) lines.push(...wrapped(MARKS[weight], words));
  if (report.findings.length > 0) lines.push('');
  lines.push(...figures(report));
  // A device's own words must not steer the terminal.
  const plain = lines.map((line) => line.replace(/\p{Cc}+/gu, ' '));
  return `${plain.join('\n').trimEnd()}\n`;
}

function verdict({ ok, carriage, findings }: ProbeReport): string {
  if (!ok) return 'No picture.';
  const hasWarning = findings.some(({ weight }) => weight === 'warning');
  const works = hasWarning ? 'It works, with reservations.' : 'It works.';
  return carriage === 'any'
    ? `${works} Any RTMP master can take it.`
    : `${works} Only some RTMP masters can take it.`;
}

function wrapped(mark: string, words: string): string[] {
  const lines: string[] = [];
  let line = mark;
  for (const word of words.split(' ')) {
    if (line.length + 1 + word.length > WIDTH && line.trim() !== mark) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function figures(report: ProbeReport): string[] {
  const { tracks, transport, firstUnitMs, packets, clockPercent } = report;
  const rows: [string, string][] = tracks.map((track) => [track.kind, trackWords(track, report)]);
  const device = ['manufacturer', 'model', 'firmware', 'serial']
    .map((key) => report.device[key])
    .filter((value) => typeof value === 'string');
  if (device.length > 0) rows.push(['device', device.join(', ')]);
  if (clockPercent !== null) {
    rows.push(['clock', `${clockPercent > 0 ? '+' : ''}${clockPercent} % against this box`]);
  }
  if (packets.received > 0) {
    const { received, lost, damagedUnits, jitterMs } = packets;
    const over = transport === null ? '' : ` over ${transport.toUpperCase()}`;
    rows.push([
      'packets',
      `${received}${over}, ${lost} lost, ${damagedUnits} units damaged, jitter ${jitterMs} ms`,
    ]);
  }
  if (firstUnitMs !== null) {
    const measured = (report.measuredMs / 1000).toFixed(1);
    rows.push(['start', `first unit after ${firstUnitMs} ms; measured for ${measured} s`]);
  }
  return rows.map(([name, words]) => `${name.padEnd(8)} ${words}`);
}

function trackWords(track: TrackDescription, { video, audio }: ProbeReport): string {
  const name = [track.codec.toUpperCase(), track.profile].filter(Boolean).join(' ');
  if (track.kind === 'audio') {
    const rate = track.sampleRate === undefined ? undefined : `${track.sampleRate} Hz`;
    const channels = track.channels === undefined ? undefined : `${track.channels} channel(s)`;
    return [name, rate, channels, kbps(audio)].filter(Boolean).join(', ');
  }
  const size = track.width === undefined ? undefined : `${track.width}x${track.height}`;
  const gop =
    video?.longestGopMs === undefined
      ? undefined
      : `keyframe every ${(video.longestGopMs / 1000).toFixed(1)} s`;
  const fps = video?.fps === undefined ? undefined : `${video.fps} fps`;
  const bFrames =
    video === null ? undefined : video.bFrames > 0 ? `${video.bFrames} B-frames` : 'no B-frames';
  return [name, size, fps, kbps(video), gop, bFrames].filter(Boolean).join(', ');
}

function kbps(measured: { readonly kbps: number } | null): string | undefined {
  return measured === null ? undefined : `${measured.kbps} kbit/s`;
}

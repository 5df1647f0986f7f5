/** The access units of an MP4 file, made by ffmpeg or written by it as a player: bytes and times as they lie there. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { nalUnits } from '../../codecs/nal-units.ts';
import type { CodedUnit } from './compare-units.ts';
import { sha256 } from './flv-units.ts';
import { avcc } from './rtp-packets.ts';

const run = promisify(execFile);

interface Packet {
  readonly codec_type: string;
  readonly pts_time: string;
  readonly dts_time: string;
  readonly size: string;
  readonly pos: string;
  readonly flags: string;
}

export interface FileUnit extends CodedUnit {
  readonly data: Uint8Array;
}

export async function fileUnits(path: string): Promise<FileUnit[]> {
  const entries = 'packet=codec_type,pts_time,dts_time,size,pos,flags';
  const args = ['-v', 'error', '-show_entries', entries, '-of', 'json', path];
  const { stdout } = await run('ffprobe', args, { maxBuffer: 64 * 1024 * 1024 });
  const { packets } = JSON.parse(stdout) as { packets: Packet[] };
  const file = await readFile(path);
  return packets.map(({ codec_type, pts_time, dts_time, size, pos, flags }) => {
    const data = file.subarray(Number(pos), Number(pos) + Number(size));
    return {
      kind: codec_type === 'video' ? 'video' : 'audio',
      ptsUs: Math.round(Number(pts_time) * 1_000_000),
      dtsUs: Math.round(Number(dts_time) * 1_000_000),
      sha256: sha256(data),
      key: flags.startsWith('K'),
      data,
    };
  });
}

/** As a player sees pictures that puts parameter sets and delimiters where it likes. */
export function withoutSets(units: readonly FileUnit[], codec: 'h264' | 'h265'): CodedUnit[] {
  const isSet = (first: number) =>
    codec === 'h264' ? [7, 8, 9].includes(first & 0x1f) : [32, 33, 34, 35].includes(first >> 1);
  return units.map((unit) => {
    if (unit.kind === 'audio') return unit;
    const others = [...nalUnits(unit.data)].filter(([first = 0]) => !isSet(first));
    return { ...unit, sha256: sha256(avcc(...others)) };
  });
}

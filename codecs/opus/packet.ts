/** What the first bytes of an Opus packet tell. RFC 6716 §3.1 and §3.2. */
import { ParseError } from '../errors.ts';

/** At 48 kHz, by the configuration's two lower bits; of SILK, hybrid and CELT (table 2). */
const SILK = [480, 960, 1920, 2880] as const;
const HYBRID = [480, 960] as const;
const CELT = [120, 240, 480, 960] as const;
const FIRST_HYBRID = 12;
const FIRST_CELT = 16;
/** 120 ms, §3.4 requirement 5. */
const MAX_SAMPLES = 5760;

/** How long a packet plays, in samples at 48 kHz. */
export function opusPacketSamples(packet: Uint8Array): number {
  const [toc, second] = packet;
  if (toc === undefined) throw new ParseError('an empty Opus packet', 0);
  const samples = samplesPerFrame(toc >> 3) * frameCount(toc & 3, second);
  if (samples === 0 || samples > MAX_SAMPLES) {
    throw new ParseError(`an Opus packet of ${samples} samples`, 1);
  }
  return samples;
}

/** Whether its frames are stereo: the s bit. */
export function isOpusStereo(packet: Uint8Array): boolean {
  return ((packet[0] ?? 0) & 4) !== 0;
}

function samplesPerFrame(configuration: number): number {
  if (configuration >= FIRST_CELT) return CELT[configuration & 3] ?? 0;
  if (configuration >= FIRST_HYBRID) return HYBRID[configuration & 1] ?? 0;
  return SILK[configuration & 3] ?? 0;
}

function frameCount(code: number, second: number | undefined): number {
  if (code === 0) return 1;
  if (code < 3) return 2;
  if (second === undefined) throw new ParseError('an Opus packet without its frame count', 1);
  return second & 0x3f;
}

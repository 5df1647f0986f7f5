/**
 * A MP3 file: ID3v2 passed over, then frame after frame. Times count samples, so they are exact; a seek walks the headers of the
 * frames up to its time, once for each stretch of the file.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import { ParseError } from '../../codecs/errors.ts';
import {
  MPEG_AUDIO_HEADER_BYTES,
  type MpegAudioHeader,
  parseMpegAudioHeader,
} from '../../codecs/mpeg-audio/frame-header.ts';
import { ID3V2_HEADER_BYTES, id3v2Length } from '../../codecs/mpeg-audio/id3.ts';
import { parseVbrHeader } from '../../codecs/mpeg-audio/vbr-header.ts';
import type { Mp3Track } from '../../codecs/track.ts';
import type { FileRanges } from './file-ranges.ts';
import { SeekIndex } from './seek-index.ts';
import type { VodFile } from './vod-file.ts';

/** Padding behind a tag, damage: searched for the next frame so far. */
const MAX_JUNK_BYTES = 256 * 1024;
/** Tags in a row. */
const MAX_TAGS = 8;
const POINT_EVERY_MS = 1000;

interface Frame {
  readonly at: number;
  readonly header: MpegAudioHeader;
}

/** Where reading goes on. */
interface Place {
  readonly timeMs: number;
  readonly at: number;
  readonly clock: SampleClock;
}

export class Mp3File implements VodFile {
  readonly tracks: readonly Mp3Track[];
  readonly durationMs: number;
  readonly #file: FileRanges;
  readonly #body = new AccessUnitAssembler();
  readonly #index = new SeekIndex<Place>();
  #lent: AccessUnit | undefined;
  #track: Mp3Track;
  #at: number;
  #clock = new SampleClock();

  private constructor(file: FileRanges, first: Frame, durationMs: number) {
    this.#file = file;
    this.#track = trackOf(first.header);
    this.tracks = [this.#track];
    this.durationMs = durationMs;
    this.#at = first.at;
    this.#index.add({ timeMs: 0, at: first.at, clock: new SampleClock() });
  }

  /** Throws ParseError. */
  static async open(file: FileRanges): Promise<Mp3File> {
    let at = 0;
    for (let tags = 0; tags < MAX_TAGS; tags += 1) {
      const length = id3v2Length(await file.view(at, ID3V2_HEADER_BYTES));
      if (length === 0) break;
      at += length;
    }
    let first = await firstFrame(file, at);
    if (first === undefined) throw new ParseError('no frame of MPEG audio layer III is in it');
    const { frameBytes, samplesPerFrame, sampleRate } = first.header;
    const vbr = parseVbrHeader(await file.view(first.at, frameBytes), first.header);
    if (vbr !== undefined) {
      const behind = await firstFrame(file, first.at + frameBytes);
      if (behind === undefined) throw new ParseError('it has no frame of sound');
      first = behind;
    }
    const frames = vbr?.frames ?? (file.size - first.at) / first.header.frameBytes;
    const durationMs = Math.round((frames * samplesPerFrame * 1000) / sampleRate);
    return new Mp3File(file, first, durationMs);
  }

  async seek(ms: number): Promise<number> {
    const from = this.#index.at(ms);
    if (from === undefined) return 0;
    this.#at = from.at;
    this.#clock = from.clock.copy();
    for (let last: Place | undefined; ; ) {
      const { timeUs } = this.#clock;
      const frame = await findFrame(this.#file, this.#at);
      if (frame === undefined && last !== undefined) {
        this.#at = last.at;
        this.#clock = last.clock;
        return last.timeMs;
      }
      if (frame === undefined || this.#clock.after(frame.header) > ms * 1000) return timeUs / 1000;
      last = { timeMs: timeUs / 1000, at: this.#at, clock: this.#clock.copy() };
      this.#pass(frame);
    }
  }

  async read(): Promise<AccessUnit | undefined> {
    if (this.#lent !== undefined) this.#body.release(this.#lent.kept);
    this.#lent = undefined;
    const frame = await findFrame(this.#file, this.#at);
    if (frame === undefined) return undefined;
    const { frameBytes } = frame.header;
    this.#body.append(await this.#file.view(frame.at, frameBytes));
    const { timeUs } = this.#clock;
    this.#pass(frame);
    const track = this.#trackOf(frame.header);
    const data = this.#body.take();
    this.#lent = { track, ptsUs: timeUs, dtsUs: timeUs, randomAccess: true, data, kept: false };
    return this.#lent;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #pass({ at, header }: Frame): void {
    this.#clock.pass(header);
    this.#at = at + header.frameBytes;
    const { timeUs } = this.#clock;
    const last = this.#index.points.at(-1)?.timeMs ?? 0;
    if (timeUs / 1000 - last < POINT_EVERY_MS) return;
    this.#index.add({ timeMs: timeUs / 1000, at: this.#at, clock: this.#clock.copy() });
  }

  #trackOf(header: MpegAudioHeader): Mp3Track {
    const { sampleRate, channels } = this.#track;
    const isSame = sampleRate === header.sampleRate && channels === header.channels;
    if (!isSame) this.#track = trackOf(header);
    return this.#track;
  }
}

/** Samples → microseconds, from absolute counts for as long as the rate stays. */
class SampleClock {
  #fromUs = 0;
  #samples = 0;
  #sampleRate = 0;

  get timeUs(): number {
    if (this.#samples === 0) return Math.round(this.#fromUs);
    return Math.round(this.#fromUs + (this.#samples * 1e6) / this.#sampleRate);
  }

  copy(): SampleClock {
    const copy = new SampleClock();
    copy.#fromUs = this.#fromUs;
    copy.#samples = this.#samples;
    copy.#sampleRate = this.#sampleRate;
    return copy;
  }

  /** The time behind such a frame. */
  after({ samplesPerFrame, sampleRate }: MpegAudioHeader): number {
    return this.timeUs + (samplesPerFrame * 1e6) / sampleRate;
  }

  pass({ samplesPerFrame, sampleRate }: MpegAudioHeader): void {
    if (sampleRate !== this.#sampleRate) {
      this.#fromUs = this.timeUs;
      this.#samples = 0;
      this.#sampleRate = sampleRate;
    }
    this.#samples += samplesPerFrame;
  }
}

function trackOf({ sampleRate, channels }: MpegAudioHeader): Mp3Track {
  return { kind: 'audio', codec: 'mp3', sampleRate, channels };
}

/** The first whole frame of layer III at `from` or behind it. Behind junk, only what another frame or the end follows. */
async function findFrame(file: FileRanges, from: number): Promise<Frame | undefined> {
  const here = await frameAt(file, from);
  if (here !== undefined) return here;
  const limit = Math.min(from + MAX_JUNK_BYTES, file.size);
  for (let at = from + 1; at < limit; ) {
    const bytes = await file.next(at);
    const sync = bytes.indexOf(0xff);
    if (bytes.length === 0 || sync === -1) {
      at += Math.max(1, bytes.length);
      continue;
    }
    const frame = await frameAt(file, at + sync);
    if (frame !== undefined && (await isFollowed(file, frame))) return frame;
    at += sync + 1;
  }
  return undefined;
}

/** Where nothing has told yet that there are frames, only what another one follows. */
async function firstFrame(file: FileRanges, from: number): Promise<Frame | undefined> {
  const here = await frameAt(file, from);
  if (here !== undefined && !(await isFollowed(file, here))) return await findFrame(file, from + 1);
  return await findFrame(file, from);
}

async function isFollowed(file: FileRanges, { at, header }: Frame): Promise<boolean> {
  const behind = at + header.frameBytes;
  return behind === file.size || (await frameAt(file, behind)) !== undefined;
}

async function frameAt(file: FileRanges, at: number): Promise<Frame | undefined> {
  const header = headerOf(await file.view(at, MPEG_AUDIO_HEADER_BYTES));
  if (header === undefined || at + header.frameBytes > file.size) return undefined;
  return { at, header };
}

function headerOf(bytes: Uint8Array): MpegAudioHeader | undefined {
  if (bytes[0] !== 0xff) return undefined;
  try {
    const header = parseMpegAudioHeader(bytes);
    return header.layer === 3 ? header : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

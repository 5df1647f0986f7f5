/** The samples of one track of a MP4 file → access units. */
import { type AccessUnit, MAX_ACCESS_UNIT_BYTES } from '../../codecs/access-unit.ts';
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import { ParseError } from '../../codecs/errors.ts';
import { FlvPictures } from '../../codecs/flv/flv-pictures.ts';
import type { MovieTrack } from '../../codecs/mp4/movie.ts';
import type { SampleDescription } from '../../codecs/mp4/sample-description.ts';
import type { Mp4Sample } from '../../codecs/mp4/sample-table.ts';
import { RandomAccessGate } from '../../codecs/random-access-gate.ts';
import type { Track } from '../../codecs/track.ts';
import type { FileRanges } from './file-ranges.ts';

export class Mp4Samples {
  readonly track: MovieTrack;
  readonly #file: FileRanges;
  readonly #body = new AccessUnitAssembler();
  readonly #gate = new RandomAccessGate();
  /** So much earlier is everything decoded than the file says: pictures must not be shown before they are decoded. */
  #leadTicks: number;
  /** Of the sample entry in use. */
  #description: SampleDescription | undefined;
  #pictures: FlvPictures | undefined;

  /** `file`: a window of its own, for tracks lie apart. */
  constructor(track: MovieTrack, file: FileRanges) {
    this.track = track;
    this.#file = file;
    this.#leadTicks = Math.max(0, -track.samples.lowestCompositionOffset);
  }

  /** Writers of fragments like offsets below 0 (ISO/IEC 14496-12 §8.6.1.3): those of the first tell what is to come. */
  expect(samples: readonly Mp4Sample[]): void {
    for (const { compositionOffsetTicks } of samples) {
      this.#leadTicks = Math.max(this.#leadTicks, -compositionOffsetTicks);
    }
  }

  /** When that is decoded. */
  timeUs(decodeTicks: number): number {
    return this.#toUs(decodeTicks - this.#leadTicks);
  }

  /** The first tick that is not before. */
  ticks(timeUs: number): number {
    const { timescale, shiftTicks } = this.track;
    const ticks = Math.ceil((timeUs * timescale) / 1_000_000 - 0.001);
    return ticks - shiftTicks + this.#leadTicks;
  }

  /**
   * undefined: it lies outside the file, is damaged, or cannot be decoded because one before it was. `release` must be
   * called before the next one.
   */
  async read(sample: Mp4Sample, originUs: number): Promise<AccessUnit | undefined> {
    const description = this.track.descriptions[sample.descriptionIndex - 1];
    const isThere = description !== undefined && (await this.#readBytes(sample));
    if (!isThere) {
      this.#gate.close();
      return undefined;
    }
    const found = this.#unit(description, this.#body.take(), sample.isSync);
    if (found === undefined) return undefined;
    const { decodeTicks, compositionOffsetTicks } = sample;
    const dtsUs = this.timeUs(decodeTicks) - originUs;
    const ptsUs = this.#toUs(decodeTicks + compositionOffsetTicks) - originUs;
    return { ...found, dtsUs, ptsUs, kept: false };
  }

  /** What comes next does not follow what came last. */
  restart(): void {
    this.#gate.close();
  }

  /** `kept`: somebody still reads the unit's bytes. */
  release(kept: boolean): void {
    const isBody = this.#pictures === undefined ? kept : this.#pictures.release(kept);
    this.#body.release(isBody);
  }

  #toUs(ticks: number): number {
    const { timescale, shiftTicks } = this.track;
    return Math.round(((ticks + shiftTicks) * 1_000_000) / timescale);
  }

  async #readBytes({ position, byteLength }: Mp4Sample): Promise<boolean> {
    this.#body.clear();
    if (byteLength === 0 || byteLength > MAX_ACCESS_UNIT_BYTES) return false;
    if (position + byteLength > this.#file.size) return false;
    for (let done = 0; done < byteLength; ) {
      const bytes = await this.#file.view(position + done, byteLength - done);
      if (bytes.length === 0) return false;
      this.#body.append(bytes);
      done += bytes.length;
    }
    return true;
  }

  #unit(
    description: SampleDescription,
    data: Uint8Array,
    isSync: boolean,
  ): { track: Track; randomAccess: boolean; data: Uint8Array } | undefined {
    if (description !== this.#description) this.#describe(description);
    if (description.codec === 'audio') {
      return { track: description.track, randomAccess: true, data };
    }
    if (description.codec === 'passed') {
      if (!this.#gate.admits(isSync, false)) return undefined;
      return { track: description.track, randomAccess: isSync, data };
    }
    try {
      const picture = this.#pictures?.read(data, isSync);
      if (picture === undefined) return undefined;
      const { track, randomAccess, skippedLeading } = picture;
      if (!this.#gate.admits(randomAccess, skippedLeading)) {
        this.#pictures?.release(false);
        return undefined;
      }
      return { track, randomAccess, data: picture.data };
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#gate.close();
      return undefined;
    }
  }

  #describe(description: SampleDescription): void {
    this.#description = description;
    if (description.codec !== 'h264' && description.codec !== 'h265') {
      this.#pictures = undefined;
      return;
    }
    if (this.#pictures?.codec !== description.codec) {
      this.#pictures = new FlvPictures(description.codec);
    }
    this.#pictures.configure(description.record);
  }
}

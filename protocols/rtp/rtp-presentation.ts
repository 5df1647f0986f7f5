/**
 * The tracks of one RTP session become one stream: packets in, timed access units out to a sink.
 *
 * The stream's clock is 0 at the RTP times that PLAY stated (RTP-Info), or at each track's first
 * packet. Sender reports, once every track has had one, correct the tracks' offset a single time, and once
 * more after a jump of the clock; nothing waits for them.
 */
import { type AccessUnit, MAX_ACCESS_UNIT_BYTES } from '../../codecs/access-unit.ts';
import { decodeHints } from '../../codecs/decode-hints.ts';
import { DecodeTimer } from '../../codecs/decode-time.ts';
import { UnsupportedError } from '../../codecs/errors.ts';
import { ClockGroup, clockNotes, SourceClock } from '../../codecs/source-clock.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track, VideoTrack } from '../../codecs/track.ts';
import type { Awaited, Depacketizer, UnitReceiver } from './depacketizer.ts';
import { HeldUnits } from './held-units.ts';
import type { SelectedFormat, SelectedMedia } from './media-selection.ts';
import { Reception } from './reception.ts';
import { parseRtcp, type SenderReport, serializeReceiverReport } from './rtcp.ts';
import { RtpPacket } from './rtp-packet.ts';
import { SsrcGuard } from './ssrc-guard.ts';
import { RtpTimeline } from './timeline.ts';

/** Below this nobody sees or hears it; above the second one a clock is simply wrong. */
const MIN_CORRECTION_US = 20_000;
const MAX_CORRECTION_US = 5_000_000;
/** A sender report further from the last packet belongs to another clock, before or after a jump. */
const MAX_REPORT_DISTANCE_US = 10_000_000;
/** An RTP-Info further from the first packet than this is not about it (many cameras state 0). */
const MAX_ORIGIN_DISTANCE_S = 10;
/** Audio that tells what it is only in its packets (MP3, AC-3, some LATM) has them every 20 to 400 ms. */
const MAX_AUDIO_WAIT_MS = 2000;

export interface PresentationCounters {
  receivedBytes: number;
  receivedPackets: number;
  lostPackets: number;
  damagedUnits: number;
  jitterMs: number;
  clockPercent: number | undefined;
  awaits: Awaited | undefined;
}

export class RtpPresentation {
  readonly #sink: StreamSink;
  readonly #now: () => number;
  readonly #ownSsrc: number;
  readonly #tracks: PresentationTrack[];
  readonly #clockGroup = new ClockGroup();
  readonly #held = new HeldUnits();
  #hasStarted = false;
  #firstArrivalMs: number | undefined;
  #isCorrected = false;

  /** `now`: milliseconds on a clock that never goes backwards. */
  constructor(
    medias: readonly SelectedMedia[],
    sink: StreamSink,
    now: () => number,
    ownSsrc: number,
  ) {
    this.#sink = sink;
    this.#now = now;
    this.#ownSsrc = ownSsrc;
    this.#tracks = medias.map((media) => new PresentationTrack(media, this));
  }

  /** The RTP time of each track at which the stream begins, as PLAY stated; undefined where it did not. */
  setOrigins(rtpTimestamps: readonly (number | undefined)[]): void {
    for (const [index, track] of this.#tracks.entries()) track.origin = rtpTimestamps[index];
  }

  /** One RTP packet of a track, in order as far as the transport gives it. True: it was taken. */
  rtp(trackIndex: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#tracks[trackIndex]?.rtp(bytes, start, end, this.#now()) ?? false;
  }

  /** RTCP of a track. True: the camera said goodbye. */
  rtcp(trackIndex: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { senderReport, byes } = parseRtcp(bytes, start, end);
    const track = this.#tracks[trackIndex];
    if (senderReport !== undefined && track !== undefined) {
      track.takeReport(senderReport, this.#now());
      this.correctOffsets();
    }
    // In a group other receivers say goodbye, too (RFC 3550 §6.6).
    return byes !== undefined && (byes.length === 0 || (track?.isSource(byes) ?? false));
  }

  /** A receiver report for a track, with free bytes in front; undefined while nothing has come. */
  receiverReport(trackIndex: number, headroom: number): Uint8Array | undefined {
    return this.#tracks[trackIndex]?.receiverReport(this.#ownSsrc, headroom, this.#now());
  }

  readCounters(into: PresentationCounters): void {
    into.receivedPackets = 0;
    into.receivedBytes = 0;
    into.lostPackets = 0;
    into.damagedUnits = 0;
    into.awaits = undefined;
    for (const track of this.#tracks) {
      into.receivedPackets += track.reception.receivedPackets;
      into.receivedBytes += track.receivedBytes;
      into.lostPackets += track.reception.lostPackets;
      into.damagedUnits += track.depacketizer.damagedUnits;
      into.awaits ??= track.depacketizer.awaits;
      if (track.kind === 'audio' && this.#tracks.length > 1) continue;
      into.jitterMs = track.jitterMs;
      into.clockPercent = track.clockPercent;
    }
  }

  /** When the last packet came; undefined before the first. */
  get lastArrivalMs(): number | undefined {
    const lastMs = Math.max(...this.#tracks.map((track) => track.arrivalMs));
    return lastMs > 0 ? lastMs : undefined;
  }

  /** What was left out and what is wrong with the clocks of the tracks, in plain words. */
  get notes(): readonly string[] {
    return this.#tracks.flatMap((track) => [
      ...this.#whyLeftOut(track),
      ...(track.depacketizer.notes ?? []),
      ...clockNotes(track.kind, track.clock),
      ...(track.guard.strangers === 0
        ? []
        : [
            `The ${track.kind}: packets of another sender (SSRC) come in between and are left out.`,
          ]),
    ]);
  }

  /**
   * Called by a track. The sink is started as soon as all tracks are known, or without audio that keeps a known
   * video waiting; its track then comes with its first unit. Nothing of the first GOP is lost meanwhile.
   */
  write(unit: AccessUnit, nowMs: number): void {
    if (this.#hasStarted || this.#mayStart(nowMs)) this.#sink.write(unit);
    else if (unit.track.kind === 'video') this.#held.push(unit);
  }

  #mayStart(nowMs: number): boolean {
    const waitedMs = nowMs - (this.#firstArrivalMs ?? nowMs);
    const mayWait = waitedMs < MAX_AUDIO_WAIT_MS && !this.#held.isFull;
    const tracks: Track[] = [];
    for (const { depacketizer, kind } of this.#tracks) {
      const { track, furtherTracks = [], refusal } = depacketizer;
      if (track !== undefined) tracks.push(track, ...furtherTracks);
      else if (refusal === undefined && (kind === 'video' || mayWait)) return false;
    }
    this.#hasStarted = true;
    this.#sink.start(tracks);
    this.#held.release(this.#sink);
    return true;
  }

  #whyLeftOut({ kind, encoding, depacketizer }: PresentationTrack): readonly string[] {
    const { track, refusal } = depacketizer;
    if (refusal !== undefined) return [`Left out: ${kind} ${encoding}, ${refusal}.`];
    if (track !== undefined || !this.#hasStarted) return [];
    return [`The ${kind} does not tell what it is; the picture goes on without it.`];
  }

  /** Called by a track that cannot be carried after all. Throws when there is no other. */
  refused(): void {
    const refusals = this.#tracks.map(({ depacketizer }) => depacketizer.refusal);
    if (refusals.includes(undefined)) return;
    throw new UnsupportedError(`nothing that it offers can be carried: ${refusals.join(', ')}.`);
  }

  /** How long after the first packet of any track this one came, in µs: where a track without origin begins. */
  beginAtUs(nowMs: number): number {
    this.#firstArrivalMs ??= nowMs;
    return Math.round((nowMs - this.#firstArrivalMs) * 1000);
  }

  get clockGroup(): ClockGroup {
    return this.#clockGroup;
  }

  /** Called by a track whose clock jumped: what sender reports said by then is about another clock. */
  jumped(): void {
    this.#isCorrected = false;
    for (const track of this.#tracks) track.forgetReport();
  }

  /**
   * Called when a report has come or can be placed. A track that has written something is only ever moved
   * forward: its time does not come again. One that has not goes where the others are.
   */
  correctOffsets(): void {
    if (this.#isCorrected) return;
    const placed = this.#tracks.map((track) => ({
      track,
      wallUs: track.wallOffsetUs ?? Number.NaN,
    }));
    if (placed.some(({ wallUs }) => Number.isNaN(wallUs))) return; // not every track has had a report
    this.#isCorrected = true;
    const begun = placed.filter(({ track }) => track.hasBegun);
    const fixed = begun.length > 0 ? begun : placed;
    const earliestUs = Math.min(...fixed.map(({ wallUs }) => wallUs));
    for (const { track, wallUs } of placed) {
      const behindUs = wallUs - earliestUs;
      const distanceUs = Math.abs(behindUs);
      if (distanceUs > MIN_CORRECTION_US && distanceUs <= MAX_CORRECTION_US) track.shift(behindUs);
    }
  }
}

class PresentationTrack implements UnitReceiver {
  readonly kind: 'video' | 'audio';
  readonly reception = new Reception();
  readonly guard = new SsrcGuard();
  encoding: string;
  depacketizer: Depacketizer;
  receivedBytes = 0;
  origin: number | undefined;
  /** Wall clock of the camera minus the stream's clock, from the last sender report. */
  wallOffsetUs: number | undefined;
  readonly #presentation: RtpPresentation;
  readonly #packet = new RtpPacket();
  readonly #formats: readonly SelectedFormat[];
  #clockRate: number;
  #payloadType: number;
  readonly #decodeTimer = new DecodeTimer();
  readonly clock: SourceClock;
  arrivalMs = 0;
  /** Something of it was written. */
  hasBegun = false;
  /** Of the packet before the last one. */
  #earlierArrivalMs = 0;
  #timedTrack: Track | undefined;
  #timeline: RtpTimeline | undefined;
  #pendingReport: SenderReport | undefined;
  #pendingShiftUs = 0;
  #lastReportNtp = 0;
  #lastReportAtMs: number | undefined;

  constructor(selected: SelectedMedia, presentation: RtpPresentation) {
    this.kind = selected.kind;
    this.encoding = selected.format.encoding;
    this.#presentation = presentation;
    this.clock = new SourceClock(selected.kind === 'video', presentation.clockGroup);
    this.#clockRate = selected.format.clockRate;
    this.#payloadType = selected.format.payloadType;
    this.#formats = [selected, ...selected.others];
    this.depacketizer = selected.open(this);
  }

  get jitterMs(): number {
    return Math.round((this.reception.jitter / this.#clockRate) * 10_000) / 10;
  }

  get clockPercent(): number | undefined {
    const { drift } = this.clock;
    return drift === undefined ? undefined : Math.round(drift * 1000) / 10;
  }

  rtp(bytes: Uint8Array, start: number, end: number, nowMs: number): boolean {
    const packet = this.#packet;
    if (!packet.read(bytes, start, end)) return false;
    if (packet.payloadType !== this.#payloadType && !this.#mayTurnTo(packet.payloadType)) {
      return false;
    }
    if (!this.guard.admit(packet, nowMs)) return false;
    const arrival = this.reception.note(packet, Math.round((nowMs * this.#clockRate) / 1000));
    if (arrival === 'late') return true;
    this.receivedBytes += end - start;
    this.#earlierArrivalMs = this.arrivalMs;
    this.arrivalMs = nowMs;
    if (this.#timeline === undefined) {
      this.#timeline = this.#beginTimeline(packet.timestamp, nowMs);
      // A report may have come before the first packet.
      this.#placeReport();
      this.#presentation.correctOffsets();
    }
    this.depacketizer.push(packet, arrival !== 'next');
    if (this.depacketizer.refusal !== undefined) this.#presentation.refused();
    return true;
  }

  /** Another payload type of its `m=` line: the same format by another number, or what comes in place of it. */
  #mayTurnTo(payloadType: number): boolean {
    const other = this.#formats.find(({ format }) => format.payloadType === payloadType);
    if (other === undefined) return false;
    const { encoding, clockRate } = other.format;
    if (this.reception.receivedPackets > 0) {
      if (encoding !== this.encoding || clockRate !== this.#clockRate) return false;
      this.#payloadType = payloadType;
      return true;
    }
    this.#payloadType = payloadType;
    this.encoding = encoding;
    this.#clockRate = clockRate;
    this.depacketizer = other.open(this);
    return true;
  }

  unit(data: Uint8Array, rtpTimestamp: number, randomAccess: boolean, track: Track): boolean {
    if (randomAccess && this.#pendingShiftUs > 0) {
      this.clock.shift(this.#pendingShiftUs);
      this.#pendingShiftUs = 0;
    }
    this.hasBegun = true;
    const { jumps } = this.clock;
    const arrivalMs = this.#arrivalOf(rtpTimestamp);
    const ptsUs = this.clock.place(this.#timeline?.advance(rtpTimestamp) ?? 0, arrivalMs);
    if (this.clock.jumps !== jumps) this.#presentation.jumped();
    if (data.length > MAX_ACCESS_UNIT_BYTES) return false;
    const dtsUs = track.kind === 'video' ? this.#decodeTime(ptsUs, randomAccess, track) : ptsUs;
    const unit = { track, ptsUs, dtsUs, randomAccess, data, kept: false };
    this.#presentation.write(unit, this.arrivalMs);
    return unit.kept;
  }

  timedUnit(unit: AccessUnit): void {
    this.#presentation.write(unit, this.arrivalMs);
  }

  /** A picture without a marker is whole when the next one begins, which may be after a silence, with another clock. */
  #arrivalOf(rtpTimestamp: number): number {
    const isOfThisPacket = this.kind === 'audio' || rtpTimestamp === this.#packet.timestamp;
    return isOfThisPacket ? this.arrivalMs : this.#earlierArrivalMs;
  }

  takeReport(report: SenderReport, nowMs: number): void {
    this.#lastReportNtp = report.ntpMiddle;
    this.#lastReportAtMs = nowMs;
    this.#pendingReport = report;
    this.#placeReport();
  }

  /** From the next random access point on: between pictures that refer to each other it would mix their order. */
  shift(byUs: number): void {
    if (this.hasBegun) this.#pendingShiftUs = byUs;
    else this.clock.shift(byUs);
  }

  /** Before the first packet everybody may be it. */
  isSource(ssrcs: readonly number[]): boolean {
    return this.reception.receivedPackets === 0 || ssrcs.includes(this.reception.ssrc);
  }

  forgetReport(): void {
    this.#pendingReport = undefined;
    this.wallOffsetUs = undefined;
    this.#pendingShiftUs = 0;
  }

  receiverReport(ownSsrc: number, headroom: number, nowMs: number): Uint8Array | undefined {
    if (this.reception.receivedPackets === 0) return undefined;
    const lastReport =
      this.#lastReportAtMs === undefined
        ? undefined
        : { ntpMiddle: this.#lastReportNtp, ageMs: nowMs - this.#lastReportAtMs };
    return serializeReceiverReport(this.reception, ownSsrc, lastReport, headroom);
  }

  #beginTimeline(timestamp: number, nowMs: number): RtpTimeline {
    const beginUs = this.#presentation.beginAtUs(nowMs);
    const { origin } = this;
    const distance =
      origin === undefined ? Number.POSITIVE_INFINITY : Math.abs((timestamp - origin) | 0);
    const isOriginUsable = distance <= MAX_ORIGIN_DISTANCE_S * this.#clockRate;
    const timeline = new RtpTimeline(this.#clockRate, isOriginUsable ? (origin ?? 0) : timestamp);
    if (!isOriginUsable) this.clock.shift(beginUs);
    return timeline;
  }

  #placeReport(): void {
    if (this.#pendingReport === undefined || this.#timeline === undefined) return;
    const { wallUs, rtpTimestamp } = this.#pendingReport;
    if (this.#timeline.distanceUs(rtpTimestamp) > MAX_REPORT_DISTANCE_US) return;
    this.wallOffsetUs = wallUs - this.clock.locate(this.#timeline.place(rtpTimestamp));
  }

  #decodeTime(ptsUs: number, randomAccess: boolean, track: VideoTrack): number {
    if (track !== this.#timedTrack) {
      this.#timedTrack = track;
      const hints = decodeHints(track);
      if (hints !== undefined) this.#decodeTimer.setHints(hints);
    }
    return this.#decodeTimer.push(ptsUs, randomAccess);
  }
}

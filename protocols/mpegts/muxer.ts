/**
 * Access units → MPEG-TS: one programme with the stream's picture and sound. ISO/IEC 13818-1 §2.4, §2.14 (H.264),
 * §2.17 (H.265). Each unit becomes whole packets in memory of its own, which any number of viewers may share; so
 * the continuity counters are shared, too, and a viewer may begin at any random access point: the tables
 * stand before each.
 *
 * NAL units and frames leave as they came. An access unit delimiter is added where there is none, and parameter sets
 * before random access points that do not bring their own.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { equalBytes } from '../../codecs/bytes.ts';
import type { Track } from '../../codecs/track.ts';
import { planAnnexB, writeAnnexB } from './annex-b-writer.ts';
import { type ElementaryForm, elementaryForm } from './elementary-form.ts';
import { type FirstPacket, PacketWriter, packetCount } from './packet-writer.ts';
import { pesHeaderBytes, writePesHeader } from './pes-header.ts';
import { type ElementaryStreamEntry, serializePat, serializePmt } from './program-tables.ts';
import { PAT_PID, TS_PACKET_BYTES } from './ts-packet.ts';

const PROGRAM = 1;
const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;
const AUDIO_PID = 0x101;
/** Whoever begins elsewhere than at a random access point finds them soon; DVB asks for 500 ms (TR 101 290 §5.2.1). */
const TABLES_EVERY_US = 500_000;
/** The clock runs so much before the decode times: picture and sound of one moment do not come at the same time. */
const CLOCK_AHEAD_TICKS = 36_000;
/** What precedes the stream's first unit, and the clock, shall not be below 0. */
const START_TICKS = 126_000;
/** Time stamps have 33 bits. */
const TICKS = 2 ** 33;

const TICKS_PER_US = 0.09;

interface Elementary {
  readonly form: ElementaryForm;
  readonly packets: PacketWriter;
}

interface PacketsBegun {
  readonly bytes: Uint8Array;
  readonly mediaAt: number;
  readonly pesBytes: number;
  readonly first: FirstPacket;
}

export class TsMuxer {
  readonly #pat = new PacketWriter(PAT_PID);
  readonly #pmt = new PacketWriter(PMT_PID);
  readonly #videoPackets = new PacketWriter(VIDEO_PID);
  readonly #audioPackets = new PacketWriter(AUDIO_PID);
  readonly #patSection = serializePat([{ program: PROGRAM, pmtPid: PMT_PID }], 0);
  #pmtSection: Uint8Array = new Uint8Array(0);
  #pmtVersion = 0;
  #video: Elementary | undefined;
  #audio: Elementary | undefined;
  /** The decode time that tables were last written at. */
  #tablesAtUs: number | undefined;

  /** Again whenever tracks change; tracks without a form are left out. */
  start(tracks: readonly Track[]): void {
    this.#video = undefined;
    this.#audio = undefined;
    const streams: ElementaryStreamEntry[] = [];
    for (const track of tracks) {
      const form = elementaryForm(track);
      if (form === undefined) continue;
      const isVideo = track.kind === 'video';
      if (isVideo) this.#video = { form, packets: this.#videoPackets };
      else this.#audio = { form, packets: this.#audioPackets };
      const { streamType, descriptors } = form;
      streams.push({ pid: isVideo ? VIDEO_PID : AUDIO_PID, streamType, descriptors });
    }
    this.#setProgram(streams);
  }

  /** Nothing: the tables are among the frames. */
  header(): undefined {
    return undefined;
  }

  /** Whole packets; undefined for a unit without a form. */
  frame(unit: AccessUnit): Uint8Array | undefined {
    return unit.track.kind === 'video' ? this.#picture(unit) : this.#sound(unit);
  }

  #setProgram(streams: readonly ElementaryStreamEntry[]): void {
    const pcrPid = this.#video === undefined ? AUDIO_PID : VIDEO_PID;
    const map = { program: PROGRAM, pcrPid, streams };
    if (equalBytes(serializePmt(map, this.#pmtVersion), this.#pmtSection)) return;
    this.#pmtVersion = (this.#pmtVersion + 1) & 0x1f;
    this.#pmtSection = serializePmt(map, this.#pmtVersion);
    this.#tablesAtUs = undefined;
  }

  #picture(unit: AccessUnit): Uint8Array | undefined {
    const { track, data, randomAccess } = unit;
    const stream = this.#video;
    if (stream === undefined || track.kind !== 'video') return undefined;
    const plan = planAnnexB(track, data, randomAccess);
    if (plan === undefined) return undefined;
    const hasTables = randomAccess || this.#areTablesDue(unit.dtsUs);
    const packets = this.#begin(unit, stream, plan.byteLength, hasTables, this.#pcr(unit.dtsUs));
    writeAnnexB(packets.bytes, packets.bytes.length - plan.byteLength, data, plan);
    return this.#end(packets, stream);
  }

  #sound(unit: AccessUnit): Uint8Array | undefined {
    const { data } = unit;
    const stream = this.#audio;
    const prefix = stream?.form.prefix(data.length);
    if (stream === undefined || prefix === undefined) return undefined;
    const payloadBytes = prefix.length + data.length;
    const pcr = this.#video === undefined ? this.#pcr(unit.dtsUs) : undefined;
    const hasTables = this.#areTablesDue(unit.dtsUs);
    const packets = this.#begin(unit, stream, payloadBytes, hasTables, pcr);
    packets.bytes.set(prefix, packets.bytes.length - payloadBytes);
    packets.bytes.set(data, packets.bytes.length - data.length);
    return this.#end(packets, stream);
  }

  /** Room for all of it, with the tables, and with the PES header where `spread` wants it: right before the payload at the end. */
  #begin(
    { ptsUs, dtsUs, randomAccess }: AccessUnit,
    { form }: Elementary,
    payloadBytes: number,
    hasTables: boolean,
    pcr: number | undefined,
  ): PacketsBegun {
    const dts = ticksOf(dtsUs);
    // Not from the PTS itself: their distance stays as exact as it was.
    const pts = (dts + Math.round((ptsUs - dtsUs) * TICKS_PER_US) + TICKS) % TICKS;
    const pesBytes = pesHeaderBytes(pts, dts) + payloadBytes;
    const first = { isRandomAccess: randomAccess, pcr };
    const tables = hasTables ? 2 : 0;
    const count = tables + packetCount(pesBytes, first);
    const bytes = new Uint8Array(count * TS_PACKET_BYTES);
    if (hasTables) {
      this.#tablesAtUs = dtsUs;
      this.#pat.writeSection(bytes, 0, this.#patSection);
      this.#pmt.writeSection(bytes, TS_PACKET_BYTES, this.#pmtSection);
    }
    writePesHeader(bytes, bytes.length - pesBytes, form.streamId, payloadBytes, pts, dts);
    return { bytes, mediaAt: tables * TS_PACKET_BYTES, pesBytes, first };
  }

  #end({ bytes, mediaAt, pesBytes, first }: PacketsBegun, { packets }: Elementary): Uint8Array {
    packets.spread(bytes, mediaAt, pesBytes, first);
    return bytes;
  }

  #areTablesDue(dtsUs: number): boolean {
    const atUs = this.#tablesAtUs;
    return atUs === undefined || Math.abs(dtsUs - atUs) >= TABLES_EVERY_US;
  }

  #pcr(dtsUs: number): number {
    return (ticksOf(dtsUs) - CLOCK_AHEAD_TICKS + TICKS) % TICKS;
  }
}

/** 33 bits of 90 kHz. */
function ticksOf(us: number): number {
  const ticks = (Math.round(us * TICKS_PER_US) + START_TICKS) % TICKS;
  return ticks < 0 ? ticks + TICKS : ticks;
}

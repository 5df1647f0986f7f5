/**
 * An encoder that sends MPEG-TS by UDP, as it is or in RTP, to a port of ours or to a group.
 *
 * A group is joined through the interface that was named; else through the one the kernel's routes say and,
 * while nothing comes, through each of the others in turn: two at once would bring everything twice where both
 * are on the encoder's network. Silence, too, makes it join anew: switches and routers forget members, and
 * interfaces come back with other addresses.
 */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import type { SourceDescription } from '../catalog.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { listInterfaces } from '../discovery/interfaces.ts';
import { type DriverContext, emptyStats, type SourceStats, type StreamDriver } from '../driver.ts';
import { openUdpReceiver, type UdpReceiver } from '../udp-receiver.ts';
import { MpegtsDatagrams } from './mpegts-datagrams.ts';
import { type MpegtsUrl, parseMpegtsUrl } from './mpegts-url.ts';

/** A router answers a join within a second; an encoder that is on sends many packets in each. */
const JOIN_AGAIN_MS = 2_000;
/** So long with nothing at all is told. */
const NOTHING_MS = 12_000;
const LOOK_EVERY_MS = 500;
/** What the kernel should allow a receive buffer to be (udp/dgram-receiver.ts asks for it). */
const WANTED_RECEIVE_BYTES = 2 * 1024 * 1024;
const RMEM_MAX = '/proc/sys/net/core/rmem_max';

export class MpegtsUdpEncoder implements StreamDriver {
  readonly #source: MpegtsUrl;
  readonly #description: SourceDescription;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  /** The interface that brought something last. */
  #proven: string | undefined;
  #demuxer: TsDemuxer | undefined;
  #datagrams: MpegtsDatagrams | undefined;
  #lastPacketAtMs: number | undefined;
  #allowedReceiveBytes = WANTED_RECEIVE_BYTES;

  /** Throws ParseError when the URL is none. */
  constructor(description: SourceDescription, context: DriverContext) {
    this.#source = parseMpegtsUrl(description.url);
    this.#description = description;
    this.#context = context;
  }

  get stats(): SourceStats {
    this.#demuxer?.readCounters(this.#stats);
    return this.#stats;
  }

  get notes(): readonly string[] {
    const notes = [...(this.#demuxer?.notes ?? [])];
    if (this.#datagrams?.isRtp) notes.push('It comes in RTP.');
    const { lostPackets } = this.stats;
    if (lostPackets > 0 && this.#allowedReceiveBytes < WANTED_RECEIVE_BYTES) {
      notes.push(
        `Packets are lost, and the kernel allows a receive buffer of ${Math.round(this.#allowedReceiveBytes / 1024)} KiB only; "sysctl -w net.core.rmem_max=${WANTED_RECEIVE_BYTES}" makes room for bursts.`,
      );
    }
    return notes;
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { program } = this.#description;
    Object.assign(this.#stats, emptyStats(), {
      transport: this.#source.isMulticast ? 'multicast' : 'udp',
    });
    const demuxer = new TsDemuxer({ sink, program, now: () => performance.now() });
    this.#demuxer = demuxer;
    this.#datagrams = new MpegtsDatagrams(demuxer);
    this.#lastPacketAtMs = undefined;
    this.#allowedReceiveBytes = await allowedReceiveBytes();
    const sinceMs = performance.now();
    try {
      for (;;) {
        await this.#listenInTurn(signal, () => {
          if (this.#lastPacketAtMs !== undefined || performance.now() - sinceMs < NOTHING_MS)
            return;
          throw new ProtocolError('NOTHING_COMES', this.#nothingWords());
        });
      }
    } finally {
      sink.stop();
    }
  }

  /** Through one interface after the other, each until it is silent; `onSilence` may throw. */
  async #listenInTurn(signal: AbortSignal, onSilence: () => void): Promise<void> {
    let failure: unknown;
    let listened = false;
    for (const through of this.#candidates()) {
      const over = deferred();
      const receiver = await this.#open(through, over.reject).catch((error: unknown) => {
        failure ??= error;
      });
      // The kernel may have no route to groups, or an interface no address just now: the next may do.
      if (receiver === undefined) continue;
      listened = true;
      try {
        await this.#untilSilent(over, signal);
      } finally {
        receiver.close();
      }
      onSilence();
    }
    if (!listened) throw failure;
  }

  /** Rejects when receiving fails, or `signal` aborts. */
  async #untilSilent(over: Deferred, signal: AbortSignal): Promise<void> {
    const beganAtMs = performance.now();
    const abort = () => over.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const timer = setInterval(() => {
      const heardAtMs = Math.max(beganAtMs, this.#lastPacketAtMs ?? 0);
      if (performance.now() - heardAtMs >= JOIN_AGAIN_MS) over.resolve();
    }, LOOK_EVERY_MS);
    try {
      signal.throwIfAborted();
      await over.promise;
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  async #open(
    through: string | undefined,
    onError: (error: unknown) => void,
  ): Promise<UdpReceiver> {
    const { host, port, sender, isMulticast } = this.#source;
    const family = (host ?? sender)?.includes(':') === true ? 'udp6' : 'udp4';
    try {
      const receiver = await openUdpReceiver({
        family,
        port,
        ...(isMulticast && host !== undefined
          ? { multicast: { group: host, interface: through, source: sender } }
          : { address: host }),
        onPacket: (bytes, start, end) => this.#packet(through, bytes, start, end),
        onError,
      });
      if (sender !== undefined) receiver.acceptOnly(sender);
      this.#context.log.debug({ port, host, interface: through }, 'listening');
      return receiver;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #packet(through: string | undefined, bytes: Uint8Array, start: number, end: number): void {
    const nowMs = performance.now();
    this.#lastPacketAtMs = nowMs;
    this.#proven = through;
    this.#datagrams?.push(bytes, start, end, nowMs);
  }

  /** Interfaces to listen through, the likeliest first; undefined: as the kernel routes. */
  #candidates(): (string | undefined)[] {
    const wanted = this.#description.interface;
    if (!this.#source.isMulticast) return [undefined];
    if (wanted !== undefined) return [wanted];
    const family = this.#source.host?.includes(':') === true ? 'IPv6' : 'IPv4';
    const own = listInterfaces([]).filter((each) => each.family === family);
    const all = [undefined, ...new Set(own.map(({ name }) => name))];
    return [this.#proven, ...all.filter((name) => name !== this.#proven)];
  }

  #nothingWords(): string {
    const { host, port, sender, isMulticast } = this.#source;
    const seconds = NOTHING_MS / 1000;
    const from = sender === undefined ? '' : ` from ${sender}`;
    const end = `a firewall that drops UDP, and the encoder's own settings`;
    if (!isMulticast) {
      const where = host === undefined ? `UDP port ${port}` : `${host}, UDP port ${port}`;
      return `nothing has come${from} to ${where} of this machine for ${seconds} s. Check that the encoder sends to an address of this machine and to this port, ${end}`;
    }
    const names = this.#candidates()
      .filter((name) => name !== undefined)
      .join(', ');
    const through = names === '' ? '' : ` through ${names}`;
    return `nothing has come${from} to the group ${host}, port ${port},${through} for ${seconds} s. Check that the encoder sends to this group, that it is on the network of one of these interfaces (or set interface), ${end}`;
  }

  #explained(error: unknown): unknown {
    const { host, port } = this.#source;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      return new ProtocolError(
        'PORT_TAKEN',
        `UDP port ${port} of this machine is taken by another stream or program`,
      );
    }
    if (code === 'EADDRNOTAVAIL' && !this.#source.isMulticast) {
      return new ProtocolError(
        'PORT_TAKEN',
        `${host} is not an address of this machine. With udp:// this machine listens; "udp://@:${port}" listens on all of its addresses`,
      );
    }
    return error;
  }
}

/** Where the kernel does not say (not Linux), enough is taken to be allowed. */
async function allowedReceiveBytes(): Promise<number> {
  const text = await readFile(RMEM_MAX, 'latin1').catch(() => '');
  return Number.parseInt(text, 10) || WANTED_RECEIVE_BYTES;
}

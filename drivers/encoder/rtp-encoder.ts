/**
 * An encoder that sends plain RTP, with no dialogue: a session description in a file says what, to which ports of
 * ours or to which groups (RFC 8866 §5.7, §5.14).
 */
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { type SelectedMedia, selectMedias } from '../../protocols/rtp/media-selection.ts';
import { RtpPresentation } from '../../protocols/rtp/rtp-presentation.ts';
import { isMulticastAddress } from '../../protocols/rtsp/transport.ts';
import { parseSdp } from '../../protocols/sdp/sdp.ts';
import type { SourceDescription } from '../catalog.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { type DriverContext, emptyStats, type SourceStats, type StreamDriver } from '../driver.ts';
import { orderedUdp, UdpMedia } from '../udp-media.ts';
import { readSdpFile, sdpPathOf } from './sdp-file.ts';

/** An encoder that is on sends many packets in each second. */
const NOTHING_MS = 12_000;
const RECEIVER_REPORT_MS = 5_000;

export class RtpEncoder implements StreamDriver {
  readonly #description: SourceDescription;
  readonly #path: string;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  #leftOut: readonly string[] = [];
  #presentation: RtpPresentation | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(description: SourceDescription, context: DriverContext) {
    this.#description = description;
    this.#path = sdpPathOf(description.url);
    this.#context = context;
  }

  get stats(): SourceStats {
    this.#presentation?.readCounters(this.#stats);
    return this.#stats;
  }

  get notes(): readonly string[] {
    return [...this.#leftOut, ...(this.#presentation?.notes ?? [])];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    Object.assign(this.#stats, emptyStats());
    const { selected, leftOut } = selectMedias(parseSdp(await readSdpFile(this.#path)));
    this.#leftOut = leftOut.map(
      ({ kind, codec, reason }) => `Left out: ${kind} ${codec}, ${reason}.`,
    );
    const presentation = new RtpPresentation(
      selected,
      sink,
      () => performance.now(),
      randomInt(2 ** 32),
    );
    this.#presentation = presentation;
    const over = deferred();
    const opened: UdpMedia[] = [];
    try {
      for (const [index, media] of selected.entries()) {
        const listening = this.#listen(index, media, presentation, over);
        opened.push(await listening.catch((error: unknown) => portTaken(error, media)));
      }
      await this.#untilOver(opened, presentation, over, signal);
    } finally {
      for (const udp of opened) udp.close();
      sink.stop();
    }
  }

  async #listen(
    index: number,
    { media, kind }: SelectedMedia,
    presentation: RtpPresentation,
    over: Deferred,
  ): Promise<UdpMedia> {
    const { port, address, sources } = media;
    if (port === 0) throw new ParseError(`${this.#path} names no port for its ${kind}`);
    const handler = orderedUdp(
      {
        rtp: (track, bytes, start, end) => presentation.rtp(track, bytes, start, end),
        rtcp: (track, bytes, start, end) => {
          if (!presentation.rtcp(track, bytes, start, end)) return;
          over.reject(new ProtocolError('RTP_BYE', 'it ended the stream (RTCP BYE)'));
        },
        failed: over.reject,
      },
      index,
      kind,
    );
    const group = isMulticastAddress(address) ? address : undefined;
    this.#stats.transport = group === undefined ? 'udp' : 'multicast';
    this.#context.log.debug({ kind, port, group }, 'listening');
    const family = address?.includes(':') === true ? 'udp6' : 'udp4';
    const [source] = sources;
    return group === undefined
      ? await UdpMedia.listen({ family, port, rtcpPort: port + 1, source }, handler)
      : await UdpMedia.join(
          {
            family,
            port,
            rtcpPort: port + 1,
            source,
            group,
            interface: this.#description.interface,
          },
          handler,
        );
  }

  /** Rejects when something fails, the encoder says goodbye, or `signal` aborts. */
  async #untilOver(
    opened: readonly UdpMedia[],
    presentation: RtpPresentation,
    over: Deferred,
    signal: AbortSignal,
  ): Promise<void> {
    const abort = () => over.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const reports = setInterval(() => {
      for (const [index, udp] of opened.entries()) {
        const report = presentation.receiverReport(index, 0);
        if (report !== undefined) udp.sendRtcp(report);
      }
    }, RECEIVER_REPORT_MS);
    const nothing = setTimeout(() => {
      if (presentation.lastArrivalMs === undefined) over.reject(nothingComes(opened));
    }, NOTHING_MS);
    try {
      signal.throwIfAborted();
      await over.promise;
    } finally {
      clearTimeout(nothing);
      clearInterval(reports);
      signal.removeEventListener('abort', abort);
    }
  }
}

/** Throws what can be acted upon. */
function portTaken(error: unknown, { media }: SelectedMedia): never {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  if (!isTaken) throw error;
  throw new ProtocolError(
    'PORT_TAKEN',
    `another program holds UDP port ${media.port} or ${media.port + 1}. Stop it, or let the encoder send elsewhere`,
  );
}

function nothingComes(opened: readonly UdpMedia[]): ProtocolError {
  const ports = opened.map(({ port }) => port).join(' and ');
  return new ProtocolError(
    'NOTHING_COMES',
    `nothing comes to UDP port ${ports}. Is the encoder on, does it send to this box, and does a firewall drop it? For a group, set interface.`,
  );
}

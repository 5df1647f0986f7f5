/**
 * HLS over HTTP: /live/NAME/index.m3u8 names media.m3u8, which names init-N.mp4, segment-N.m4s and part-N-M.m4s. Bytes
 * are sent as they were framed, the same memory to all viewers.
 */
import type { ServerResponse } from 'node:http';
import { type Answer, problem, sendAnswer } from '../../http/answer.ts';
import type { HttpCall, Route } from '../../http/route.ts';
import { toName } from '../../names.ts';
import { peerOf } from '../../peer.ts';
import type { HlsStream } from './hls-stream.ts';
import type { HlsStreams } from './hls-streams.ts';
import { mediaPlaylist, multivariantPlaylist } from './playlists.ts';

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const MEDIA_TYPE = 'video/mp4';
/** A GOP before the first segment can begin, and the segment: both up to 10 s. */
const FIRST_SEGMENT_MS = 20_000;
/** §6.2.5.2: a request that waits is answered with 503 after three target durations. */
const WAIT_TARGET_DURATIONS = 3;
/** §6.2.5.2: asking for what comes more than two segments after the last whole one is a mistake. */
const MAX_SEGMENTS_AHEAD = 1;
/** Of a User-Agent: browsers have 150 characters. */
const MAX_PROGRAM_LENGTH = 200;
/** Longer than any of it is listed; then it is gone here, too. */
const MEDIA_MAX_AGE_S = 60;
/** Who takes longer for 10 s of media cannot play it; meanwhile all of it would stay in memory for this one. */
const SEND_MEDIA_MS = 60_000;

export function hlsRoutes(streams: HlsStreams): Route[] {
  const route = (file: string, handle: (call: HlsCall) => void | Promise<void>): Route => ({
    path: new RegExp(`^/live/([^/]+)/${file}$`),
    access: 'viewer',
    handle: (call) => withStream(streams, call, handle),
  });
  return [
    route(String.raw`index\.m3u8`, sendMultivariantPlaylist),
    route(String.raw`media\.m3u8`, sendMediaPlaylist),
    route(String.raw`init-(\d{1,10})\.mp4`, sendInitialization),
    route(String.raw`segment-(\d{1,15})\.m4s`, sendSegment),
    route(String.raw`part-(\d{1,15})-(\d{1,6})\.m4s`, sendPart),
  ];
}

interface HlsCall {
  readonly stream: HlsStream;
  readonly response: ServerResponse;
  readonly numbers: readonly number[];
  readonly query: URLSearchParams;
  /** Address and program. */
  readonly viewer: string;
  /** With Range, as Chromium's own player asks for everything, and ffmpeg; hls.js does not. */
  readonly asksForRange: boolean;
  /** Aborts when the viewer hangs up. */
  readonly gone: AbortSignal;
}

async function withStream(
  streams: HlsStreams,
  { request, response, captured, query }: HttpCall,
  handle: (call: HlsCall) => void | Promise<void>,
): Promise<void> {
  const [name = '', ...numbers] = captured;
  const program = (request.headers['user-agent'] ?? '').slice(0, MAX_PROGRAM_LENGTH);
  const viewer = `${peerOf(request.socket.remoteAddress)} ${program}`;
  const stream = streams.open(toName(name, 'stream'), viewer);
  if (stream === undefined) return sendAnswer(response, NOT_THERE);
  const hangUp = new AbortController();
  response.once('close', () => hangUp.abort());
  await handle({
    stream,
    response,
    numbers: numbers.map(Number),
    query,
    viewer,
    asksForRange: request.headers.range !== undefined,
    gone: hangUp.signal,
  });
}

const NOT_THERE = problem(404, 'no-stream', 'there is no such stream now, or its source is away');
const TOO_LATE = problem(404, 'not-found', 'it is not there any more, or never was');
const NOT_YET = problem(503, 'not-yet', 'the source sends nothing at present; try again', {
  'retry-after': '1',
});

async function sendMultivariantPlaylist(call: HlsCall): Promise<void> {
  const { stream, query } = call;
  // A player that begins now must not begin with what was there before the source went away.
  if (stream.isReady && !stream.segmenter.isOnline) return sendAnswer(call.response, NOT_THERE);
  if (!(await isMet(call, () => stream.isLive))) return;
  const text = multivariantPlaylist(stream.segmenter, stream.description, uriSuffix(query));
  sendPlaylist(call.response, text);
}

async function sendMediaPlaylist(call: HlsCall): Promise<void> {
  const { stream, response, query, viewer, asksForRange, gone } = call;
  if (!(await isMet(call, () => stream.isReady))) return;
  const timeoutMs = WAIT_TARGET_DURATIONS * 1000 * (stream.segmenter.targetDurationS ?? 0);
  const wanted = blockingReload(query);
  if (wanted === 'malformed') {
    return sendAnswer(response, problem(400, 'bad-request', '_HLS_msn and _HLS_part are numbers'));
  }
  if (wanted !== undefined) {
    const { segment, part } = wanted;
    if (segment > stream.segmenter.nextPart.segment + MAX_SEGMENTS_AHEAD) {
      return sendAnswer(response, problem(400, 'too-far', '_HLS_msn is too far in the future'));
    }
    const isThere = await stream.waitUntil(() => stream.hasReached(segment, part), timeoutMs, gone);
    if (!isThere) return sendAnswer(response, NOT_YET);
  } else if (asksForRange) {
    const isNew = () => !stream.earlyReloads.isEarly(viewer, stream.newestSegment);
    await stream.waitUntil(isNew, timeoutMs, gone);
    stream.earlyReloads.told(viewer, stream.newestSegment);
  }
  sendPlaylist(response, mediaPlaylist(stream.segmenter, uriSuffix(query)));
}

function sendInitialization({ stream, response, numbers: [number = 0] }: HlsCall): void {
  const bytes = stream.initialization(number);
  sendMedia(response, bytes && [bytes]);
}

function sendSegment({ stream, response, numbers: [number = 0] }: HlsCall): void {
  const segment = stream.segment(number);
  const pieces = segment?.parts.flatMap((part) => part.pieces);
  sendMedia(response, segment?.isComplete === true ? pieces : undefined);
}

/** The part that was hinted at (EXT-X-PRELOAD-HINT) is waited for. */
async function sendPart({ stream, response, numbers, gone }: HlsCall): Promise<void> {
  const [number = 0, index = 0] = numbers;
  const { nextPart, targetDurationS = 0 } = stream.segmenter;
  if (nextPart.segment === number && nextPart.part === index) {
    const isPast = () => {
      const next = stream.segmenter.nextPart;
      return next.segment !== number || next.part !== index;
    };
    await stream.waitUntil(isPast, WAIT_TARGET_DURATIONS * 1000 * targetDurationS, gone);
  }
  sendMedia(response, stream.part(number, index)?.pieces);
}

/** Answers where it is not. */
async function isMet(
  { stream, response, gone }: HlsCall,
  condition: () => boolean,
): Promise<boolean> {
  if (await stream.waitUntil(condition, FIRST_SEGMENT_MS, gone)) return true;
  sendAnswer(response, whyNot(stream));
  return false;
}

function whyNot({ segmenter }: HlsStream): Answer {
  if (!segmenter.isRefused) return NOT_YET;
  const words = `HLS cannot carry what this stream is made of: ${segmenter.leftOut.join(', ')}`;
  return problem(415, 'codec', words);
}

type BlockingReload = { readonly segment: number; readonly part: number | undefined };

function blockingReload(query: URLSearchParams): BlockingReload | 'malformed' | undefined {
  const [segment, part] = [query.get('_HLS_msn'), query.get('_HLS_part')];
  if (segment === null && part === null) return undefined;
  if (!isNumber(segment ?? '') || (part !== null && !isNumber(part))) return 'malformed';
  return { segment: Number(segment), part: part === null ? undefined : Number(part) };
}

function isNumber(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** A player asks for each URI as it stands in the playlist. */
function uriSuffix(query: URLSearchParams): string {
  const token = query.get('token');
  return token === null ? '' : `?token=${encodeURIComponent(token)}`;
}

function sendPlaylist(response: ServerResponse, text: string): void {
  const bytes = Buffer.from(text);
  response.writeHead(200, {
    'content-type': PLAYLIST_TYPE,
    'content-length': bytes.length,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

function sendMedia(response: ServerResponse, pieces: readonly Uint8Array[] | undefined): void {
  if (pieces === undefined) {
    sendAnswer(response, TOO_LATE);
    return;
  }
  response.writeHead(200, {
    'content-type': MEDIA_TYPE,
    'content-length': pieces.reduce((sum, piece) => sum + piece.length, 0),
    'cache-control': `private, max-age=${MEDIA_MAX_AGE_S}`,
    'x-content-type-options': 'nosniff',
  });
  const timer = setTimeout(() => response.destroy(), SEND_MEDIA_MS);
  response.once('close', () => clearTimeout(timer));
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
  response.uncork();
}

/** Files over HTTP, `/vod/NAME.flv` and others: whole, or a range of them (RFC 9110 §14). Nothing is listed. */
import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { problem, sendAnswer } from '../http/answer.ts';
import type { HttpCall, Route } from '../http/route.ts';
import { VodError } from './vod-file.ts';
import { type FoundFile, parseVodName, type VodLibrary } from './vod-library.ts';

/** A player that pauses takes nothing for a while; it comes back with a range. */
const STALL_MS = 60_000;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.flv': 'video/x-flv',
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.f4v': 'video/mp4',
  '.mov': 'video/quicktime',
  '.mp3': 'audio/mpeg',
};

const STATUSES: Readonly<Record<VodError['code'], number>> = {
  'not-found': 404,
  'bad-name': 404,
  unreadable: 500,
  busy: 503,
};

export function vodRoutes(library: VodLibrary): Route[] {
  return [
    {
      path: /^\/vod\/(.+)$/,
      access: 'viewer',
      handle: async (call) => {
        try {
          await serve(library, call);
        } catch (error) {
          if (!(error instanceof VodError)) throw error;
          sendAnswer(call.response, problem(STATUSES[error.code], error.code, error.message));
        }
      },
    },
  ];
}

async function serve(
  library: VodLibrary,
  { request, response, captured }: HttpCall,
): Promise<void> {
  const [path = ''] = captured;
  const name = parseVodName(path);
  const contentType = CONTENT_TYPES[path.slice(path.lastIndexOf('.')).toLowerCase()];
  // A prefix is RTMP's; here the whole name stands in the path.
  if (name === undefined || name.path !== path || contentType === undefined) {
    throw new VodError('not-found', 'there is no such file');
  }
  const file = await library.find(name);
  try {
    const tag = entityTag(file);
    response.setHeader('accept-ranges', 'bytes');
    response.setHeader('etag', tag);
    response.setHeader('last-modified', new Date(file.modifiedMs).toUTCString());
    response.setHeader('x-content-type-options', 'nosniff');
    if (isListed(request.headers['if-none-match'], tag)) {
      response.writeHead(304).end();
      return;
    }
    const isRangeOfThis = isSameEntity(String(request.headers['if-range'] ?? ''), tag, file);
    const range = isRangeOfThis ? parseRange(request.headers.range, file.size) : 'whole';
    if (range === 'none') {
      const headers = { 'content-range': `bytes */${file.size}` };
      sendAnswer(response, problem(416, 'no-such-range', 'the file is shorter', headers));
      return;
    }
    await sendRange(response, file, range, contentType, request.method === 'HEAD');
  } finally {
    await file.handle.close();
  }
}

async function sendRange(
  response: ServerResponse,
  { handle, size }: FoundFile,
  range: ByteRange | 'whole',
  contentType: string,
  isHead: boolean,
): Promise<void> {
  const { from, to } = range === 'whole' ? { from: 0, to: size - 1 } : range;
  const headers = { 'content-type': contentType, 'content-length': to - from + 1 };
  if (range === 'whole') response.writeHead(200, headers);
  else {
    const contentRange = `bytes ${from}-${to}/${size}`;
    response.writeHead(206, { ...headers, 'content-range': contentRange });
  }
  if (isHead || size === 0) {
    response.end();
    return;
  }
  await sendBytes(response, handle, from, to);
}

/** Waits for whoever does not read, but not for ever. */
async function sendBytes(
  response: ServerResponse,
  handle: FileHandle,
  from: number,
  to: number,
): Promise<void> {
  response.setTimeout(STALL_MS, () => response.destroy());
  const bytes = handle.createReadStream({ start: from, end: to, autoClose: false });
  try {
    await pipeline(bytes, response);
  } catch {
    // The player has gone, or the disk failed: either way there is nobody to tell.
    response.destroy();
  }
}

interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * RFC 9110 §14.1.2, one range. What is no range of bytes, or several at once, is as if it had not been asked for (§14.2);
 * `none`: beyond the end.
 */
function parseRange(header: string | undefined, size: number): ByteRange | 'whole' | 'none' {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'none' : { from: size - length, to: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < from) return 'whole';
  return from >= size ? 'none' : { from, to };
}

/** Another file, or the same one changed, has another. */
function entityTag({ inode, size, modifiedMs }: FoundFile): string {
  return `"${inode.toString(36)}-${size.toString(36)}-${Math.round(modifiedMs).toString(36)}"`;
}

function isListed(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}

/** §13.1.5: without the header, any range will do. */
function isSameEntity(header: string, tag: string, { modifiedMs }: FoundFile): boolean {
  if (header === '') return true;
  if (header.startsWith('"') || header.startsWith('W/')) return header === tag;
  return Date.parse(header) === Math.floor(modifiedMs / 1000) * 1000;
}

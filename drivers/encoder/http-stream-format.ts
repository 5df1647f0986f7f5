/** What an HTTP server sends, told from its first bytes: content types lie. */
import { SYNC_BYTE } from '../../protocols/mpegts/ts-packet.ts';

/** Where the next packet of MPEG-TS begins: with a time stamp in front of each, or without. */
const TS_SYNCS = [
  [0, 188],
  [4, 196],
] as const;
const TS_ENOUGH_BYTES = 197;
/** Enough to tell all of the others, and short of a FLV header with its first tag. */
const ENOUGH_BYTES = 24;

export type HttpStreamFormat =
  | { readonly at: 'flv' }
  | { readonly at: 'mpegts' }
  /** Nothing for us; the words end the sentence "it sends". `isMedia`: it is meant as a stream or a picture. */
  | { readonly at: 'other'; readonly words: string; readonly isMedia: boolean }
  | { readonly at: 'unknown' };

/** undefined: more bytes are needed. `isComplete`: there will not be more. */
export function formatOf(
  bytes: Uint8Array,
  contentType: string,
  isComplete: boolean,
): HttpStreamFormat | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, ENOUGH_BYTES));
  if (text.startsWith('FLV')) return { at: 'flv' };
  const type = plain(contentType);
  if (type === 'video/mp2t' || isMpegts(bytes)) return { at: 'mpegts' };
  const mayBeMpegts = TS_SYNCS.some(([first]) => bytes[first] === SYNC_BYTE);
  if (mayBeMpegts && bytes.length < TS_ENOUGH_BYTES && !isComplete) return undefined;
  if (bytes.length < ENOUGH_BYTES && !isComplete) return undefined;
  const known = OTHERS.find(([pattern]) => pattern.test(text))?.[1] ?? BY_TYPE.get(type);
  return known === undefined ? { at: 'unknown' } : { at: 'other', ...known };
}

function isMpegts(bytes: Uint8Array): boolean {
  return TS_SYNCS.some((syncs) => syncs.every((at) => bytes[at] === SYNC_BYTE));
}

const WEB_PAGE = { words: 'a web page', isMedia: false };
const HLS = { words: 'an HLS playlist', isMedia: true };
const JPEG = { words: 'a single JPEG picture', isMedia: true };
const MJPEG = { words: 'MJPEG pictures', isMedia: true };

const OTHERS: readonly (readonly [RegExp, { words: string; isMedia: boolean }])[] = [
  [/^\s*(<!doctype html|<html|<head|<!--)/i, WEB_PAGE],
  [/^#EXTM3U/, HLS],
  [/^\s*<(\?xml|MPD)/i, { words: 'an XML document', isMedia: false }],
  [/^\s*[[{]/, { words: 'a JSON document', isMedia: false }],
  [/^\xff\xd8\xff/, JPEG],
  [/^(\r\n)*--/, MJPEG],
  [/^.{4}(ftyp|styp|moof)/s, { words: 'MP4', isMedia: true }],
  [/^.E\xdf\xa3/s, { words: 'Matroska or WebM', isMedia: true }],
];

const BY_TYPE: ReadonlyMap<string, { words: string; isMedia: boolean }> = new Map([
  ['text/html', WEB_PAGE],
  ['multipart/x-mixed-replace', MJPEG],
  ['image/jpeg', JPEG],
  ['application/vnd.apple.mpegurl', HLS],
  ['text/plain', { words: 'text', isMedia: false }],
]);

function plain(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

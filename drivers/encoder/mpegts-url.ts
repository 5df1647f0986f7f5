/**
 * The URL of an MPEG-TS source. With udp:// and rtp:// we listen, and the URL says where:
 *
 *   udp://@239.1.1.1:5000            a group, from any sender
 *   udp://10.0.0.5@239.1.1.1:5000    a group, from this sender only (RFC 4607)
 *   udp://@:5000                     a port of ours; 0.0.0.0 and [::] mean the same
 *   udp://10.0.0.5@:5000             a port of ours, from this sender only
 *   udp://@10.0.0.2:5000             a port of one of our addresses
 *
 * With tcp:// we connect: tcp://host:port. As ffmpeg and VLC have it, the `@` may be left out.
 */
import { isIP } from 'node:net';
import { ParseError } from '../../codecs/errors.ts';
import { isMulticastAddress } from '../../protocols/rtsp/transport.ts';

export interface MpegtsUrl {
  readonly scheme: 'udp' | 'rtp' | 'tcp';
  /** A group, an address of ours, or undefined: all of them. With tcp the host. Without brackets. */
  readonly host: string | undefined;
  readonly port: number;
  /** The only sender that is listened to. */
  readonly sender: string | undefined;
  readonly isMulticast: boolean;
}

const ANY: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

/** Messages are half a sentence: what is expected. */
export function parseMpegtsUrl(text: string): MpegtsUrl {
  const parts = /^(udp|rtp|tcp):\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#@]*):(\d{1,5})\/?$/i.exec(
    text.trim(),
  );
  if (parts === null) {
    throw new ParseError('a URL udp://@group:port, udp://@:port or tcp://host:port');
  }
  const [, schemeText = '', user = '', hostText = '', digits = ''] = parts;
  const scheme = schemeText.toLowerCase();
  const port = Number(digits);
  const host = withoutBrackets(hostText);
  if (port < 1 || port > 65_535) throw new ParseError('a port from 1 to 65535');
  if (scheme === 'tcp') {
    if (host === '' || user !== '') throw new ParseError('a URL tcp://host:port');
    return { scheme, host, port, sender: undefined, isMulticast: false };
  }
  const sender = withoutBrackets(user);
  if (sender !== '' && isIP(sender) === 0) {
    throw new ParseError(
      'before the @ the address of the sender, such as udp://10.0.0.5@239.1.1.1:5000',
    );
  }
  if (!ANY.has(host) && isIP(host) === 0) {
    throw new ParseError('an address and no name: a group, or one of this machine');
  }
  return {
    scheme: scheme === 'rtp' ? 'rtp' : 'udp',
    host: ANY.has(host) ? undefined : host,
    port,
    sender: sender === '' ? undefined : sender,
    isMulticast: isMulticastAddress(host),
  };
}

function withoutBrackets(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
}

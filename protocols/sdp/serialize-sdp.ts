/** Writes a session description (RFC 8866) for RTSP: ports are 0, because SETUP agrees on them (RFC 2326 §C.1.2). */

export interface OfferedMedia {
  readonly kind: 'video' | 'audio';
  readonly payloadType: number;
  /** As of `rtpmap`: `H264/90000`. */
  readonly rtpmap: string;
  readonly fmtp: string | undefined;
  readonly control: string;
}

export interface OfferedSession {
  /** For people, one line. */
  readonly name: string;
  /** Changes when the description does (§5.2): a time will do. */
  readonly version: number;
  /** Ours, as the receiver sees it. */
  readonly address: string;
  readonly medias: readonly OfferedMedia[];
}

/** A live session, which has no beginning and no end (RFC 2326 §C.1.5). */
export function serializeSdp({ name, version, address, medias }: OfferedSession): string {
  const addressType = address.includes(':') ? 'IP6' : 'IP4';
  const anyAddress = addressType === 'IP6' ? '::' : '0.0.0.0';
  const lines = [
    'v=0',
    `o=- ${version} ${version} IN ${addressType} ${address}`,
    `s=${name}`,
    `c=IN ${addressType} ${anyAddress}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    ...medias.flatMap(mediaLines),
  ];
  return lines.map((line) => `${line.replace(/[\r\n\0]+/g, ' ')}\r\n`).join('');
}

function mediaLines({ kind, payloadType, rtpmap, fmtp, control }: OfferedMedia): string[] {
  const parameters = fmtp === undefined ? [] : [`a=fmtp:${payloadType} ${fmtp}`];
  return [
    `m=${kind} 0 RTP/AVP ${payloadType}`,
    `a=rtpmap:${payloadType} ${rtpmap}`,
    ...parameters,
    `a=control:${control}`,
  ];
}

/**
 * What a client says of itself in connect, RTMP 1.0 §7.2.1.1, and what it says beyond: the codecs of enhanced RTMP, and the
 * gateways that a stream came through (`sluiceVia`, ours).
 */
import { type Amf0Object, isAmf0Object } from '../../codecs/flv/amf0.ts';
import type { RtmpCommand } from './command.ts';
import { AcceptedFourCcs } from './enhanced-connect.ts';
import { type RtmpQuery, splitQuery } from './query.ts';

/** Property of connect: "id1,id2", from the gateway where the stream came in to the one that connects. */
export const VIA_PROPERTY = 'sluiceVia';
/** A tree of servers is three or four deep. */
const MAX_VIA = 16;
const GATEWAY_ID = /^[a-z0-9-]{1,48}$/;
/** Of application and tcUrl: Adobe logins make them some 200 long, signed URLs 1000. */
const MAX_URL_CHARACTERS = 4096;

export interface ConnectRequest {
  /** Without query and outer slashes. */
  readonly app: string;
  /** Of the application, and of tcUrl where that has none. */
  readonly query: RtmpQuery;
  /** It is going to publish, as far as can be told from how it introduces itself. */
  readonly isEncoder: boolean;
  readonly via: readonly string[];
  /** Codecs that only enhanced RTMP knows, as far as the client takes them; undefined: it has never heard of it. */
  readonly fourCcs: AcceptedFourCcs | undefined;
  /** 3: it speaks AMF3 too, §7.2.1.1. */
  readonly objectEncoding: 0 | 3;
}

/** undefined when it has no application, or one longer than any. */
export function parseConnect(command: RtmpCommand): ConnectRequest | undefined {
  const properties = command.values.find(isAmf0Object);
  const app = properties?.['app'];
  if (properties === undefined || typeof app !== 'string') return undefined;
  const tcUrl = textOf(properties, 'tcUrl');
  if (app.length > MAX_URL_CHARACTERS || tcUrl.length > MAX_URL_CHARACTERS) return undefined;
  const { path, query } = splitQuery(app);
  return {
    app: path.replace(/^\/+|\/+$/g, ''),
    query: query.size > 0 ? query : splitQuery(tcUrl).query,
    isEncoder: introducesEncoder(properties),
    via: viaOf(textOf(properties, VIA_PROPERTY)),
    fourCcs: mentionsFourCcs(properties) ? new AcceptedFourCcs(command) : undefined,
    objectEncoding: properties['objectEncoding'] === 3 ? 3 : 0,
  };
}

/**
 * Flash Media Live Encoder, ffmpeg and OBS call themselves FMLE when they publish. GStreamer does not; but players say which
 * codecs they know, and encoders say "nonprivate".
 */
function introducesEncoder(properties: Amf0Object): boolean {
  if (textOf(properties, 'flashVer').startsWith('FMLE/')) return true;
  return properties['type'] === 'nonprivate' && properties['videoCodecs'] === undefined;
}

/** Of too many the last, which are nearest; what is no id is none. */
function viaOf(text: string): string[] {
  return text
    .slice(0, MAX_URL_CHARACTERS)
    .split(',')
    .filter((id) => GATEWAY_ID.test(id))
    .slice(-MAX_VIA);
}

function mentionsFourCcs(properties: Amf0Object): boolean {
  return ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap'].some(
    (key) => properties[key] !== undefined,
  );
}

function textOf(object: Amf0Object, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}

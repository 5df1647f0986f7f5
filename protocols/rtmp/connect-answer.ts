/** What a server answers to connect. RTMP 1.0 §7.2.1.1; enhanced RTMP v2. */
import { ByteWriter } from '../../codecs/byte-writer.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import { AUDIO_FOUR_CCS, type FourCc, VIDEO_FOUR_CCS } from '../../codecs/flv/four-cc.ts';
import type { ConnectRequest } from './connect-request.ts';
import { offerOf } from './enhanced-connect.ts';
import { MessageType, type RtmpMessage } from './message.ts';
import { WINDOW_BYTES } from './received-window.ts';

/** §5.4.5: the limit is a wish. */
const DYNAMIC_LIMIT = 2;
/** What is told to clients whose applications look at it. */
const SERVER_NAME = 'FMS/3,5,7,7009';
const CAPABILITIES = 31;
const FOUR_CCS: readonly FourCc[] = [
  ...Object.values(VIDEO_FOUR_CCS),
  ...Object.values(AUDIO_FOUR_CCS),
];

/** Properties and information. */
export function welcome({ fourCcs, objectEncoding }: ConnectRequest): readonly Amf0Value[] {
  // Only to those who asked, so that no old client meets a property it has never seen.
  const offered = fourCcs === undefined ? {} : offerOf(FOUR_CCS);
  const properties = { fmsVer: SERVER_NAME, capabilities: CAPABILITIES, ...offered };
  const information = {
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'Connection succeeded.',
    objectEncoding,
  };
  return [properties, information];
}

/** `description`: as the client's library may read it. */
export function rejection(description: string): Amf0Value {
  return { level: 'error', code: 'NetConnection.Connect.Rejected', description };
}

export function peerBandwidth(): RtmpMessage {
  const payload = new ByteWriter().u32(WINDOW_BYTES).u8(DYNAMIC_LIMIT).toBytes();
  return { typeId: MessageType.setPeerBandwidth, timestampMs: 0, messageStreamId: 0, payload };
}

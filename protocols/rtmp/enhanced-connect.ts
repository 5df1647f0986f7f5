/**
 * What connect says about codecs that RTMP 1.0 does not know, in both directions. Enhanced RTMP v2,
 * "Enhancing NetConnection connect Command"; `fourCcList` is of v1, and servers of v1 read only that.
 *
 * Only what the stream needs is offered: a stream of H.264 and AAC connects as ever, so that no old server
 * meets a property it has never seen. `capsEx` is left out: we do none of what it can announce.
 */
import { type Amf0Object, type Amf0Value, isAmf0Object } from '../../codecs/flv/amf0.ts';
import type { FourCc } from '../../codecs/flv/four-cc.ts';
import { VIDEO_FOUR_CCS } from '../../codecs/flv/four-cc.ts';
import type { RtmpCommand } from './command.ts';

const InfoMask = { canDecode: 1, canForward: 4 } as const;
const ANY = '*';
const VIDEO: readonly string[] = Object.values(VIDEO_FOUR_CCS);

/** Properties of the command object. */
export function offerOf(fourCcs: readonly FourCc[]): Record<string, Amf0Value> {
  if (fourCcs.length === 0) return {};
  const isVideo = (fourCc: string) => VIDEO.includes(fourCc);
  return {
    fourCcList: fourCcs,
    videoFourCcInfoMap: infoMap(fourCcs.filter(isVideo)),
    audioFourCcInfoMap: infoMap(fourCcs.filter((fourCc) => !isVideo(fourCc))),
  };
}

/** What a server says it takes, in any of its two objects; nothing when it knows no enhanced RTMP. */
export class AcceptedFourCcs {
  readonly #video: ReadonlySet<string>;
  readonly #audio: ReadonlySet<string>;

  constructor(answer: RtmpCommand) {
    const objects = answer.values.filter(isAmf0Object);
    const both = objects.flatMap(listed);
    this.#video = new Set([...both, ...objects.flatMap(takenIn('videoFourCcInfoMap'))]);
    this.#audio = new Set([...both, ...objects.flatMap(takenIn('audioFourCcInfoMap'))]);
  }

  has(fourCc: FourCc): boolean {
    const taken = VIDEO.includes(fourCc) ? this.#video : this.#audio;
    return taken.has(ANY) || taken.has(fourCc.toLowerCase());
  }
}

function infoMap(fourCcs: readonly string[]): Amf0Object {
  return Object.fromEntries(fourCcs.map((fourCc) => [fourCc, InfoMask.canForward]));
}

/** The specification itself writes "Hvc1" in places. */
function listed(object: Amf0Object): string[] {
  const list = object['fourCcList'];
  if (!Array.isArray(list)) return [];
  return list.filter((entry) => typeof entry === 'string').map((entry) => entry.toLowerCase());
}

function takenIn(property: string): (object: Amf0Object) => string[] {
  return (object) => {
    const map = object[property];
    if (!isAmf0Object(map)) return [];
    return Object.entries(map)
      .filter(([, flags]) => typeof flags === 'number' && (flags & TAKES) !== 0)
      .map(([fourCc]) => fourCc.toLowerCase());
  };
}

/** A server that can only encode a codec does not take it. */
const TAKES = InfoMask.canDecode | InfoMask.canForward;

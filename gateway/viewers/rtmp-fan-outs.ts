/** The RTMP players of the process: one fan-out for those that know enhanced RTMP, and one for those that do not. */
import type { HevcForm } from '../../codecs/flv/video-tag.ts';
import type { AcceptedFourCcs } from '../../protocols/rtmp/enhanced-connect.ts';
import type { Hub } from '../hub/hub.ts';
import { FanOut, type FanOutContext } from './fan-out.ts';
import { RtmpFramer } from './rtmp-framer.ts';

export class RtmpFanOuts {
  readonly #enhanced: FanOut;
  readonly #legacy: FanOut;

  constructor(hub: Hub, context: FanOutContext) {
    this.#enhanced = new FanOut(hub, () => new RtmpFramer('enhanced'), context);
    this.#legacy = new FanOut(hub, () => new RtmpFramer('legacy12'), context);
  }

  /** `fourCcs`: what the player lists; undefined: nothing. */
  for(fourCcs: AcceptedFourCcs | undefined): FanOut {
    return hevcFormOf(fourCcs) === 'enhanced' ? this.#enhanced : this.#legacy;
  }
}

/** Which form of H.265 a player that lists these knows. */
export function hevcFormOf(fourCcs: AcceptedFourCcs | undefined): HevcForm {
  return fourCcs?.has('hvc1') === true ? 'enhanced' : 'legacy12';
}

/** MPEG-TS of a small programme, packet by packet: what an encoder would send. */
import { concat } from '../../codecs/bytes.ts';
import { hex } from './hex.ts';
import { avcc } from './rtp-packets.ts';
import { patSection, pes, pmtSection, TsWriter } from './ts-packets.ts';
import { VIDEO_TRACK } from './units.ts';

const START_CODE = hex`00000001`;
const AUD = hex`09f0`;
const IDR = hex`658884aabbcc`;
const AAC = hex`fff14c8001bffc 210049900219`;

/** The access units of every picture and every sound. */
export const TEST_PICTURE = avcc(AUD, VIDEO_TRACK.sps, VIDEO_TRACK.pps, IDR);
export const TEST_SOUND = AAC.subarray(7);

/** Every picture is a keyframe. Seven packets: tables, picture, sound, stuffing, as one datagram holds. */
export class TestEncoder {
  readonly #ts = new TsWriter();
  #n = 0;

  datagram(): Uint8Array {
    const ts = this.#ts;
    const pts = 90_000 + this.#n * 3600;
    this.#n += 1;
    const streams = [
      { pid: 0x100, type: 0x1b },
      { pid: 0x101, type: 0x0f },
    ];
    const nalUnits = [AUD, VIDEO_TRACK.sps, VIDEO_TRACK.pps, IDR];
    const picture = concat(...nalUnits.flatMap((nalUnit) => [START_CODE, nalUnit]));
    const packets = [
      ...ts.section(0, patSection({ 1: 0x1000 })),
      ...ts.section(0x1000, pmtSection(1, streams)),
      ...ts.pes(0x100, pes(picture, { pts }), { pcr: pts - 9000 }),
      ...ts.pes(0x101, pes(AAC, { pts, streamId: 0xc0 })),
    ];
    while (packets.length < 7)
      packets.push(ts.packet({ pid: 0x1fff, payload: new Uint8Array(184) }));
    return concat(...packets);
  }
}

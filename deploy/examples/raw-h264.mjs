// @ts-check
/**
 * An extension, worked out: a protocol of its own, and a stream handler.
 *
 * Raw H.264 over TCP: a client connects and sends a byte stream with start codes (H.264 Annex B), as many encoders can.
 * It has no times in it: pictures are taken to come `fps` times a second, in the order in which they are shown.
 *
 *   ffmpeg -re -i clip.mp4 -an -c:v libx264 -bf 0 -f h264 tcp://127.0.0.1:7000
 *   socat -u FILE:clip.h264 TCP:127.0.0.1:7000
 *
 * And one line in the log for each group of pictures of every stream, however it comes.
 *
 * @typedef {import('../../gateway/extensions/extension-api.ts').Extension} Extension
 * @typedef {import('../../gateway/extensions/extension-api.ts').Client} Client
 * @typedef {import('../../gateway/extensions/extension-api.ts').Sink} Sink
 * @typedef {import('../../gateway/extensions/extension-api.ts').Stream} Stream
 * @typedef {import('../../gateway/extensions/extension-api.ts').Track} Track
 * @typedef {import('../../gateway/extensions/extension-api.ts').Unit} Unit
 */

/** A picture of 4K at 100 Mbit/s has 2 MiB; what is longer without a start code is none. */
const MAX_NAL_UNIT_BYTES = 8 * 1024 * 1024;
/** nal_unit_type, H.264 §7.4.1. */
const SLICE = 1;
const IDR_SLICE = 5;
const SPS = 7;
const PPS = 8;

/** @type {Extension} */
export const extension = {
  apiVersion: 1,
  name: 'raw-h264',

  activate(host, options) {
    const { listen = '127.0.0.1:7000', streamName, fps = 25 } = options;
    if (typeof fps !== 'number' || fps <= 0) throw new Error('fps is a number above 0');
    host.listen({
      protocol: 'raw H.264',
      listen: String(listen),
      accept: (client) => {
        // Nothing in it says who it is.
        client.admit();
        const sink = client.sink(() =>
          streamName === undefined ? client.placeName : String(streamName),
        );
        return new RawH264(client, sink, fps);
      },
    });
    host.onStream((stream) => stream.subscribe(new GopLine(stream, (line) => host.log.info(line))));
  },
};

/** Bytes with start codes → pictures. */
class RawH264 {
  #client;
  #sink;
  #pictureUs;
  #pending = Buffer.alloc(0);
  /** @type {Buffer[]} NAL units of the picture that is not complete yet */
  #picture = [];
  #hasSlice = false;
  #pictures = 0;
  /** @type {Buffer | undefined} */
  #sps;
  /** @type {Buffer | undefined} */
  #pps;
  /** @type {Track | undefined} */
  #track;

  /**
   * @param {Client} client
   * @param {Sink} sink
   * @param {number} fps
   */
  constructor(client, sink, fps) {
    this.#client = client;
    this.#sink = sink;
    this.#pictureUs = 1_000_000 / fps;
  }

  /** @param {Uint8Array} chunk */
  push(chunk) {
    let bytes = Buffer.concat([this.#pending, chunk]);
    // A NAL unit ends where the next start code begins.
    for (;;) {
      const next = bytes.indexOf(START_CODE, START_CODE.length);
      if (next < 0) break;
      this.#nalUnit(bytes.subarray(0, next));
      bytes = bytes.subarray(next);
    }
    if (bytes.length > MAX_NAL_UNIT_BYTES) this.#client.refuse('what it sends has no start codes');
    this.#pending = bytes;
  }

  flush() {
    this.#nalUnit(this.#pending);
    this.#writePicture();
    this.#sink.stop();
  }

  /** @param {Buffer} bytes a NAL unit behind its start code; zeros may follow */
  #nalUnit(bytes) {
    if (bytes.indexOf(START_CODE) !== 0) return;
    let end = bytes.length;
    while (end > START_CODE.length && bytes[end - 1] === 0) end -= 1;
    const nalUnit = bytes.subarray(START_CODE.length, end);
    if (nalUnit.length < 2) return;
    const type = (nalUnit[0] ?? 0) & 0x1f;
    const isSlice = type === SLICE || type === IDR_SLICE;
    // A picture ends before what belongs to the next: its first slice (first_mb_in_slice is 0), or anything else that is no slice.
    const isFirstSlice = isSlice && ((nalUnit[1] ?? 0) & 0x80) !== 0;
    if (this.#hasSlice && (isFirstSlice || !isSlice)) this.#writePicture();
    if (type === SPS) this.#sps = Buffer.from(nalUnit);
    if (type === PPS) this.#pps = Buffer.from(nalUnit);
    this.#hasSlice ||= isSlice;
    this.#picture.push(nalUnit);
  }

  #writePicture() {
    const nalUnits = this.#picture;
    this.#picture = [];
    if (!this.#hasSlice) return;
    this.#hasSlice = false;
    const isIdr = nalUnits.some((nalUnit) => ((nalUnit[0] ?? 0) & 0x1f) === IDR_SLICE);
    const track = isIdr ? this.#nextTrack() : this.#track;
    // What comes before the first keyframe cannot be shown.
    if (track === undefined) return;
    const timeUs = this.#pictures * this.#pictureUs;
    this.#pictures += 1;
    const data = Buffer.concat(nalUnits.flatMap((nalUnit) => [lengthOf(nalUnit), nalUnit]));
    this.#sink.write({ track, ptsUs: timeUs, dtsUs: timeUs, randomAccess: isIdr, data });
  }

  /** The same track as long as its parameter sets are. */
  #nextTrack() {
    if (this.#sps === undefined || this.#pps === undefined) return this.#track;
    const before = this.#track;
    if (before?.codec === 'h264' && this.#sps.equals(before.sps) && this.#pps.equals(before.pps))
      return before;
    const track = /** @type {const} */ ({
      kind: 'video',
      codec: 'h264',
      sps: this.#sps,
      pps: this.#pps,
    });
    this.#track = track;
    if (before === undefined) this.#sink.start([track]);
    return track;
  }
}

const START_CODE = Buffer.of(0, 0, 1);

/** @param {Uint8Array} nalUnit */
function lengthOf(nalUnit) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nalUnit.length);
  return length;
}

/** Says what each group of pictures had in it. */
class GopLine {
  #stream;
  #say;
  #pictures = 0;
  #bytes = 0;
  #sinceUs = 0;

  /**
   * @param {Stream} stream
   * @param {(line: string) => void} say
   */
  constructor(stream, say) {
    this.#stream = stream;
    this.#say = say;
  }

  /** @param {readonly Track[]} tracks */
  start(tracks) {
    this.#pictures = 0;
    this.#say(`${this.#stream.name}: ${tracks.map(({ codec }) => codec).join(' and ')}`);
  }

  /** @param {Unit} unit */
  write({ track, randomAccess, dtsUs, data }) {
    if (track.kind !== 'video') return;
    if (randomAccess) this.#end(dtsUs);
    this.#pictures += 1;
    this.#bytes += data.length;
  }

  stop() {
    this.#say(`${this.#stream.name}: gone`);
  }

  /** @param {number} dtsUs */
  #end(dtsUs) {
    if (this.#pictures > 0) {
      const ms = Math.round((dtsUs - this.#sinceUs) / 1000);
      this.#say(
        `${this.#stream.name}: a group of ${this.#pictures} pictures, ${this.#bytes} bytes, ${ms} ms`,
      );
    }
    this.#pictures = 0;
    this.#bytes = 0;
    this.#sinceUs = dtsUs;
  }
}

/** What is fuzzed: a parser, good input to begin with, and what must hold of every input. */

export interface Subject {
  readonly name: string;
  /** Good input, as real senders write it. */
  readonly seeds: readonly Uint8Array[];
  /** Lines and words are mutated as such, too. */
  readonly isText?: boolean;
  /**
   * A new parser; the result takes one input after another, the next when it is done with the one before. It may throw ParseError, UnsupportedError or
   * ProtocolError, and is given up then. Anything else is a failure.
   */
  readonly open: () => (bytes: Uint8Array) => void | Promise<void>;
  /** Inputs for one parser, where state is carried from one to the next: sessions, depacketizers. 1 by default. */
  readonly inputsPerParser?: number;
}

/** A pure function: nothing is carried over. */
export function parserOf(
  name: string,
  parse: (bytes: Uint8Array) => unknown,
  ...seeds: readonly Uint8Array[]
): Subject {
  return { name, seeds, open: () => (bytes) => void parse(bytes) };
}

/** A pure function of text. */
export function textParserOf(
  name: string,
  parse: (text: string) => unknown,
  ...seeds: readonly string[]
): Subject {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return {
    name,
    seeds: seeds.map((seed) => encoder.encode(seed)),
    isText: true,
    open: () => (bytes) => void parse(decoder.decode(bytes)),
  };
}

/** A parser of a stream: every input is pushed in three pieces, cut where its bytes happen to say. */
export function framerOf(
  name: string,
  open: () => { push(chunk: Uint8Array): unknown },
  ...seeds: readonly Uint8Array[]
): Subject {
  return {
    name,
    seeds,
    open: () => {
      const framer = open();
      return (bytes) => {
        const first = bytes.length === 0 ? 0 : (bytes[0] ?? 0) % bytes.length;
        const second = first + Math.floor((bytes.length - first) / 2);
        // Copies: the sockets' buffer is read into again after each push.
        for (const [from, to] of [
          [0, first],
          [first, second],
          [second, bytes.length],
        ] as const) {
          const chunk = bytes.slice(from, to);
          framer.push(chunk);
          chunk.fill(0xee);
        }
      };
    },
  };
}

/** Several packets as one input: each behind its length, so that whole packets are doubled, lost and moved. */
export function packetsInput(...packets: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(packets.reduce((sum, packet) => sum + 2 + packet.length, 0));
  let at = 0;
  for (const packet of packets) {
    whole[at] = packet.length >> 8;
    whole[at + 1] = packet.length & 0xff;
    whole.set(packet, at + 2);
    at += 2 + packet.length;
  }
  return whole;
}

/** The packets of such an input; a length past the end is cut. */
export function* packetsOf(input: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 2 <= input.length; ) {
    const length = ((input[at] ?? 0) << 8) | (input[at + 1] ?? 0);
    yield input.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

/** Seeded damage: the same seed gives the same inputs on every machine. */

export type Random = (below: number) => number;

/** Mulberry32: small, and good enough to choose bytes with. */
export function randomNumbers(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Longer inputs only cost time. */
const MAX_INPUT_BYTES = 32 * 1024;
const MAX_EDITS = 6;
/** Numbers at the edges of what fields hold, big-endian. */
const EDGES: readonly (readonly number[])[] = [
  [0x00],
  [0x7f],
  [0x80],
  [0xff],
  [0x00, 0x00],
  [0xff, 0xff],
  [0x7f, 0xff],
  [0xff, 0xff, 0xff],
  [0x00, 0x00, 0x00, 0x00],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0x00, 0x00, 0x00],
  [0xff, 0xff, 0xff, 0xff],
  [0x00, 0x00, 0x01],
  [0x00, 0x00, 0x03],
];
const WORDS = [
  '\r\n', '\n', ' ', ';', ',', '=', ':', '/', '"', '%', '@', '-1', '0', '65536', '4294967296', '1e9',
  '99999999999999999999', '\0', 'é', '../', 'a'.repeat(300),
].map((word) => Array.from(new TextEncoder().encode(word))); // biome-ignore format: a table

export interface MutatorOptions {
  readonly seeds: readonly Uint8Array[];
  readonly isText: boolean;
}

/** One seed with one to six edits. */
export function mutant({ seeds, isText }: MutatorOptions, random: Random): Uint8Array {
  let bytes = Array.from(seeds[random(seeds.length)] ?? []);
  for (let edits = 1 + random(MAX_EDITS); edits > 0; edits -= 1) {
    bytes = edited(bytes, seeds, isText, random);
    if (bytes.length > MAX_INPUT_BYTES) bytes.length = MAX_INPUT_BYTES;
  }
  return Uint8Array.from(bytes);
}

function edited(
  bytes: number[],
  seeds: readonly Uint8Array[],
  isText: boolean,
  random: Random,
): number[] {
  const at = random(bytes.length + 1);
  switch (random(isText ? 10 : 9)) {
    case 0:
      bytes[at] = random(256);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      return bytes;
    case 2: {
      const edge = EDGES[random(EDGES.length)] ?? [];
      bytes.splice(at, edge.length, ...edge);
      return bytes;
    }
    case 3:
      bytes.splice(at, 1 + random(8));
      return bytes;
    case 4: // doubled
      bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random(64)));
      return bytes;
    case 5: // cut off
      bytes.length = at;
      return bytes;
    case 6: {
      // the head of this and the tail of another
      const other = Array.from(seeds[random(seeds.length)] ?? []);
      return [...bytes.slice(0, at), ...other.slice(random(other.length + 1))];
    }
    case 7: {
      // a piece moved elsewhere
      const piece = bytes.splice(at, 1 + random(32));
      bytes.splice(random(bytes.length + 1), 0, ...piece);
      return bytes;
    }
    case 8:
      bytes.splice(at, 0, ...Array.from({ length: 1 + random(16) }, () => random(256)));
      return bytes;
    default:
      bytes.splice(at, random(3), ...(WORDS[random(WORDS.length)] ?? []));
      return bytes;
  }
}

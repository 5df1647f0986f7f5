/** Runs one subject over its inputs and says what was wrong, if anything. */
import { ParseError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import { mutant, randomNumbers } from './mutator.ts';
import type { Subject } from './subject.ts';

/** What the issue of a hang is: no input of a few kilobytes is worth more. */
export const MAX_INPUT_MS = 100;
/** A pause of the machine is not the parser's: an input counts as slow when it takes the processor so long every time. */
const SLOW_TRIES = 3;
/** Heap that a parser may have kept after all its inputs: caches of the engine, warm code. */
export const MAX_GROWTH_BYTES = 4 * 1024 * 1024;
/** Warm-up before the first look at the heap. */
const GROWTH_BASE_SHARE = 0.2;

export interface FuzzFailure {
  readonly problem: string;
  readonly input: Uint8Array;
  readonly index: number;
}

export interface FuzzResult {
  readonly name: string;
  readonly inputs: number;
  /** Taken without an error. */
  readonly accepted: number;
  readonly slowestMs: number;
  readonly growthBytes: number | undefined;
  readonly failures: readonly FuzzFailure[];
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Collects garbage and returns the bytes in use; growth is not looked at without it. */
  readonly usedBytes?: () => number;
  /** Called before each input. */
  readonly onInput?: (index: number, input: Uint8Array) => void;
}

const MAX_FAILURES = 5;

export async function fuzz(subject: Subject, options: FuzzOptions): Promise<FuzzResult> {
  const { name, seeds, isText = false } = subject;
  const random = randomNumbers(options.seed + nameHash(name));
  const failures: FuzzFailure[] = [];
  const baseAt = Math.floor(options.inputs * GROWTH_BASE_SHARE);
  let parser = new OpenParser(subject);
  let baseBytes: number | undefined;
  let accepted = 0;
  let slowestMs = 0;
  for (const seed of seeds) {
    const { problem, isAccepted } = await parser.take(seed);
    if (problem !== undefined || !isAccepted) {
      failures.push({ problem: problem ?? 'the seed itself is refused', input: seed, index: -1 });
    }
    parser = new OpenParser(subject);
  }
  for (let index = 0; index < options.inputs && failures.length < MAX_FAILURES; index += 1) {
    if (index === baseAt) {
      parser = new OpenParser(subject);
      baseBytes = options.usedBytes?.();
    }
    const input = mutant({ seeds, isText }, random);
    options.onInput?.(index, input);
    const outcome = await parser.take(input);
    if (outcome.isAccepted) accepted += 1;
    if (outcome.problem !== undefined) failures.push({ problem: outcome.problem, input, index });
    slowestMs = Math.max(slowestMs, outcome.ms);
    if (outcome.ms > MAX_INPUT_MS && (await isSlowEachTime(subject, input))) {
      failures.push({ problem: `takes ${Math.round(outcome.ms)} ms`, input, index });
    }
    if (parser.isSpent) parser = new OpenParser(subject);
  }
  // What the last session still held is not growth.
  parser = new OpenParser(subject);
  const endBytes = options.usedBytes?.();
  const growthBytes =
    endBytes === undefined || baseBytes === undefined ? undefined : endBytes - baseBytes;
  if (growthBytes !== undefined && growthBytes > MAX_GROWTH_BYTES) {
    const megabytes = (growthBytes / 2 ** 20).toFixed(1);
    failures.push({
      problem: `${megabytes} MB are not let go`,
      input: new Uint8Array(0),
      index: -1,
    });
  }
  return { name, inputs: options.inputs, accepted, slowestMs, growthBytes, failures };
}

interface Outcome {
  readonly isAccepted: boolean;
  readonly problem: string | undefined;
  readonly ms: number;
}

/** A parser and how many inputs it has had. */
class OpenParser {
  isSpent = false;
  readonly #take: (bytes: Uint8Array) => void | Promise<void>;
  #left: number;

  constructor(subject: Subject) {
    this.#take = subject.open();
    this.#left = subject.inputsPerParser ?? 1;
  }

  async take(input: Uint8Array): Promise<Outcome> {
    const bytes = input.slice();
    const beganMs = performance.now();
    let problem: string | undefined;
    let isAccepted = false;
    try {
      await this.#take(bytes);
      isAccepted = true;
    } catch (error) {
      this.isSpent = true;
      if (!isOurs(error)) problem = error instanceof Error ? (error.stack ?? '') : String(error);
    }
    const ms = performance.now() - beganMs;
    this.#left -= 1;
    if (this.#left <= 0) this.isSpent = true;
    if (problem === undefined && !isSame(bytes, input)) problem = 'the input was changed';
    return { isAccepted, problem, ms };
  }
}

function isOurs(error: unknown): boolean {
  return (
    error instanceof ParseError ||
    error instanceof UnsupportedError ||
    error instanceof ProtocolError
  );
}

async function isSlowEachTime(subject: Subject, input: Uint8Array): Promise<boolean> {
  for (let n = 0; n < SLOW_TRIES; n += 1) {
    const before = process.cpuUsage();
    await new OpenParser(subject).take(input);
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 <= MAX_INPUT_MS) return false;
  }
  return true;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** So that a subject's inputs do not depend on which others there are. */
function nameHash(name: string): number {
  let hash = 0;
  for (const character of name) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return hash;
}

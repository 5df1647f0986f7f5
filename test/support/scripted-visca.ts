/** A VISCA head that answers by a script: what it is told goes in, what it says comes out. */
import { hex, toHex } from './hex.ts';

/** What it answers to a packet, given in hex; undefined: as a good head does. */
export type ViscaScript = (packet: string) => readonly Uint8Array[] | undefined;

export class ScriptedVisca {
  /** In hex, those that were for it. */
  readonly told: string[] = [];
  script: ViscaScript | undefined;
  readonly #address: number;
  #pending = '';

  constructor(address: number, script?: ViscaScript) {
    this.#address = address;
    this.script = script;
  }

  /** Packets for all heads of the line, in any pieces. */
  hear(bytes: Uint8Array): readonly Uint8Array[] {
    this.#pending += toHex(bytes);
    const answers: Uint8Array[] = [];
    for (;;) {
      const end = this.#pending.match(/^(?:..)*?ff/)?.[0];
      if (end === undefined) return answers;
      this.#pending = this.#pending.slice(end.length);
      if (!end.startsWith(`8${this.#address}`)) continue;
      this.told.push(end);
      answers.push(...(this.script?.(end) ?? this.#answer(end)));
    }
  }

  /** Commands complete at once, but those that travel. */
  #answer(packet: string): readonly Uint8Array[] {
    const z = (8 + this.#address).toString(16);
    const words = packet.slice(2);
    if (words === '010001ff') return [hex`${z}0 50 ff`];
    if (words === '090612ff') return [hex`${z}0 50 00 01 02 03 0f 0f 0f 0f ff`];
    if (words.startsWith('2')) return [hex`${z}0 6${words.slice(1, 2)} 05 ff`];
    return [hex`${z}0 41 ff`, hex`${z}0 51 ff`];
  }
}

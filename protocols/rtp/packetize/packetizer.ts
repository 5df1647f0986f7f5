/** What every payload format's packetizer looks like. */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import type { PacketBlock } from './packet-block.ts';

export interface Packetizer {
  /** Writes the unit's packets; nothing when the format cannot carry it. */
  packetize(unit: AccessUnit, timestamp: number, out: PacketBlock): void;
}

/** How large a payload may be: several times what ours are. Fields that nobody here knows are kept as well, so this bounds what is kept. */

/** As much as a snapshot of 8 million pixels takes, and room. */
const SNAPSHOT_BYTES = 8 * 1024 * 1024;
/** Notes, addresses, the names of all streams. */
const INFO_BYTES = 64 * 1024;
/** A hundred and more of them are kept of each stream. */
const STATS_BYTES = 1024;
const OTHER_BYTES = 16 * 1024;

/** `path`: the levels behind the gateway's id. */
export function maxPayloadBytes([kind, _, part]: readonly string[]): number {
  if (kind === 'info') return INFO_BYTES;
  if (kind !== 'stream') return OTHER_BYTES;
  switch (part) {
    case 'snapshot':
      return SNAPSHOT_BYTES;
    case 'info':
      return INFO_BYTES;
    case 'stats':
      return STATS_BYTES;
    default:
      return OTHER_BYTES;
  }
}

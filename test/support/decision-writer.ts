/** Decides something new as fast as it can, and says what is on the disk, until it is killed: FOLDER FIRST. */
import type { Logger } from 'pino';
import { AdoptionState } from '../../gateway/adoption/adoption-state.ts';

const [, , dataDir = '', first = '0'] = process.argv;
// It is started a hundred times: pino would take half of that.
const log = { warn: process.abort, error: process.abort } as unknown as Logger;
const state = new AdoptionState({ dataDir, log, now: Date.now });
const device = { id: 'cam', addresses: [], serial: 'AC0042' };
const record = state.find(device) ?? state.add(device);
for (let number = Number(first); ; number += 1) {
  state.change(record, { name: `n-${number}`, decision: 'adopted' });
  await state.written();
  process.stdout.write(`${number}\n`);
}

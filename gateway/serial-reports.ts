/** What is told of a serial line, whoever uses it. */
import type { SerialLineState } from '../drivers/serial/line-state.ts';
import type { Board } from './report/board.ts';

export interface SerialReport extends SerialLineState {
  readonly name: string;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

export function tellLine(
  { board, now }: { readonly board: Board; readonly now: () => number },
  { name, path, code, reason, sinceMs }: SerialReport,
): void {
  const before = board.serial.get(name)?.code;
  board.setSerial({
    name,
    path,
    state: code === 'ok' ? 'open' : code === 'stopped' ? 'stopped' : 'waiting',
    code,
    reason: reason === '' ? 'It is open.' : reason,
    since: new Date(sinceMs).toISOString(),
  });
  if (before === undefined || code === before || code === 'stopped') return;
  // A start that goes well is no news.
  if (code === 'ok' && before === 'starting') return;
  const isOpen = code === 'ok';
  const message = isOpen
    ? `The serial line ${name} is there again (${path}).`
    : `The serial line ${name}: ${reason}`;
  const at = new Date(now()).toISOString();
  board.emit('event', { at, type: isOpen ? 'serial-online' : 'serial-down', message });
}

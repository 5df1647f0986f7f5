/** Short words about what was just done, shown for a while and read aloud by screen readers. */
import { signal } from '@preact/signals';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'ok' | 'bad';
}

/** The newest last. */
export const toasts = signal<readonly Toast[]>([]);

const SHOWN_MS = 8_000;
/** More would hide the page. */
const MAX_SHOWN = 4;
let lastId = 0;

export function toast(text: string, tone: 'ok' | 'bad' = 'ok'): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value, { id, text, tone }].slice(-MAX_SHOWN);
  setTimeout(() => dismissToast(id), SHOWN_MS);
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}

/** What a state is called, and how bad it is. */
import { type Words, wordsOf } from '../words.ts';

/** `stopped`, `idle` and others are states of several things; the word fits each. */
const EN = {
  online: 'online',
  offline: 'offline',
  stopped: 'stopped',
  unknown: 'unknown',
  connecting: 'connecting',
  stalled: 'stalled',
  unauthorized: 'login refused',
  unreachable: 'unreachable',
  unsupported: 'unsupported',
  disabled: 'off',
  idle: 'idle',
  publishing: 'publishing',
  refused: 'refused',
  waiting: 'waiting',
  spooling: 'spooling',
  open: 'open',
} as const;

type State = keyof typeof EN;

const t: Words<State> = wordsOf({
  en: EN,
  zh: {
    online: '在线',
    offline: '离线',
    stopped: '已停止',
    unknown: '未知',
    connecting: '连接中',
    stalled: '卡住',
    unauthorized: '登录被拒绝',
    unreachable: '无法访问',
    unsupported: '不支持',
    disabled: '已关闭',
    idle: '空闲',
    publishing: '推流中',
    refused: '被拒绝',
    waiting: '等待中',
    spooling: '缓存中',
    open: '已打开',
  },
});

export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'off';

const TONES: Readonly<Record<State, Tone>> = {
  online: 'ok',
  publishing: 'ok',
  open: 'ok',
  connecting: 'busy',
  waiting: 'warn',
  spooling: 'warn',
  stalled: 'warn',
  unauthorized: 'bad',
  unreachable: 'bad',
  unsupported: 'bad',
  refused: 'bad',
  offline: 'bad',
  stopped: 'off',
  disabled: 'off',
  idle: 'off',
  unknown: 'off',
};

/** A newer gateway may have states that this page does not know: they are shown as they are. */
export function toneOf(state: string): Tone {
  return isState(state) ? TONES[state] : 'off';
}

export function stateWords(state: string): string {
  return isState(state) ? t(state) : state;
}

function isState(state: string): state is State {
  return Object.hasOwn(EN, state);
}

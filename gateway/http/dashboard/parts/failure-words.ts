/** Why a command did not work, for whoever asked. The gateway's own words are English. */
import { CommandFailure } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: {
    timeout: 'No answer in time.',
    offline: 'Not connected: nothing was asked.',
    said: '{message}',
  },
  zh: {
    timeout: '没有及时得到回答。',
    offline: '未连接，请求没有发出。',
    said: '失败：{message}',
  },
});

export function failureWords(error: unknown): string {
  if (!(error instanceof CommandFailure)) {
    return error instanceof Error ? error.message : String(error);
  }
  const { code, message } = error;
  if (code === 'timeout' || code === 'offline') return t(code);
  return t('said', { message });
}

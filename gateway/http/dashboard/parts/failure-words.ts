/** Why a command did not work, for whoever asked. The gateway's own words are English. */
import { connectionWords } from '../connection-words.ts';
import { CommandFailure } from '../model.ts';
import { wordsOf } from '../words.ts';

const t = wordsOf({ en: { said: '{message}' }, zh: { said: '失败：{message}' } });

export function failureWords(error: unknown): string {
  if (!(error instanceof CommandFailure)) {
    return error instanceof Error ? error.message : String(error);
  }
  const { code, message } = error;
  if (code === 'timeout' || code === 'offline') return connectionWords(code);
  return t('said', { message });
}

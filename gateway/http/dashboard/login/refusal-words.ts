/** Why the server did not let somebody in, for whoever asked. */
import { wordsOf } from '../words.ts';
import { SessionRefusal } from './session.ts';

const t = wordsOf({
  en: {
    'wrong-login': 'This user name and password do not fit. Look at upper and lower case.',
    'too-many-attempts': 'Too many wrong logins. Try again in {seconds} s.',
    'too-many-attempts-later': 'Too many wrong logins. Try again in a minute.',
    'wrong-password': 'The present password is another.',
    offline: 'The gateway does not answer. Is this device still on its network?',
    said: 'The gateway says: {message}',
  },
  zh: {
    'wrong-login': '用户名或密码不正确，请注意大小写。',
    'too-many-attempts': '错误次数过多，请在 {seconds} 秒后重试。',
    'too-many-attempts-later': '错误次数过多，请一分钟后重试。',
    'wrong-password': '当前密码不正确。',
    offline: '网关没有应答。本设备还在它的网络上吗？',
    said: '网关答复：{message}',
  },
});

/** `isChange`: the present password was asked for, not a login. */
export function refusalWords(error: unknown, isChange = false): string {
  if (!(error instanceof SessionRefusal)) {
    return error instanceof Error ? error.message : String(error);
  }
  const { code, message, retryAfterS } = error;
  switch (code) {
    case 'wrong-login':
      return t(isChange ? 'wrong-password' : 'wrong-login');
    case 'too-many-attempts':
      return retryAfterS === undefined
        ? t('too-many-attempts-later')
        : t('too-many-attempts', { seconds: retryAfterS });
    case 'offline':
      return t('offline');
    default:
      return t('said', { message });
  }
}

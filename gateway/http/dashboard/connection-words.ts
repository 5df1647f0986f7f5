/** How the connection is, in words. */
import { wordsOf } from './words.ts';

export const connectionWords = wordsOf({
  en: {
    offline: 'Not connected: nothing was asked.',
    timeout: 'No answer in time.',
    lost: 'The connection was lost.',
    silent: '{host} does not answer.',
    failed: 'The connection failed: {message}.',
    'not-allowed': 'This login may not read {topic}.',
  },
  zh: {
    offline: '未连接，请求没有发出。',
    timeout: '没有及时得到回答。',
    lost: '连接已断开。',
    silent: '{host} 没有应答。',
    failed: '连接失败：{message}。',
    'not-allowed': '该账号无权读取 {topic}。',
  },
});

/** The closed list of causes in a few words each. */
import type { CauseCode } from '../../report/status.ts';
import { type Words, wordsOf } from './words.ts';

const EN = {
  ok: 'works',
  starting: 'starting',
  dns: 'name not found',
  refused: 'nothing listens there',
  rejected: 'said no',
  busy: 'no session is free',
  timeout: 'no answer in time',
  network: 'not reachable on the network',
  'other-network': 'on none of our networks',
  'no-address': 'address not known',
  'other-device': 'another device is there now',
  tls: 'certificate or TLS not accepted',
  clock: 'a clock is wrong',
  auth: 'wrong login',
  'no-credentials': 'asks for a login, none is configured',
  'not-authorized': 'the login may not do this',
  'not-found': 'no such stream',
  codec: 'codec not supported',
  'no-data': 'no pictures come',
  'no-keyframe': 'no key frame comes',
  protocol: 'answers with an error',
  'name-taken': 'the name is taken',
  loop: 'the stream came from there',
  ended: 'ended by the far side',
  'no-source': 'no source yet',
  undecided: 'waits for adoption',
  ignored: 'not to be adopted',
} as const satisfies Record<CauseCode, string>;

const t: Words<CauseCode> = wordsOf({
  en: EN,
  zh: {
    ok: '正常',
    starting: '正在启动',
    dns: '找不到主机名',
    refused: '该端口没有服务在监听',
    rejected: '对方拒绝了请求',
    busy: '对方没有空闲会话',
    timeout: '没有及时应答',
    network: '网络不可达',
    'other-network': '其地址不在本机任何网络上',
    'no-address': '不知道它的地址',
    'other-device': '原地址上现在是另一台设备',
    tls: '证书或 TLS 不被接受',
    clock: '时钟不准',
    auth: '用户名或密码错误',
    'no-credentials': '需要登录，但没有配置用户名和密码',
    'not-authorized': '该账号没有权限',
    'not-found': '没有这路流',
    codec: '不支持的编码',
    'no-data': '没有收到画面',
    'no-keyframe': '没有收到关键帧',
    protocol: '应答有错误',
    'name-taken': '流名称已被占用',
    loop: '这路流来自对方，形成回环',
    ended: '对方结束了会话',
    'no-source': '还没有来源',
    undecided: '等待决定是否接入',
    ignored: '已选择不接入',
  },
});

/** A newer gateway may have causes that this page does not know. */
export function causeWords(code: string): string {
  return isCause(code) ? t(code) : code;
}

function isCause(code: string): code is CauseCode {
  return Object.hasOwn(EN, code);
}

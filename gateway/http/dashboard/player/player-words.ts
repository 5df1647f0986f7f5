/** What the player says, and its buttons. */
import { codecName } from '../../../../codecs/codec-name.ts';
import type { Track } from '../../../../codecs/track.ts';
import { wordsOf } from '../words.ts';
import type { PlayerState } from './live-player.ts';

export const t = wordsOf({
  en: {
    picture: 'Live picture of {stream}',
    controls: 'Player',
    play: 'Play',
    pause: 'Pause',
    mute: 'Mute',
    unmute: 'Unmute',
    volume: 'Volume',
    fullscreen: 'Full screen',
    paused: 'Paused.',
    connecting: 'Connecting …',
    'not-online': 'Not online ({state}):',
    'left-out': 'Without sound: this browser has no decoder for {codecs}.',
    'only-sound': 'This stream has only sound.',
    unreachable: 'The server of the pictures does not answer. Trying again …',
    login:
      'The pictures need a login: log in at the server they come from, in this browser. Trying again …',
    gone: 'There is no stream of that name there. Trying again …',
    refused: 'The server refused: {detail}. Trying again …',
    ended: 'The stream has ended. Trying again …',
    silent: 'Connected, but nothing comes. Trying again …',
    stuck: 'Pictures come, but none is shown. Trying again …',
    damaged: 'What came cannot be played ({detail}). Trying again …',
    undecodable:
      'This browser cannot play {codec}. Another browser may, or a player such as VLC with one of the addresses below; or set the camera to H.264.',
    'no-player':
      'This browser can play neither fragmented MP4 nor HLS. A player such as VLC can, with one of the addresses below.',
    snapshots:
      'Snapshots: the fleet’s page has no address that streams play at (playUrl in its config.json).',
    'no-snapshot': 'No snapshot: {why}',
    'snapshot-of': 'Newest snapshot of {stream}',
    'asking-snapshot': 'Asking for a snapshot …',
  },
  zh: {
    picture: '{stream} 的实时画面',
    controls: '播放器',
    play: '播放',
    pause: '暂停',
    mute: '静音',
    unmute: '取消静音',
    volume: '音量',
    fullscreen: '全屏',
    paused: '已暂停。',
    connecting: '连接中…',
    'not-online': '不在线（{state}）：',
    'left-out': '没有声音：此浏览器无法解码 {codecs}。',
    'only-sound': '这路流只有声音。',
    unreachable: '提供画面的服务器没有应答，正在重试…',
    login: '观看画面需要登录：请在此浏览器中登录提供画面的服务器。正在重试…',
    gone: '那里没有这个名称的流，正在重试…',
    refused: '服务器拒绝：{detail}。正在重试…',
    ended: '流已结束，正在重试…',
    silent: '已连接，但没有收到数据，正在重试…',
    stuck: '收到了数据，但画面不动，正在重试…',
    damaged: '收到的内容无法播放（{detail}），正在重试…',
    undecodable:
      '此浏览器无法播放 {codec}。可换用其他浏览器，或用 VLC 等播放器打开下面的地址，或把摄像机改为 H.264。',
    'no-player': '此浏览器既不能播放分段 MP4，也不能播放 HLS。请用 VLC 等播放器打开下面的地址。',
    snapshots: '显示快照：集中页面没有配置播放地址（config.json 中的 playUrl）。',
    'no-snapshot': '没有快照：{why}',
    'snapshot-of': '{stream} 的最新快照',
    'asking-snapshot': '正在请求快照…',
  },
});

/** Nothing to say: ''. */
export function playerWords(state: PlayerState): string {
  switch (state.at) {
    case 'idle':
      return '';
    case 'connecting':
    case 'no-player':
      return t(state.at);
    case 'undecodable':
      return t('undecodable', { codec: state.codec });
    case 'failed':
      return t(state.code, { detail: state.detail.replace(/\.$/, '') });
    case 'playing': {
      const words: string[] = [];
      if (!state.hasVideo) words.push(t('only-sound'));
      if (state.leftOut.length > 0) {
        words.push(t('left-out', { codecs: codecNames(state.leftOut) }));
      }
      return words.join(' ');
    }
  }
}

function codecNames(codecs: readonly Track['codec'][]): string {
  return codecs.map((codec) => codecName({ codec })).join(', ');
}

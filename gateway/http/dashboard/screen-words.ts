/** What the screens are called: in the navigation and in the window's title. */
import { wordsOf } from './words.ts';

export const screenWords = wordsOf({
  en: {
    navigation: 'Screens',
    fleet: 'Gateways',
    wall: 'Cameras',
    camera: 'Camera',
    devices: 'Found devices',
    targets: 'Push targets',
    events: 'Events',
    gateway: 'Gateway',
    settings: 'Settings',
  },
  zh: {
    navigation: '页面',
    fleet: '网关',
    wall: '摄像机',
    camera: '摄像机',
    devices: '发现的设备',
    targets: '推流目标',
    events: '事件',
    gateway: '网关',
    settings: '设置',
  },
});

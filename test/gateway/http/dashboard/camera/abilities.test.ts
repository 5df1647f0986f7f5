import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canReboot, canSnapshot } from '../../../../../gateway/http/dashboard/camera/abilities.ts';
import type { StreamInfo } from '../../../../../gateway/report/status.ts';

function info(source: string, urls: StreamInfo['urls'] = {}): StreamInfo {
  return { source, urls, tracks: [] };
}

const page = 'http://10.0.0.2:8080/live/yard';
const snapshot = `${page}.jpg`;

const cases: { name: string; info?: StreamInfo; snapshot: boolean; reboot: boolean }[] = [
  { name: 'nothing is known yet', snapshot: false, reboot: false },
  {
    name: 'pushed in from elsewhere',
    info: info('RTMP publisher at 127.0.0.1', { page }),
    ...{ snapshot: false, reboot: false },
  },
  {
    name: 'an encoder',
    info: info('udp://@:5004', { page }),
    ...{ snapshot: false, reboot: false },
  },
  {
    name: 'a camera whose snapshot was configured',
    info: info('rtsp://10.0.0.9/', { page, snapshot }),
    ...{ snapshot: true, reboot: false },
  },
  {
    name: 'an ONVIF camera',
    info: info('onvif://10.0.0.9', { page, snapshot }),
    ...{ snapshot: true, reboot: true },
  },
  {
    name: 'an ONVIF camera of a gateway without HTTP',
    info: info('onvif://10.0.0.9'),
    ...{ snapshot: true, reboot: true },
  },
  {
    name: 'of a gateway from before urls',
    info: { source: 'rtsp://10.0.0.9/', tracks: [] } as unknown as StreamInfo,
    ...{ snapshot: false, reboot: false },
  },
];

for (const one of cases) {
  it(`${one.name}: snapshot ${one.snapshot}, reboot ${one.reboot}`, () => {
    assert.deepEqual([canSnapshot(one.info), canReboot(one.info)], [one.snapshot, one.reboot]);
  });
}

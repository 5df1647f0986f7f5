import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceUrls, MAX_KEYS } from '../../../drivers/discovery/device-urls.ts';

test('what is announced anew replaces what the same one said; what it leaves out stays', () => {
  const urls = new DeviceUrls();
  urls.say('mdns a', { rtspUrls: ['rtsp://a/1'] });
  urls.say('ws-discovery b', { xaddrs: ['http://b/'] });
  urls.say('mdns a', { rtspUrls: ['rtsp://a/2'] });
  urls.say('ws-discovery b', { sourceUrls: ['udp://@239.1.1.1:5000'] });
  assert.deepEqual(urls.all('rtspUrls'), ['rtsp://a/2']);
  assert.deepEqual(urls.all('xaddrs'), ['http://b/']);
  urls.forget('mdns a');
  assert.deepEqual(urls.all('rtspUrls'), []);
});

test('many that turn out to be one, each with much to say: bounded', () => {
  const urls = new DeviceUrls();
  for (let device = 0; device < 20; device += 1) {
    const other = new DeviceUrls();
    for (let key = 0; key < 2 * MAX_KEYS; key += 1) {
      const rtspUrls = Array.from({ length: 40 }, (_, n) => `rtsp://${device}/${key}/${n}`);
      other.say(`mdns ${device} ${key}`, { rtspUrls });
    }
    urls.absorb(other);
  }
  assert.equal(urls.all('rtspUrls').length, 16);
  for (let key = 0; key < MAX_KEYS; key += 1) urls.forget(`mdns 0 ${key}`);
  assert.deepEqual(urls.all('rtspUrls'), []);
});

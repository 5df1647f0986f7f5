import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDump } from './gst-camera.ts';

const LINE =
  '{"kind": "video", "pts": 20345141, "dts": -59654859, "sha256": "11", "size": 5, "key": true}';

describe('parseDump', () => {
  it('takes nanoseconds to microseconds, before zero too', () => {
    const unit = { kind: 'video', ptsUs: 20345.141, dtsUs: -59654.859, sha256: '11', key: true };
    assert.deepEqual(parseDump(`${LINE}\n`), [unit]);
  });

  it('knows a DTS that the camera does not know', () => {
    assert.equal(parseDump(`${LINE.replace('-59654859', 'null')}\n`)[0]?.dtsUs, undefined);
  });

  it('leaves out a line that is being written', () => {
    for (let end = 0; end < LINE.length; end += 1) {
      assert.equal(parseDump(`${LINE}\n${LINE.slice(0, end)}`).length, 1, `cut at ${end}`);
    }
  });
});

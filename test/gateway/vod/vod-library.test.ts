import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { isSafePath, parseVodName, VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { MP3_FRAMES } from '../../codecs/mpeg-audio/mp3-fixture.ts';

let root: string;
let library: VodLibrary;
const SOUND = concat(...MP3_FRAMES);

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-vod-'));
  await mkdir(join(root, 'recordings', 'sub'), { recursive: true });
  await mkdir(join(root, 'media'));
  await writeFile(join(root, 'secret.mp3'), SOUND);
  await writeFile(join(root, 'recordings', 'a.mp3'), SOUND);
  await writeFile(join(root, 'recordings', '.hidden.mp3'), SOUND);
  await writeFile(join(root, 'recordings', 'sub', 'b.mp3'), SOUND);
  await writeFile(join(root, 'recordings', 'text.mp3'), 'a shopping list');
  await writeFile(join(root, 'recordings', 'text.flv'), 'a shopping list');
  await mkdir(join(root, 'recordings', 'folder.mp3'));
  await writeFile(join(root, 'media', 'c.mp3'), SOUND);
  await writeFile(join(root, 'media', 'a.mp3'), SOUND.subarray(78));
  await symlink('../secret.mp3', join(root, 'recordings', 'link.mp3'));
  await symlink('..', join(root, 'recordings', 'up'));
  await symlink('a.mp3', join(root, 'recordings', 'inside.mp3'));
  execFileSync('mkfifo', [join(root, 'recordings', 'pipe.mp3')]);
  library = new VodLibrary([join(root, 'recordings'), join(root, 'media'), join(root, 'none')]);
});

after(async () => {
  await rm(root, { recursive: true });
});

describe('names of files', () => {
  const cases = [
    ['flv:cam', 'flv', 'cam'],
    ['mp4:sub/film.f4v', 'mp4', 'sub/film.f4v'],
    ['mp3:song', 'mp3', 'song'],
    ['cam.flv', 'flv', 'cam.flv'],
    ['cam.FLV?token=x', 'flv', 'cam.FLV'],
    ['film.mov', 'mp4', 'film.mov'],
    ['flv:cam?token=x.mp4', 'flv', 'cam'],
  ] as const;
  for (const [name, format, path] of cases) {
    it(name, () => assert.deepEqual(parseVodName(name), { format, path }));
  }
  for (const name of ['cam', 'cam?x=a.flv', 'ts:cam', 'flvcam', '.', '']) {
    it(`"${name}" is a live stream`, () => assert.equal(parseVodName(name), undefined));
  }
});

describe('paths that are refused', () => {
  const bad = [
    ...['', '/etc/passwd', '../x', 'a/../b', 'a//b', 'a/', './a', '.x', 'a/.b', 'a\\b', 'c:x'],
    ...['a\0b', 'a\nb', 'x'.repeat(256), 'é'.repeat(128), 'a/'.repeat(300)],
  ];
  for (const path of bad) {
    it(JSON.stringify(path.slice(0, 20)), () => assert.equal(isSafePath(path), false));
  }
  for (const path of ['a', 'a/b', 'Überwachung/Hof 1', 'a..b', 'x'.repeat(255)]) {
    it(`${path.slice(0, 20)} is not`, () => assert.equal(isSafePath(path), true));
  }
});

describe('the library', () => {
  for (const name of ['mp3:a', 'mp3:a.mp3', 'a.mp3', 'mp3:sub/b', 'mp3:c', 'mp3:inside']) {
    it(`opens ${name}`, async () => {
      const file = await library.open(name);
      assert.equal(file.tracks.length, 1);
      await file.close();
      await file.close();
    });
  }

  const refused = [
    ['mp3:../secret', /no name of a file/],
    ['mp3:/etc/passwd', /no name of a file/],
    ['mp3:.hidden', /no name of a file/],
    ['mp3:link', /no such file/],
    ['mp3:up/secret', /no such file/],
    ['mp3:folder', /no such file/],
    ['mp3:pipe', /no such file/],
    ['mp3:none', /no such file/],
    ['mp3:a.mp3/b', /no such file/],
    ['a', /a name such as flv:NAME/],
    ['mp3:text', /no frame of MPEG audio/],
    ['flv:text', /begins with "FLV"/],
  ] as const;
  for (const [name, words] of refused) {
    it(`does not open ${name}`, async () => {
      await assert.rejects(library.open(name), (error: Error) => {
        assert.equal(error.name, 'VodError');
        assert.match(error.message, words);
        assert.ok(!error.message.includes(root));
        return true;
      });
    });
  }

  it('looks into the first folder first', async () => {
    const { handle, size } = await library.find({ format: 'mp3', path: 'a' });
    await handle.close();
    assert.equal(size, SOUND.length);
  });

  it('has a bound on open files, and refused ones do not count', async () => {
    for (let index = 0; index < 300; index += 1) {
      await assert.rejects(library.open('mp3:none'), /no such file/);
    }
    const files = await Promise.all(Array.from({ length: 256 }, () => library.open('mp3:a')));
    await assert.rejects(library.open('mp3:a'), /too many files/);
    await files[0]?.close();
    await (await library.open('mp3:a')).close();
    await Promise.all(files.map((file) => file.close()));
  });
});

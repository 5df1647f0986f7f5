import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  HashingBusyError,
  PasswordHashing,
  parsePasswordHash,
} from '../../../gateway/http/password-hash.ts';

describe('passwords as hashes', () => {
  it('a wrong one is wrong, and equal ones are not seen to be equal', async () => {
    const hashing = new PasswordHashing();
    const [one, two] = [await hashing.hash('pä:ss'), await hashing.hash('pä:ss')];
    assert.notEqual(one.key, two.key);
    for (const wrong of ['', 'pä:s', 'pä:ss ', 'PÄ:SS']) {
      assert.equal(await hashing.isRight(wrong, one), false, wrong);
    }
    // Keyboards differ in how they compose ä.
    assert.equal(await hashing.isRight('pa\u0308:ss', one), true);
  });

  it('RFC 7914 §12: its own example, which has the cost of ours', async () => {
    // Only the first 32 of its 64 bytes: PBKDF2 makes them block by block.
    const key = Buffer.from(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162',
      'hex',
    ).toString('base64');
    const salt = Buffer.from('NaCl').toString('base64');
    const example = { algorithm: 'scrypt', N: 1024, r: 8, p: 16, salt, key } as const;
    assert.equal(await new PasswordHashing().isRight('password', example), true);
  });

  it('one at a time, eight at most: others are told to come again, and afterwards there is room', async () => {
    const hashing = new PasswordHashing();
    const all = await Promise.allSettled(Array.from({ length: 12 }, () => hashing.hash('x')));
    const refused = all.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 4);
    for (const one of refused) {
      assert.ok(one.status === 'rejected' && one.reason instanceof HashingBusyError);
    }
    await hashing.hash('x');
  });

  it('20 logins leave no more than four small blocks behind', async () => {
    const hashing = new PasswordHashing();
    const hash = await hashing.hash('x');
    const before = process.memoryUsage.rss();
    for (let count = 0; count < 20; count += 1) await hashing.isRight(`x${count}`, hash);
    const grownMb = (process.memoryUsage.rss() - before) / 1024 / 1024;
    assert.ok(grownMb < 8, `${grownMb.toFixed(1)} MB`);
  });

  const good = {
    algorithm: 'scrypt',
    N: 1024,
    r: 8,
    p: 16,
    salt: 'A'.repeat(22),
    key: 'A'.repeat(43),
  };
  const bad = [
    ['no object', 7],
    ['another algorithm', { ...good, algorithm: 'md5' }],
    ['N no power of two', { ...good, N: 1000 }],
    ['N too large', { ...good, N: 2 ** 20 }],
    ['N a text', { ...good, N: '1024' }],
    ['another r', { ...good, r: 1024 }],
    ['p too large', { ...good, p: 1e6 }],
    ['p none', { ...good, p: 0 }],
    ['a short salt', { ...good, salt: 'AA' }],
    ['a short key', { ...good, key: 'AAAA' }],
    ['no key', { ...good, key: undefined }],
  ] as const;
  for (const [name, value] of bad) {
    it(`from a file: ${name} is refused`, () => {
      assert.equal(parsePasswordHash(value), undefined);
    });
  }
  it('from a file: what was written is read', () => {
    assert.deepEqual(parsePasswordHash(good), good);
  });
});

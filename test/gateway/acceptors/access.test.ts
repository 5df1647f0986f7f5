import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Access } from '../../../gateway/acceptors/access.ts';

describe('Access', () => {
  it('is open without a login, and then nobody’s secret is right', () => {
    const access = new Access(undefined, () => 0);
    assert.ok(access.isOpen);
    assert.equal(access.isToken(''), false);
    assert.equal(access.isPassword('', ''), false);
  });

  it('takes the one token, or the one user name with its password', () => {
    const access = new Access({ username: 'cam', password: 'secret', token: 'abc' }, () => 0);
    assert.deepEqual(
      [access.isToken('abc'), access.isToken('abcd'), access.isToken('')],
      [true, false, false],
    );
    assert.ok(access.isPassword('cam', 'secret'));
    assert.equal(access.isPassword('Cam', 'secret'), false);
    assert.equal(access.isPassword('cam', 'Secret'), false);
  });

  it('blocks an address after ten wrong logins, for the rest of the minute', () => {
    let nowMs = 0;
    const access = new Access({ token: 'abc' }, () => nowMs);
    for (let count = 0; count < 10; count += 1) {
      assert.equal(access.isBlocked('10.0.0.9'), false);
      access.failed('10.0.0.9');
    }
    assert.ok(access.isBlocked('10.0.0.9'));
    assert.equal(access.isBlocked('10.0.0.8'), false);
    nowMs = 60_000;
    assert.equal(access.isBlocked('10.0.0.9'), false);
  });

  it('knows that whoever has an IPv6 address has all of its /64', () => {
    const access = new Access({ token: 'abc' }, () => 0);
    for (let count = 0; count < 10; count += 1) access.failed(`2001:db8::${count}`);
    assert.ok(access.isBlocked('2001:db8::a'));
    assert.equal(access.isBlocked('2001:db8:0:1::a'), false);
  });

  it('knows addresses and ranges of them; without a list all are allowed', () => {
    const addresses = ['10.0.0.0/24', '192.168.1.5', 'fd00::/8'];
    const access = new Access({ addresses }, () => 0);
    const allowed = [
      '10.0.0.255',
      '192.168.1.5',
      'fd12::1',
      '10.0.1.0',
      '192.168.1.6',
      'fe80::1%eth0',
      'unknown',
    ];
    assert.deepEqual(
      allowed.map((address) => access.allowsAddress(address)),
      [true, true, true, false, false, false, false],
    );
    assert.ok(access.isOpen);
    assert.ok(new Access(undefined, () => 0).allowsAddress('10.0.0.1'));
  });
});

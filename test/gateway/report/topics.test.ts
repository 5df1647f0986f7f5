import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isHeardBy, Topics } from '../../../gateway/report/topics.ts';

const topics = new Topics('site/a', 'gw-1');

describe('Topics', () => {
  it('are those of the contract', () => {
    assert.deepEqual(
      [
        topics.state,
        topics.info,
        topics.health,
        topics.event,
        topics.streamStatus('front'),
        topics.streamInfo('front'),
        topics.streamStats('front'),
        topics.publish('front', 'master'),
        topics.found('cam-1'),
        topics.commandFilter,
        topics.reply('log/level'),
      ],
      [
        'site/a/gw-1/state',
        'site/a/gw-1/info',
        'site/a/gw-1/health',
        'site/a/gw-1/event',
        'site/a/gw-1/stream/front/status',
        'site/a/gw-1/stream/front/info',
        'site/a/gw-1/stream/front/stats',
        'site/a/gw-1/publish/front/master',
        'site/a/gw-1/found/cam-1',
        'site/a/gw-1/cmd/#',
        'site/a/gw-1/res/log/level',
      ],
    );
  });

  it('finds the verb of a command topic only', () => {
    assert.equal(topics.verbOf('site/a/gw-1/cmd/stream/restart'), 'stream/restart');
    assert.equal(topics.verbOf('site/a/gw-1/state'), undefined);
    assert.equal(topics.verbOf('site/a/gw-2/cmd/discover'), undefined);
  });

  it('no name makes a wildcard or another level', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        assert.match(topics.streamStatus(name), /^site\/a\/gw-1\/stream\/[a-z0-9-]{1,48}\/status$/);
      }),
    );
  });

  it('replies go where the asker likes, but never over state', () => {
    const allowed = ['me/replies', 'site/a/gw-1/res/x', 'site/a/gw-10/x', 'site/a'];
    const refused = [
      '',
      '#',
      'a/+/b',
      '$SYS/x',
      'site/a/gw-1/state',
      'site/a/gw-1/cmd/x',
      'a\0b',
      'x'.repeat(1025),
    ];
    assert.deepEqual(
      allowed.filter((topic) => !topics.canReplyTo(topic)),
      [],
    );
    assert.deepEqual(
      refused.filter((topic) => topics.canReplyTo(topic)),
      [],
    );
  });
});

describe('a subscription hears', () => {
  const cases = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/bc', false],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
    ['+/+', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['+', 'a/b', false],
    ['#', 'a/b', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'b/c', false],
    ['a/b/#', 'a', false],
    ['+/b/#', 'a/b/c', true],
    ['+/b/#', 'a/c/b', false],
  ] as const;
  for (const [filter, topic, expected] of cases) {
    it(`${filter}: ${topic}, ${expected}`, () => assert.equal(isHeardBy(filter, topic), expected));
  }
});

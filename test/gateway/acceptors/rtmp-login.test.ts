import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RtmpLogin } from '../../../gateway/acceptors/rtmp-login.ts';
import type { LoginConfig } from '../../../gateway/config/schema.ts';
import { nextAuthQuery } from '../../../protocols/rtmp/authentication.ts';
import { splitQuery } from '../../../protocols/rtmp/query.ts';

const CAM: LoginConfig = { username: 'cam', password: 'secret' };
const VIEWER: LoginConfig = { username: 'eye', password: 'open' };
const TOKEN: LoginConfig = { token: 'tok' };
const ENCODER = true;
const PLAYER = false;

function loginFor(publish: LoginConfig | undefined, play: LoginConfig | undefined) {
  let nowMs = 0;
  const login = new RtmpLogin(publish, play, () => nowMs);
  const connect = (app: string, isEncoder = PLAYER, address = 'a') => {
    const { query } = splitQuery(app);
    return login.atConnect(
      { app: 'live', query, isEncoder, via: [], fourCcs: undefined, objectEncoding: 0 },
      address,
    );
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { login, connect, pass };
}

type Connect = ReturnType<typeof loginFor>['connect'];

/** Adobe's exchange as our own publisher holds it; the last answer. */
function adobe(connect: Connect, username: string, password: string, isEncoder: boolean) {
  let query = '';
  for (let count = 0; count < 3; count += 1) {
    const welcome = connect(`live?${query}`, isEncoder);
    if (welcome.refusal === undefined) return welcome;
    if (count < 2) query = nextAuthQuery(welcome.refusal, { username, password }, 'live', query);
    else return welcome;
  }
  throw new Error('never');
}

const rightsOf = ({ rights }: { rights: ReadonlySet<string> }) => [...rights].sort().join();

describe('logins of RTMP', () => {
  it('refuses the wrong, in every way they can be given', () => {
    const { connect, login } = loginFor(CAM, VIEWER);
    for (const app of ['live?token=tok', 'live?user=cam&pass=x', 'live?user=eye&pass=secret']) {
      assert.match(connect(app, ENCODER).refusal ?? '', /wrong user name, password or token/);
    }
    const { query } = splitQuery('cam?user=cam&pass=no');
    assert.match(login.atStream('publish', new Set(), query, 'b') ?? '', /wrong/);
    assert.match(login.atStream('play', new Set(), new Map(), 'b') ?? '', /login is needed/);
    assert.match(adobe(connect, 'cam', 'wrong', ENCODER).refusal ?? '', /reason=authfailed/);
  });

  it('a right to play is none to publish', () => {
    const { connect, login } = loginFor(CAM, VIEWER);
    const { rights } = adobe(connect, 'eye', 'open', PLAYER);
    assert.equal(rightsOf({ rights }), 'play');
    assert.match(login.atStream('publish', rights, new Map(), 'a') ?? '', /login is needed/);
    assert.equal(login.atStream('play', rights, new Map(), 'a'), undefined);
  });

  it('listens no more to who guesses, until a minute has passed, and to others all the same', () => {
    const { connect, pass } = loginFor(CAM, undefined);
    for (let count = 0; count < 10; count += 1) connect('live?user=cam&pass=x', ENCODER);
    const blocked = connect('live?user=cam&pass=secret', ENCODER);
    assert.match(blocked.refusal ?? '', /too many wrong logins/);
    assert.doesNotMatch(blocked.refusal ?? '', /authmod/);
    assert.match(connect('live?authmod=adobe&user=cam', ENCODER).refusal ?? '', /too many/);
    assert.equal(connect('live?user=cam&pass=secret', ENCODER, 'b').refusal, undefined);
    assert.equal(connect('live', PLAYER).refusal, undefined, 'players need no login');
    pass(60_000);
    assert.equal(connect('live?user=cam&pass=secret', ENCODER).refusal, undefined);
  });

  it('counts Adobe’s wrong logins, and not the demands', () => {
    const { connect } = loginFor(CAM, undefined);
    for (let count = 0; count < 9; count += 1) {
      assert.match(adobe(connect, 'cam', 'wrong', ENCODER).refusal ?? '', /reason=authfailed/);
    }
    assert.equal(adobe(connect, 'cam', 'secret', ENCODER).refusal, undefined);
    adobe(connect, 'cam', 'wrong', ENCODER);
    assert.match(connect('live', ENCODER).refusal ?? '', /too many wrong logins/);
  });

  it('asks nothing where nothing is set', () => {
    const { connect } = loginFor(undefined, undefined);
    for (const app of ['live', 'live?token=x', 'live?authmod=adobe&user=u']) {
      const welcome = connect(app, ENCODER);
      assert.equal(welcome.refusal, undefined);
      assert.equal(rightsOf(welcome), 'play,publish');
    }
  });

  it('asks encoders for Adobe’s login, and lets players through where they need none', () => {
    const { connect } = loginFor(CAM, undefined);
    assert.match(connect('live', ENCODER).refusal ?? '', /code=403 need auth; authmod=adobe/);
    assert.equal(rightsOf(connect('live', PLAYER)), 'play');
    assert.equal(rightsOf(adobe(connect, 'cam', 'secret', ENCODER)), 'play,publish');
  });

  it('asks players for it where they need one', () => {
    const { connect } = loginFor(undefined, VIEWER);
    assert.match(connect('live', PLAYER).refusal ?? '', /need auth; authmod=adobe/);
    assert.equal(connect('live', ENCODER).refusal, undefined);
    assert.equal(rightsOf(adobe(connect, 'eye', 'open', PLAYER)), 'play,publish');
  });

  it('one login for both is both', () => {
    const { connect } = loginFor(CAM, CAM);
    assert.equal(rightsOf(adobe(connect, 'cam', 'secret', ENCODER)), 'play,publish');
    assert.equal(rightsOf(connect('live?user=cam&pass=secret', PLAYER)), 'play,publish');
  });

  it('the same name with two passwords is two logins', () => {
    const { connect } = loginFor(CAM, { ...CAM, password: 'other' });
    assert.equal(rightsOf(adobe(connect, 'cam', 'secret', ENCODER)), 'publish');
    assert.equal(rightsOf(adobe(connect, 'cam', 'other', PLAYER)), 'play');
  });

  it('takes tokens, and user and password, with the application or with the name', () => {
    const { connect, login } = loginFor(TOKEN, { ...VIEWER, token: 'see' });
    assert.equal(connect('live', PLAYER).refusal, undefined, 'its token may come with the name');
    const early = connect('live', ENCODER);
    assert.equal(early.refusal, undefined, 'it may come with the name');
    const may = (right: 'publish' | 'play', name: string) =>
      login.atStream(right, early.rights, splitQuery(name).query, 'a') === undefined;
    assert.ok(may('publish', 'cam?token=tok'));
    assert.ok(!may('publish', 'cam?token=see'));
    assert.ok(may('play', 'cam?token=see'));
    assert.ok(may('play', 'cam?username=eye&password=open'));
    assert.equal(rightsOf(connect('live?token=tok', ENCODER)), 'publish');
  });
});

import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { MAX_RECORDS } from '../../../gateway/adoption/adoption-record.ts';
import { AdoptionState, type DeviceIdentity } from '../../../gateway/adoption/adoption-state.ts';
import type { FileOperations } from '../../../gateway/kept-file.ts';

const device = (id: string, known: Partial<DeviceIdentity> = {}): DeviceIdentity => ({
  id,
  addresses: [],
  ...known,
});

function setUp(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const said: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) });
  const open = (operations?: FileOperations) =>
    new AdoptionState({
      dataDir,
      log,
      now: Date.now,
      ...(operations === undefined ? {} : { operations }),
    });
  return { dataDir, said, open, file: join(dataDir, 'adopted.json') };
}

test('kept over a restart, readable by nobody else, with nothing left beside it', async (t) => {
  const { open, dataDir, file, said } = setUp(t);
  const state = open();
  const record = state.add(device('cam', { serial: 'AC0042' }));
  state.change(record, {
    name: 'door',
    decision: 'adopted',
    addresses: ['10.0.0.9'],
    endpoints: [{ host: '10.0.0.9', port: 8000, path: '/onvif/x', secure: true }],
    profile: { maxHeight: 720 },
    credentials: { username: 'admin', password: 'given by hand' },
  });
  await state.written();
  state.change(record, { decision: 'ignored', sourceUrl: 'rtsp://10.0.0.9/1' });
  await state.written();
  state.change(record, { sourceUrl: undefined });
  await state.written();
  delete record.sourceUrl;
  assert.deepEqual(open().find(device('other', { serial: 'AC0042' })), record);
  assert.ok(open().isTaken('door'));
  assert.deepEqual(readdirSync(dataDir).sort(), ['adopted.json', 'adopted.json.previous']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(said, []);
});

test('who a device is becomes known piece by piece; its name stays', (t) => {
  const { open } = setUp(t);
  const state = open();
  const record = state.add(device('10-0-0-9', { addresses: ['10.0.0.9'] }));
  assert.equal(state.find(device('10-0-0-9')), record);
  state.recognise(record, device('10-0-0-9', { endpointReference: 'e1' }));
  state.recognise(record, device('e1', { endpointReference: 'e1', serial: 's1' }));
  assert.equal(state.find(device('x', { serial: 's1', endpointReference: 'e2' })), record);
  assert.equal(state.find(device('x', { serial: 's2', endpointReference: 'e1' })), undefined);
  assert.equal(state.find(device('x', { mac: 'm1' })), undefined);
  state.recognise(record, device('x', { mac: 'm1', serial: 's1' }));
  assert.equal(state.find(device('y', { mac: 'm1' })), record);
});

test('an address is the name of a device only as long as nothing else is', (t) => {
  const { open } = setUp(t);
  const state = open();
  const known = state.add(device('s1', { serial: 's1', addresses: ['10.0.0.9'] }));
  state.recognise(known, device('10-0-0-9', { addresses: ['10.0.0.9'] }));
  assert.equal(state.find(device('10-0-0-9', { addresses: ['10.0.0.9'] })), undefined);
});

test('names of version 1 are taken over', async (t) => {
  const { open, file, said } = setUp(t);
  const names = {
    'serial:AC0042': 'door',
    'epr:e1': 'door',
    'id:yard-cam': 'yard',
    'mac:m1': '../x',
    junk: 'a',
  };
  writeFileSync(file, JSON.stringify({ version: 1, names }));
  const state = open();
  assert.equal(state.find(device('x', { endpointReference: 'e1' }))?.name, 'door');
  assert.equal(state.find(device('yard-cam'))?.decision, 'adopted');
  assert.equal(state.records.length, 2);
  state.add(device('new'));
  await state.written();
  assert.equal(open().find(device('x', { serial: 'AC0042' }))?.name, 'door');
  assert.equal(JSON.parse(readFileSync(`${file}.previous`, 'utf8')).version, 1);
  assert.deepEqual(said, []);
});

test('a file of a later version is refused, said, and left as it is', async (t) => {
  const { open, file, dataDir, said } = setUp(t);
  const text = '{"version":3,"everything":"else"}';
  writeFileSync(file, text);
  const state = open();
  const record = state.add(device('a'));
  assert.equal(state.find(device('a')), record, 'it goes on without');
  await state.written();
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.deepEqual(readdirSync(dataDir), ['adopted.json']);
  assert.match(said.join(), /written by a later version/);
});

test('hostile and broken files: said, no error, nothing taken from them', (t) => {
  const broken = [
    '',
    '{',
    '[]',
    'null',
    '{"version":"2"}',
    '{"version":1,"names":null}',
    '{"version":2}',
    '{"version":2,"devices":{}}',
    '{"version":2,"sha256":"00","devices":[]}',
    `{"version":2,"devices":[${'[],'.repeat(3)}{"name":"../x","decision":"adopted"}]}`,
  ];
  for (const text of broken) {
    const { open, file, said } = setUp(t);
    writeFileSync(file, text);
    assert.equal(open().records.length, 0, text);
    assert.equal(said.length, 1, text);
  }
});

test('a file cut off at any byte, or with any byte wrong: the copy before it is used, and said', async (t) => {
  const { open, file, dataDir, said } = setUp(t);
  const state = open();
  state.change(state.add(device('a')), { name: 'old' });
  await state.written();
  state.change(state.add(device('b')), { name: 'new' });
  await state.written();
  const whole = readFileSync(file);
  // The newline at the end is not missed.
  for (let length = whole.length - 2; length >= 0; length -= 1) {
    said.length = 0;
    truncateSync(file, length);
    const names = open().records.map(({ name }) => name);
    assert.deepEqual(names, ['old'], `cut at ${length}`);
    assert.match(said.join(), /the copy before it is used/);
  }
  for (let at = 0; at < whole.length; at += 7) {
    const wrong = Buffer.from(whole);
    wrong[at] = 0;
    writeFileSync(file, wrong);
    assert.deepEqual(
      open().records.map(({ name }) => name),
      ['old'],
      `byte ${at}`,
    );
  }
  // What is damaged does not take the place of the copy.
  const next = open();
  next.change(next.add(device('c')), { name: 'next' });
  await next.written();
  const previous = readFileSync(`${file}.previous`, 'utf8');
  assert.match(previous, /"old"/);
  assert.doesNotMatch(previous, /"new"/);
  assert.deepEqual(
    open().records.map(({ name }) => name),
    ['old', 'next'],
  );
  rmSync(file);
  assert.equal(open().records.length, 1, `without it: ${readdirSync(dataDir)}`);
});

/** File operations until the power goes: after so many bytes of what is written, or so many operations. */
function cutAfter(limit: { bytes?: number; operations?: number }): FileOperations {
  const { bytes = Number.POSITIVE_INFINITY, operations = Number.POSITIVE_INFINITY } = limit;
  let left = operations;
  const spend = () => {
    if (left <= 0) throw new Error('power cut');
    left -= 1;
  };
  const guarded =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      spend();
      return await work(...args);
    };
  const open = async (path: string, flags?: string | number, mode?: number) => {
    spend();
    const handle = await fs.open(path, flags, mode);
    return Object.assign(handle, {
      writeFile: async (text: string) => {
        spend();
        await handle.write(Buffer.from(text).subarray(0, bytes));
        if (bytes < Buffer.byteLength(text)) throw new Error('power cut');
      },
    });
  };
  const { mkdir, rm, link, copyFile, rename } = fs;
  return {
    open: open as typeof fs.open,
    mkdir: guarded(mkdir) as typeof fs.mkdir,
    rm: guarded(rm),
    link: guarded(link),
    copyFile: guarded(copyFile),
    rename: guarded(rename),
  };
}

test('the power goes at any byte of a write, and between any two steps: the old or the new file is there', async (t) => {
  const { open, file, said } = setUp(t);
  const first = open();
  const one = first.add(device('a'));
  first.change(one, { name: 'n-0' });
  await first.written();
  let generation = 0;
  const cuts = [
    ...Array.from({ length: statSync(file).size + 40 }, (_, bytes) => ({ bytes })),
    ...Array.from({ length: 12 }, (_, operations) => ({ operations })),
  ];
  let survived = 0;
  for (const cut of cuts) {
    said.length = 0;
    const state = open(cutAfter(cut));
    const [record] = state.records;
    assert.ok(record, JSON.stringify(cut));
    generation += 1;
    state.change(record, { name: `n-${generation}` });
    await state.written();
    const [after] = open().records;
    const names = [`n-${generation - 1}`, `n-${generation}`];
    assert.ok(names.includes(after?.name ?? ''), `${JSON.stringify(cut)}: ${after?.name}`);
    assert.ok(!said.some((line) => line.includes('damaged')), said.join());
    if (after?.name === names[1]) survived += 1;
    // The next life writes, whatever was left behind.
    const next = open();
    for (const each of next.records) next.change(each, { name: `n-${generation}` });
    await next.written();
    assert.equal(open().records[0]?.name, `n-${generation}`);
  }
  assert.ok(survived >= 3 && survived < cuts.length, String(survived));
});

test('bounded: who was not seen for longest makes room, and those of whom nothing was decided first', async (t) => {
  const { open } = setUp(t);
  const state = open();
  const seen = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
  for (let n = 0; n < MAX_RECORDS; n += 1) {
    const record = state.add(device(`d${n}`, { serial: `serial-${n}` }));
    state.change(record, {
      decision: n === 7 ? 'undecided' : 'adopted',
      seenAt: seen(1 + (n % 5)),
    });
  }
  state.change(state.find(device('x', { serial: 'serial-3' })) ?? assert.fail(), {
    seenAt: seen(0),
  });
  state.add(device('more', { serial: 'more' }));
  assert.equal(state.find(device('x', { serial: 'serial-7' })), undefined);
  state.change(state.add(device('even', { serial: 'even' })), { decision: 'adopted' });
  assert.equal(state.find(device('x', { serial: 'more' })), undefined, 'undecided as well');
  state.add(device('again', { serial: 'again' }));
  assert.equal(state.find(device('x', { serial: 'serial-3' })), undefined);
  assert.equal(state.records.length, MAX_RECORDS);
  await state.written();
});

test('a dataDir that cannot be written is said, and nothing else', async (t) => {
  const { open, said } = setUp(t);
  const state = open(cutAfter({ operations: 0 }));
  state.add(device('a'));
  await state.written();
  assert.match(said.join(), /check gateway\.dataDir/);
});

test('what changes in the very moment a write ends is written, too', async (t) => {
  const { open } = setUp(t);
  for (let steps = 0; steps < 12; steps += 1) {
    const state = open({
      ...fs,
      open: async (...args: Parameters<typeof fs.open>) => {
        const file = await fs.open(...args);
        if (args[1] !== 'r') return file;
        const close = file.close.bind(file);
        file.close = async () => {
          await close();
          if (record.name === undefined) void changeAfter(steps);
        };
        return file;
      },
    });
    const record = state.add(device(`cam-${steps}`, { serial: `s${steps}` }));
    const changeAfter = async (left: number) => {
      for (let step = 0; step < left; step += 1) await Promise.resolve();
      state.change(record, { name: `door-${steps}` });
    };
    await state.written();
    await new Promise(setImmediate);
    await state.written();
    assert.ok(open().isTaken(`door-${steps}`), `after ${steps} steps`);
  }
});

test('what is kept of a login makes no sense: the name stays', async (t) => {
  const { open, file, said } = setUp(t);
  const state = open();
  const record = state.add(device('cam', { serial: 'AC0042' }));
  // As with a login that is on the list no more.
  const login = { mark: 'x', worked: { onvif: -1 }, refusals: {} };
  state.change(record, { name: 'door', decision: 'adopted', login });
  await state.written();
  assert.match(readFileSync(file, 'utf8'), /-1/);
  const kept = open().find(device('other', { serial: 'AC0042' }));
  assert.equal(kept?.name, 'door');
  assert.equal(kept?.login, undefined);
  assert.deepEqual(said, []);
});

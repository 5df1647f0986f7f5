/** The table of devices in drivers/README.md: the tests it names exist, and name the threads that it names. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

/** npm runs the tests in the repository's root; so does deploy/test.mjs. */
const README = join(process.cwd(), 'drivers', 'README.md');
const TESTS = join(process.cwd(), 'test');
const HEADING = '## Which device does what';

interface Row {
  readonly text: string;
  readonly device: string;
  readonly behaviour: string;
  /** As written: the first with its folder, others beside the one before. */
  readonly tests: readonly string[];
}

const readme = readFileSync(README, 'utf8');
const rows = rowsOf(readme.slice(readme.indexOf(HEADING)));

describe('the compatibility table', () => {
  it('is there, in groups', () => {
    assert.ok(readme.includes(HEADING));
    assert.ok(rows.length > 80, `saw ${rows.length} rows`);
  });

  it('has no row twice', () => {
    const seen = rows.map(({ device, behaviour }) => `${device}: ${behaviour}`);
    assert.deepEqual(
      seen.filter((text, index) => seen.indexOf(text) !== index),
      [],
    );
  });

  it('names tests that exist', () => {
    const missing = rows.flatMap((row) =>
      row.tests.length === 0 ? [row.text] : pathsOf(row.tests).filter((path) => !existsSync(path)),
    );
    assert.deepEqual(missing, []);
  });

  it('names threads that its tests name', () => {
    const unnamed = rows.flatMap((row) => {
      const sources = pathsOf(row.tests)
        .filter((path) => existsSync(path))
        .map((path) => readFileSync(path, 'utf8'));
      const threads = row.behaviour.match(/#\d+/g) ?? [];
      const isNamed = (thread: string) =>
        sources.some((source) => new RegExp(`${thread}\\b`).test(source));
      return threads
        .filter((thread) => !isNamed(thread))
        .map((thread) => `${thread}: ${row.tests.join(', ')}`);
    });
    assert.deepEqual(unnamed, []);
  });
});

function rowsOf(text: string): Row[] {
  const lines = text.split('\n').filter((line) => /^\| (?!device \||---)/.test(line));
  return lines.map((line) => {
    const [device = '', behaviour = '', tests = ''] = line.split(' | ');
    return {
      text: line,
      device: device.slice(2),
      behaviour,
      tests: Array.from(tests.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
    };
  });
}

function pathsOf(tests: readonly string[]): string[] {
  let folder = '';
  return tests.map((name) => {
    if (name.includes('/')) folder = dirname(name);
    return `${join(TESTS, name.includes('/') ? name : join(folder, name))}.test.ts`;
  });
}

/** The web page's forms in Chromium: login, found devices, settings, targets, events; in a network of their own, with an ONVIF camera on it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { cableWith, runScenario } from '../support/scenario.ts';
import type { PartOutcome } from './dashboard-forms-scenario.ts';

const LIMIT_MS = 240_000;
const canUnshare = spawnSync('unshare', ['--net', 'true']).status === 0;

const PARTS = {
  'first-run':
    'the first visit: the password of the console, one of their own, out, a wrong login, in again',
  adopt: 'a found camera is adopted by clicking; a wrong password is told in words',
  settings:
    'a setting is changed: looked at, in the file, in force; what is wrong is told at its field',
  cameras: 'a camera is added by a short form and taken out again',
  targets: 'a master goes: targets and events show it',
  secrets: 'a planted secret is nowhere in the page, nor in what it is sent',
  screenshots: 'no serious fault, no trouble, in both themes and at phone width',
} as const;

describe('the forms of the web page', {
  skip: canUnshare ? false : 'needs namespaces',
  timeout: LIMIT_MS + 10_000,
}, () => {
  let outcomes: Readonly<Record<string, PartOutcome>> = {};

  before(async () => {
    outcomes = await runScenario({
      program: 'build/test/e2e/dashboard-forms-scenario.js',
      setUp: cableWith('10.79.0.1/24', '10.79.0.11/24'),
      limitMs: LIMIT_MS,
    });
  });

  for (const [part, title] of Object.entries(PARTS)) {
    test(title, () => {
      const outcome = outcomes[part] ?? { failure: 'it did not run' };
      if (outcome.failure !== undefined) assert.fail(outcome.failure);
    });
  }
});

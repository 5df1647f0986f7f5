/**
 * A reporter for node:test that counts, for deploy/test.mjs: how many tests ran in each file, and which did not run.
 * The runner itself ends with 0 when there was no test, and when all of them were skipped.
 */
import { isAbsolute } from 'node:path';

// biome-ignore lint/style/noDefaultExport: node --test-reporter takes a file's default export.
export default async function* countReporter(events) {
  const counts = { tests: 0, failed: [], notRun: [], testsByFile: {} };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A file in which no test was declared is reported as one test that bears the file's path.
    if (data.details?.type === 'suite' || isAbsolute(data.name)) continue;
    counts.tests += 1;
    counts.testsByFile[data.file] = (counts.testsByFile[data.file] ?? 0) + 1;
    if (data.skip !== undefined) counts.notRun.push(`skipped: ${data.name}`);
    else if (data.todo !== undefined) counts.notRun.push(`todo: ${data.name}`);
    else if (type === 'test:fail') counts.failed.push(data.name);
  }
  yield JSON.stringify(counts);
}

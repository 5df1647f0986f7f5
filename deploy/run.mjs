/**
 * What `npm start`, `npm test` and the other scripts run. Needs Node and npm alone: installs what is missing,
 * bundles what changed, then does what was asked. This file must be readable by every Node that knows `import`,
 * so that an old one gets a sentence and not a SyntaxError; whatever is newer lives in the files it loads.
 */
const OLDEST_NODE = 20;

const commands = {
  start: () => import('./start.mjs').then((module) => module.start(process.argv.slice(3))),
  test: () => import('./test.mjs').then((module) => module.test(process.argv.slice(3))),
  bench: () => import('./test.mjs').then((module) => module.bench(process.argv.slice(3))),
  fuzz: () => import('./test.mjs').then((module) => module.fuzz(process.argv.slice(3))),
  coverage: () => import('./test.mjs').then((module) => module.coverage()),
  schemas: () => import('./test.mjs').then((module) => module.schemas()),
  'build:native': () =>
    import('./build-native.mjs').then((module) => module.buildNative(process.argv.slice(3))),
};

const nodeMajor = Number(process.versions.node.split('.')[0]);
const command = commands[process.argv[2]];
if (nodeMajor < OLDEST_NODE) {
  console.error(
    `Sluice needs Node ${OLDEST_NODE} or newer; this is ${process.version} (${process.execPath}).`,
  );
  process.exit(1);
} else if (command === undefined) {
  console.error(`usage: node deploy/run.mjs ${Object.keys(commands).join(' | ')} [ARGUMENTS]`);
  process.exit(2);
} else {
  command().catch((error) => {
    console.error(error.isPlain ? error.message : error);
    process.exit(1);
  });
}

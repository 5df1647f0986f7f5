#!/usr/bin/env node
/** The command line: one file per command, loaded when it is asked for. */
import { setFlagsFromString } from 'node:v8';
import { VERSION } from './version.ts';

// Young garbage dies at once here: a nursery that stays at its first size costs no time and saves
// 30 MB at 64 cameras. (`--max-semi-space-size` says the same, but only before the process starts.)
setFlagsFromString('--semi-space-growth-factor=1');

const USAGE = `sluice ${VERSION}: finds cameras, pulls them, publishes them to an RTMP master, and tells over MQTT

usage: sluice [run] [--config FILE] [--data-dir DIR]    the service; with no file: discovery on, MQTT broker inside.
                                                        Without --config: sluice.yaml in the data folder, if there is one
       sluice relay SOURCE TARGET...                    one source to one or more RTMP targets, until stopped
       sluice discover [--json] [--timeout-ms N] [--interface NAME] [--scan NETWORK]
                                                        lists what answers on the LAN, and exits
       sluice probe SOURCE [--json]                     connects, measures 10 s, and says what is wrong with a source
       sluice demo                                      a virtual camera, the gateway and a master, to see it all with no hardware
       sluice config check FILE | config schema         validates a configuration; prints its JSON Schema
       sluice config import crtmpserver.lua             makes a configuration of crtmpserver's; says what it cannot take over
       sluice --help | --version

examples: sluice
          sluice run --config /etc/sluice.yaml
          sluice relay rtsp://viewer:secret@10.0.0.20/stream1 rtmp://master.example/live/front-door
          sluice probe rtsp://viewer:secret@10.0.0.20/stream1

exit codes: 0 done, 1 failed while running, 2 wrong arguments or configuration, 75 to be started again (the command restart)`;

type Command = (args: string[]) => Promise<number> | number;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./cli/run.ts')).run,
  relay: async () => (await import('./cli/relay.ts')).relay,
  discover: async () => (await import('./cli/discover.ts')).discover,
  probe: async () => (await import('./cli/probe.ts')).probeCommand,
  demo: async () => (await import('./cli/demo.ts')).demo,
  config: async () => (await import('./cli/config.ts')).runConfigCommand,
};

async function main(args: string[]): Promise<number> {
  const [first = 'run', ...rest] = args;
  if (first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  if (first === '--version') {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const isOption = first.startsWith('-');
  const load = COMMANDS[isOption ? 'run' : first];
  if (load === undefined) {
    process.stderr.write(`sluice: there is no command "${first}"; see sluice --help\n`);
    return 2;
  }
  const command = await load();
  return await command(isOption ? args : rest);
}

process.exitCode = await main(process.argv.slice(2));

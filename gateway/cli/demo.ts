/** `sluice demo`: the whole path with no hardware, until stopped. */
import { parseArgs } from 'node:util';
import { Demo } from '../demo/demo.ts';
import { GatewayLog } from '../log.ts';
import { untilStopped } from './until-stopped.ts';

const USAGE = `usage: sluice demo

Shows what Sluice does, on this machine alone and with no camera at hand. In one process there are

  - a virtual camera: it answers WS-Discovery and ONVIF behind a login, turns its head, and serves colour bars and a clock
    as H.264 over RTSP;
  - the gateway, as "sluice run" is it: it finds the camera, logs in, adopts it, pulls its stream, publishes it to the
    master, and tells all about it over MQTT with a broker of its own;
  - a master, which is another gateway that takes the stream over RTMP and plays it to browsers and players.

It says what happens step by step, and then what to open. Its services are on loopback addresses only, it asks nobody on the
network, and keeps nothing: its files are in a temporary folder that is removed at the end. The usual ports are used where they are
free (HTTP 8080 and 8081, MQTT 1883, RTMP 1935, RTSP 8554), else others. Ctrl-C ends it.

What it does by itself for the virtual camera, "sluice run" does for yours: put the logins of your cameras into sluice.yaml
under discovery.credentials, and your master under proxypublish.targets.`;

export async function demo(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args, options: { help: { type: 'boolean', short: 'h' } } });
    if (values.help === true) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
  } catch (error) {
    process.stderr.write(`sluice demo: ${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
  // The demo says in plain words what the log would say.
  const gatewayLog = new GatewayLog('error');
  const { log } = gatewayLog;
  return await untilStopped(log, ({ fail }) => {
    const all = new Demo({
      log,
      setLogLevel: (level) => gatewayLog.setLevel(level),
      say: (line) => process.stdout.write(`${line}\n`),
    });
    return {
      start: async () => {
        try {
          await all.start();
        } catch (error) {
          fail(`the demo cannot start: ${error instanceof Error ? error.message : error}`);
        }
      },
      stop: () => all.stop(),
    };
  });
}

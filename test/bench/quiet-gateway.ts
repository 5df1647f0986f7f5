/** The gateway that tells nobody: no MQTT, no HTTP. What reporting costs is the difference (reporting.ts). */
import { untilStopped } from '../../gateway/cli/until-stopped.ts';
import { loadConfig } from '../../gateway/config/load.ts';
import { Gateway } from '../../gateway/gateway.ts';
import { GatewayLog } from '../../gateway/log.ts';

const config = loadConfig(process.argv[2]);
const gatewayLog = new GatewayLog(config.log.level);
process.exitCode = await untilStopped(
  gatewayLog.log,
  ({ fail }) =>
    new Gateway({
      config,
      log: gatewayLog.log,
      setLogLevel: (level) => gatewayLog.setLevel(level),
      onFatal: fail,
      isQuiet: true,
    }),
);

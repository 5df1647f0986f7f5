/** Files that people hand to us. */
import { importCrtmpserver } from '../../../gateway/config/crtmpserver/import-crtmpserver.ts';
import { LuaError } from '../../../gateway/config/crtmpserver/lua-data.ts';
import { parserOf, type Subject } from '../subject.ts';

const CRTMPSERVER = `configuration = { daemon=false, applications = { rootDirectory = "applications", {
  name = "proxypublish", aliases = { "live" }, acceptors = { { ip = "0.0.0.0", port = 6665, protocol = "inboundLiveFlv", waitForMetadata = true } },
  externalStreams = { { uri = "rtsp://10.0.0.1/" .. "s", localStreamName = "Cam 1", forceTcp = true } }, --[[ none ]]
  authentication = { rtmp = { type = "adobe", usersFile = "users.lua" } },
  targetServers = { { targetUri = "rtmp://10.0.0.2/live", localStreamName = "Cam 1", keepAlive = true } } } } }`;

export const CONFIG_SUBJECTS: readonly Subject[] = [
  {
    ...parserOf('crtmpserver.lua', importLeniently, new TextEncoder().encode(CRTMPSERVER)),
    isText: true,
  },
];

/** Whatever it makes is checked by itself to be a valid configuration. */
function importLeniently(bytes: Uint8Array): void {
  try {
    importCrtmpserver(bytes, 'crtmpserver.lua', '/nonexistent');
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
  }
}

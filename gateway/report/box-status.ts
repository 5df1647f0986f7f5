/** What is told of the box itself: `B/info` and `B/health`. */

export interface GatewayInfo {
  /** @asType integer */
  readonly schema: number;
  readonly id: string;
  /**
   * Counts the starts of this gateway: a greater number is a later life.
   * @asType integer
   */
  readonly session: number;
  /** @format date-time */
  readonly startedAt: string;
  readonly version: string;
  readonly host: string;
  /** The board's model where it tells, as a Raspberry Pi does. */
  readonly board: string | null;
  readonly arch: string;
  readonly node: string;
  readonly addresses: readonly string[];
  /** What this service answers under: `http`, `mqttWs` (MQTT over WebSocket), `rtsp`, `rtmp`, `rtmps`, `rtmpt`, of those that are configured. */
  readonly urls: Readonly<Record<string, string>>;
  readonly streams: readonly string[];
  readonly configHash: string;
  /** Whether the command `restart` works: whoever started this service starts it again. */
  readonly canRestart: boolean;
}

/** How the box does: null where this machine does not tell. */
export interface Health {
  /** @format date-time */
  readonly at: string;
  /** @asType integer */
  readonly uptimeS: number;
  /** Of one core, since the last sample. */
  readonly cpuPercent: number;
  readonly rssMb: number;
  /** Memory that is ours alone (RssAnon). */
  readonly anonMb: number | null;
  readonly load1: number;
  readonly memoryTotalMb: number;
  readonly memoryAvailableMb: number | null;
  readonly temperatureC: number | null;
  /** A Raspberry Pi with a weak supply or too hot: the firmware's flags as it gives them. */
  readonly throttled: string | null;
  /** Of the file system that holds dataDir. */
  readonly diskTotalMb: number | null;
  readonly diskFreeMb: number | null;
  /** What all targets together took since the last sample. */
  readonly uplinkKbps: number;
  readonly clockSynchronised: boolean | null;
  /** @asType integer */
  readonly streamsUp: number;
  /** @asType integer */
  readonly streamsTotal: number;
  /** @asType integer */
  readonly publishesUp: number;
  /** @asType integer */
  readonly publishesTotal: number;
}

/** What the API answers beside the payloads of MQTT. OpenAPI is made of these types. */
import type { PublishStatus, StreamInfo, StreamStats, StreamStatus } from '../report/status.ts';

export type ServiceStatus = 'starting' | 'running' | 'stopping';

/** What `stream/<name>/status`, `info`, `stats` and `motion` carry; null: not known yet. */
export interface StreamAnswer {
  readonly name: string;
  readonly status: StreamStatus;
  readonly info: StreamInfo | null;
  readonly stats: StreamStats | null;
  readonly motion: 'ON' | 'OFF' | null;
}

/** What `publish/<stream>/<target>` carries. */
export interface PublishAnswer {
  readonly stream: string;
  readonly target: string;
  readonly status: PublishStatus;
}

/** Whether the service is up. A camera that is down does not make it unhealthy. */
export interface HealthzAnswer {
  readonly status: ServiceStatus;
  /** @asType integer */
  readonly streamsUp: number;
  /** @asType integer */
  readonly streamsTotal: number;
  /** @asType integer */
  readonly uptimeS: number;
}

export interface Problem {
  readonly error: {
    /** Stable. */
    readonly code: string;
    /** For people: what happened and what to do. */
    readonly message: string;
  };
}

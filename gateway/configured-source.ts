/** From what `sluice.yaml` says of a stream to the driver that serves it. */
import { OnvifCamera } from '../drivers/camera/onvif-camera.ts';
import { RtspCamera } from '../drivers/camera/rtsp-camera.ts';
import { fetchSnapshot } from '../drivers/camera/snapshot.ts';
import { sourceKindOf } from '../drivers/catalog.ts';
import type { Credentials, DriverContext, StreamDriver } from '../drivers/driver.ts';
import { HTTP_PORTS } from '../drivers/encoder/http-request.ts';
import { CredentialChooser } from '../drivers/onvif/credential-chooser.ts';
import { parseOnvifUrl } from '../drivers/onvif/onvif-endpoint.ts';
import { parseSourceUrl, redactUrl } from '../protocols/source-url.ts';
import type { Config, StreamConfig } from './config/schema.ts';
import { isExtensionSource } from './config/urls.ts';
import { profileWish } from './profile-wish.ts';
import type { StreamInfo } from './report/status.ts';
import type { TakeSnapshot } from './shared-snapshot.ts';
import { tlsTrust } from './tls-trust.ts';

export interface ConfiguredSource {
  readonly driver: StreamDriver;
  /** Where the source is, without secrets. */
  readonly sourceUrl: string;
  /** Begins sentences about it: "The camera front-door at 10.0.0.20". */
  readonly who: string;
  /** Undefined where the URL's address is not the device's. */
  readonly host: string | undefined;
  /** What the device says about itself, when it is known. */
  readonly describe?: () => Partial<StreamInfo>;
  /** Of discovery.credentials, where it has no login of its own. */
  readonly logins?: CredentialChooser;
  /** Instead of the driver's. */
  readonly snapshot?: TakeSnapshot;
}

interface Opened {
  readonly driver: StreamDriver;
  readonly host: string | undefined;
  readonly what: string;
  readonly describe?: () => Partial<StreamInfo>;
  readonly logins?: CredentialChooser;
}

/** `name`: undefined where there is only one source; `config` has the logins that an ONVIF source without its own is tried with. */
export function openConfiguredSource(
  name: string | undefined,
  stream: StreamConfig,
  config: Config,
  context: DriverContext,
  openExtension?: OpenExtensionSource,
): ConfiguredSource {
  const { what, host, ...source } = openDriver(name, stream, config, context, openExtension);
  const who = ['The', what, name, host === undefined ? undefined : `at ${host}`];
  return {
    ...source,
    host,
    who: who.filter(Boolean).join(' '),
    sourceUrl: redactUrl(stream.source),
    ...(stream.snapshot === undefined
      ? {}
      : { snapshot: openSnapshot(stream.snapshot, stream, context) }),
  };
}

/** With the login in its URL, else with that of the stream. */
function openSnapshot(url: string, stream: StreamConfig, { now }: DriverContext): TakeSnapshot {
  const login = parseSourceUrl(url, HTTP_PORTS).credentials ?? ownCredentials(stream);
  const credentials = new CredentialChooser(login === undefined ? [] : [login], now);
  const tls = tlsTrust(stream);
  return (signal) => fetchSnapshot({ url, credentials, tls }, signal);
}

/** What extensions serve. */
export type OpenExtensionSource = (
  url: string,
  credentials: Credentials | undefined,
) => StreamDriver;

function openDriver(
  name: string | undefined,
  stream: StreamConfig,
  config: Config,
  context: DriverContext,
  openExtension: OpenExtensionSource | undefined,
): Opened {
  if (isExtensionSource(stream.source) && openExtension !== undefined) {
    const driver = openExtension(stream.source, ownCredentials(stream));
    return { driver, host: undefined, what: 'source' };
  }
  const isOnvif = stream.source.startsWith('onvif');
  return isOnvif ? openOnvif(name, stream, config, context) : openCatalogued(stream, context);
}

function openOnvif(
  name: string | undefined,
  stream: StreamConfig,
  config: Config,
  context: DriverContext,
): Opened {
  const { credentials, ...endpoint } = parseOnvifUrl(stream.source);
  const own = ownCredentials(stream) ?? credentials;
  const candidates = own === undefined ? discoveryLogins(config) : [own];
  const logins = new CredentialChooser(candidates, context.now);
  const tls = tlsTrust(stream);
  const driver = new OnvifCamera(
    {
      endpoints: () => [endpoint],
      credentials: logins,
      profile: profileWish(config, name ?? ''),
      transport: stream.transport,
      openRtsp: (source, rtspContext) =>
        new RtspCamera({ ...source, tls, interface: stream.interface }, rtspContext),
    },
    context,
  );
  const describe = () => {
    const { manufacturer, model, firmware, serial, profile } = driver.description ?? {};
    return {
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(model === undefined ? {} : { model }),
      ...(firmware === undefined ? {} : { firmware }),
      ...(serial === undefined ? {} : { serial }),
      ...(profile === undefined ? {} : { profile }),
    };
  };
  const shared = own === undefined ? { logins } : {};
  return { driver, host: endpoint.host, what: 'camera', describe, ...shared };
}

/** What cameras without a login of their own are tried with. */
export function discoveryLogins({ discovery }: Pick<Config, 'discovery'>): Credentials[] {
  return discovery.credentials.map(({ username, password = '' }) => ({ username, password }));
}

function openCatalogued(stream: StreamConfig, context: DriverContext): Opened {
  const { source: url, transport } = stream;
  const kind = sourceKindOf(url);
  // The schema lets only known schemes through.
  if (kind === undefined) throw new TypeError(`no driver for ${redactUrl(url)}`);
  const credentials = ownCredentials(stream);
  const driver = kind.open(
    {
      url,
      transport,
      interface: stream.interface,
      program: stream.program,
      tls: tlsTrust(stream),
      ...(credentials === undefined ? {} : { credentials }),
    },
    context,
  );
  return { driver, host: kind.hostOf(url), what: kind.what };
}

function ownCredentials({ username, password }: StreamConfig): Credentials | undefined {
  return username === undefined ? undefined : { username, password: password ?? '' };
}

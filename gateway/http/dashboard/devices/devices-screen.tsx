/** What is on the network: found devices, and what is to become of each. */
import { useComputed, useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Fleet, GatewayModel } from '../model.ts';
import { CommandButton } from '../parts/command-button.tsx';
import { Reason } from '../parts/reason.tsx';
import { Badge } from '../parts/state-badge.tsx';
import type { Tone } from '../parts/state-words.ts';
import { TimeAgo } from '../parts/time-ago.tsx';
import { hrefOf } from '../screen-route.ts';
import { AdoptDialog } from './adopt-dialog.tsx';
import { type DeviceRow, deviceRows, type Standing, titleOf } from './device-rows.ts';
import { devicesWords as t } from './devices-words.ts';
import { readScanReply } from './scan-reply.ts';

/** `gateway`: of which; undefined: of all. */
export interface DevicesScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function DevicesScreen({ fleet, gateway }: DevicesScreenProps) {
  const gateways = useComputed(() =>
    fleet.gateways.value.filter(({ id }) => gateway === undefined || id === gateway),
  );
  const rows = useComputed(() => deviceRows(gateways.value));
  const adopting = useSignal<DeviceRow | undefined>(undefined);
  return (
    <>
      <h1>{t('title')}</h1>
      <Search fleet={fleet} gateways={gateways.value} />
      {rows.value.length === 0 && <p>{t('none')}</p>}
      <ul class="cards" aria-label={t('title')}>
        {rows.value.map((row) => (
          <Device
            key={`${row.gateway} ${row.device.id}`}
            fleet={fleet}
            row={row}
            hasGateway={gateway === undefined}
            adopt={() => {
              adopting.value = row;
            }}
          />
        ))}
      </ul>
      {adopting.value !== undefined && (
        <AdoptDialog
          fleet={fleet}
          row={adopting.value}
          closed={() => {
            adopting.value = undefined;
          }}
        />
      )}
    </>
  );
}

/** On every network that the gateway is on, or one after another on a network that it is not on. */
function Search({
  fleet,
  gateways,
}: {
  readonly fleet: Fleet;
  readonly gateways: readonly GatewayModel[];
}) {
  const network = useSignal('');
  const chosen = useSignal('');
  const id = useId();
  const gateway = gateways.find((one) => one.id === chosen.value) ?? gateways[0];
  if (gateway === undefined) return null;
  const scan = network.value.trim();
  return (
    <div class="row search-devices">
      {gateways.length > 1 && (
        <label class="row">
          {t('by')}
          <select
            value={gateway.id}
            onChange={({ currentTarget }) => {
              chosen.value = currentTarget.value;
            }}
          >
            {gateways.map((one) => (
              <option key={one.id} value={one.id}>
                {one.id}
              </option>
            ))}
          </select>
        </label>
      )}
      <CommandButton
        key={`search ${gateway.id}`}
        fleet={fleet}
        gateway={gateway.id}
        verb="discover"
        args={{}}
        doneWords={t('searched')}
      >
        {t('search')}
      </CommandButton>
      <form class="row" onSubmit={(event) => event.preventDefault()}>
        <label for={id}>{t('network')}</label>
        <input
          id={id}
          type="text"
          placeholder="10.0.7.0/24"
          autocomplete="off"
          spellcheck={false}
          value={network}
          onInput={({ currentTarget }) => {
            network.value = currentTarget.value;
          }}
        />
        {scan !== '' && (
          <CommandButton
            key={`scan ${gateway.id}`}
            fleet={fleet}
            gateway={gateway.id}
            verb="discover"
            args={{ scan }}
            isSubmit
            doneWords={scannedWords}
          >
            {t('scan')}
          </CommandButton>
        )}
      </form>
    </div>
  );
}

function scannedWords(data: unknown): string {
  const scan = readScanReply(data);
  if (scan === undefined) return t('searched');
  const { asked, addresses, isDone } = scan;
  return t(isDone ? 'scanned' : 'scanning', { asked, addresses });
}

const TONES: Readonly<Record<Standing, Tone>> = {
  waiting: 'busy',
  troubled: 'bad',
  adopted: 'ok',
  ignored: 'off',
};

interface DeviceProps {
  readonly fleet: Fleet;
  readonly row: DeviceRow;
  readonly hasGateway: boolean;
  readonly adopt: () => void;
}

function Device({ fleet, row, hasGateway, adopt }: DeviceProps) {
  const { gateway, device, standing } = row;
  const { adoptedAs, addresses, via, serial, needsPassword } = device;
  const title = titleOf(device);
  const decide = (decision: 'ignore' | 'forget') => ({ device: device.id, decision });
  return (
    <li class="card stack">
      <div class="row spread">
        <h2>{title}</h2>
        <Badge tone={TONES[standing]}>{t(standing)}</Badge>
      </div>
      {standing === 'waiting' ? (
        <p>{t('waitingReason')}</p>
      ) : (
        <Reason code={device.code} reason={device.reason} />
      )}
      <dl class="facts">
        {hasGateway && <Fact name={t('gateway')} value={gateway} />}
        <Fact name={t('addresses')} value={addresses.join(', ') || '–'} />
        {serial !== undefined && <Fact name={t('serial')} value={serial} />}
        <Fact name={t('via')} value={via.map(viaWords).join(', ')} />
        {needsPassword === true && <Fact name={t('login')} value={t('needsPassword')} />}
        <dt>{t('lastSeen')}</dt>
        <dd>
          <TimeAgo at={device.lastSeenAt} />
        </dd>
      </dl>
      <div class="row">
        {adoptedAs !== undefined && (
          <a class="button" href={hrefOf({ screen: 'camera', gateway, stream: adoptedAs })}>
            {t('show', { name: adoptedAs })}
          </a>
        )}
        {adoptedAs === undefined && (
          <button type="button" class="primary" onClick={adopt}>
            {t('adopt')}
            <span class="visually-hidden"> {title}</span>
          </button>
        )}
        {standing !== 'ignored' && (
          <CommandButton
            fleet={fleet}
            gateway={gateway}
            verb="adopt"
            args={decide('ignore')}
            {...(adoptedAs === undefined
              ? {}
              : { question: t('ignoreQuestion', { name: adoptedAs }) })}
          >
            {t('ignore')}
            <span class="visually-hidden"> {title}</span>
          </CommandButton>
        )}
        {(standing === 'adopted' || standing === 'ignored') && (
          <CommandButton
            fleet={fleet}
            gateway={gateway}
            verb="adopt"
            args={decide('forget')}
            question={t('forgetQuestion', { name: title })}
          >
            {t('forget')}
            <span class="visually-hidden"> {title}</span>
          </CommandButton>
        )}
      </div>
    </li>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** A newer gateway may have ways that this page does not know. */
function viaWords(way: string): string {
  switch (way) {
    case 'ws-discovery':
    case 'mdns':
    case 'host':
      return t(way);
    case 'scan':
      return t('by-scan');
    default:
      return way;
  }
}

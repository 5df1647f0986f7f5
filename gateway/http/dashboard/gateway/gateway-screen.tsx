/** One gateway: the box, how it does, and what is wired to it. */
import type { GatewayInfo, Health } from '../../../report/box-status.ts';
import type { PositionStatus, SerialStatus } from '../../../report/status.ts';
import { camerasOf, pushesOf, rowOf } from '../fleet/fleet-order.ts';
import type { Fleet, GatewayModel, Shown } from '../model.ts';
import { decimals, rate, size } from '../numbers.ts';
import { GatewayGone } from '../parts/gateway-gone.tsx';
import { Reason } from '../parts/reason.tsx';
import { Badge, StateBadge } from '../parts/state-badge.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { screenWords } from '../screen-words.ts';
import { durationWords } from '../times.ts';
import { language, wordsOf } from '../words.ts';
import { isDiskLow, isHot, throttledWords } from './box-trouble.ts';
import { LogLevelForm } from './log-level-form.tsx';

const t = wordsOf({
  en: {
    unknown: 'Nothing is known of the gateway {id}: it has not told of itself.',
    health: 'Health',
    noHealth: 'It has not told how it does yet.',
    cpu: 'CPU (of one core)',
    load: 'Load, 1 min',
    memory: 'Memory of Sluice',
    free: 'Memory free',
    temperature: 'Temperature',
    disk: 'Disk free',
    uplink: 'Uplink',
    cameras: 'Cameras online',
    pushes: 'Pushes running',
    clock: 'Clock',
    synced: 'set by a time service',
    notSynced: 'not set by a time service',
    throttled: 'Power and heat',
    uptime: 'Running for',
    told: 'As of',
    hot: 'hot',
    low: 'nearly full',
    box: 'The box',
    version: 'Version',
    host: 'Host name',
    board: 'Board',
    arch: 'Processor',
    node: 'Node.js',
    addresses: 'Addresses',
    started: 'Started',
    session: 'Starts so far',
    config: 'Configuration',
    urls: 'URLs',
    serial: 'Serial lines',
    position: 'Position',
    receiver: 'Receiver on',
    coordinates: 'Coordinates',
    altitude: 'Altitude',
    satellites: 'Satellites',
    logging: 'Log',
  },
  zh: {
    unknown: '对网关 {id} 一无所知：它还没有上报。',
    health: '运行状况',
    noHealth: '它还没有上报运行状况。',
    cpu: 'CPU（单核）',
    load: '1 分钟负载',
    memory: 'Sluice 内存',
    free: '可用内存',
    temperature: '温度',
    disk: '磁盘剩余',
    uplink: '上行',
    cameras: '在线摄像机',
    pushes: '正在推流',
    clock: '时钟',
    synced: '由时间服务校准',
    notSynced: '未由时间服务校准',
    throttled: '供电与散热',
    uptime: '已运行',
    told: '更新于',
    hot: '过热',
    low: '快满了',
    box: '设备',
    version: '版本',
    host: '主机名',
    board: '主板',
    arch: '处理器',
    node: 'Node.js',
    addresses: '地址',
    started: '启动于',
    session: '启动次数',
    config: '配置',
    urls: '网址',
    serial: '串口',
    position: '位置',
    receiver: '接收机所在串口',
    coordinates: '坐标',
    altitude: '海拔',
    satellites: '卫星',
    logging: '日志',
  },
});

export interface GatewayScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function GatewayScreen({ fleet, gateway }: GatewayScreenProps) {
  const all = fleet.gateways.value;
  const found =
    all.find(({ id }) => id === gateway) ?? (gateway === undefined ? all[0] : undefined);
  if (found === undefined) {
    return (
      <>
        <h1>{screenWords('gateway')}</h1>
        <p class="notice">{t('unknown', { id: gateway ?? '' })}</p>
      </>
    );
  }
  return <OneGateway fleet={fleet} gateway={found} />;
}

function OneGateway({ fleet, gateway }: { readonly fleet: Fleet; readonly gateway: GatewayModel }) {
  const { info, health, serial, position } = gateway;
  return (
    <>
      <div class="row">
        <h1>{gateway.id}</h1>
        <StateBadge state={gateway.state.value} />
      </div>
      <GatewayGone gateway={gateway} />
      <div class="cards wide-cards">
        <section class="card stack">
          <h2>{t('health')}</h2>
          {health.value === undefined ? (
            <p class="muted">{t('noHealth')}</p>
          ) : (
            <HealthFacts gateway={gateway} health={health.value} />
          )}
        </section>
        {info.value !== undefined && (
          <section class="card stack">
            <h2>{t('box')}</h2>
            <BoxFacts info={info.value} />
          </section>
        )}
        {serial.value.length > 0 && (
          <section class="card stack">
            <h2>{t('serial')}</h2>
            {serial.value.map((line) => (
              <SerialLine key={line.name} line={line} />
            ))}
          </section>
        )}
        {position.value !== undefined && (
          <section class="card stack">
            <h2>{t('position')}</h2>
            <PositionFacts position={position.value} />
          </section>
        )}
        <section class="card stack">
          <h2>{t('logging')}</h2>
          <LogLevelForm fleet={fleet} gateway={gateway.id} />
        </section>
      </div>
    </>
  );
}

function HealthFacts({
  gateway,
  health,
}: {
  readonly gateway: GatewayModel;
  readonly health: Health;
}) {
  const row = rowOf(gateway);
  return (
    <dl class="facts">
      <dt>{t('cameras')}</dt>
      <dd>{camerasOf(row)}</dd>
      <dt>{t('pushes')}</dt>
      <dd>{pushesOf(row)}</dd>
      <dt>{t('uplink')}</dt>
      <dd>{rate(row.health?.uplinkKbps)}</dd>
      <dt>{t('temperature')}</dt>
      <dd>
        {decimals(health.temperatureC, 1, '°C')}{' '}
        {isHot(health) && <Badge tone="warn">{t('hot')}</Badge>}
      </dd>
      <dt>{t('cpu')}</dt>
      <dd>{decimals(health.cpuPercent, 1, '%')}</dd>
      <dt>{t('load')}</dt>
      <dd>{health.load1.toFixed(2)}</dd>
      <dt>{t('memory')}</dt>
      <dd>{size(health.rssMb)}</dd>
      <dt>{t('free')}</dt>
      <dd>
        {size(health.memoryAvailableMb)} / {size(health.memoryTotalMb)}
      </dd>
      <dt>{t('disk')}</dt>
      <dd>
        {size(health.diskFreeMb)} / {size(health.diskTotalMb)}{' '}
        {isDiskLow(health) && <Badge tone="warn">{t('low')}</Badge>}
      </dd>
      {health.throttled !== null && (
        <>
          <dt>{t('throttled')}</dt>
          <dd>{throttledWords(health.throttled)}</dd>
        </>
      )}
      {health.clockSynchronised !== null && (
        <>
          <dt>{t('clock')}</dt>
          <dd>{t(health.clockSynchronised ? 'synced' : 'notSynced')}</dd>
        </>
      )}
      <dt>{t('uptime')}</dt>
      <dd>{durationWords(health.uptimeS, language.value)}</dd>
      <dt>{t('told')}</dt>
      <dd>
        <TimeAgo at={health.at} />
      </dd>
    </dl>
  );
}

function BoxFacts({ info }: { readonly info: GatewayInfo }) {
  return (
    <dl class="facts">
      <dt>{t('version')}</dt>
      <dd>{info.version}</dd>
      <dt>{t('host')}</dt>
      <dd>{info.host}</dd>
      <dt>{t('board')}</dt>
      <dd>{info.board ?? '–'}</dd>
      <dt>{t('arch')}</dt>
      <dd>{info.arch}</dd>
      <dt>{t('node')}</dt>
      <dd>{info.node}</dd>
      <dt>{t('addresses')}</dt>
      <dd>{info.addresses.join(', ') || '–'}</dd>
      <dt>{t('urls')}</dt>
      <dd>
        {Object.entries(info.urls).map(([kind, url]) => (
          <div key={kind}>
            {kind}: <code>{url}</code>
          </div>
        ))}
      </dd>
      <dt>{t('started')}</dt>
      <dd>
        <TimeAgo at={info.startedAt} />
      </dd>
      <dt>{t('session')}</dt>
      <dd>{info.session}</dd>
      <dt>{t('config')}</dt>
      <dd>
        <code>{info.configHash}</code>
      </dd>
    </dl>
  );
}

function SerialLine({ line }: { readonly line: Shown<SerialStatus> }) {
  return (
    <div class="stack">
      <p class="row">
        <strong>{line.name}</strong> <code>{line.path}</code> <StateBadge state={line.state} />
      </p>
      {line.state !== 'open' && (
        <p class="small">
          <Reason code={line.code} reason={line.reason} />
        </p>
      )}
    </div>
  );
}

function PositionFacts({ position }: { readonly position: PositionStatus }) {
  const { latitude, longitude } = position;
  return (
    <>
      <p class="small">
        <Reason code={position.code} reason={position.reason} />
      </p>
      <dl class="facts">
        <dt>{t('receiver')}</dt>
        <dd>{position.receiver}</dd>
        <dt>{t('coordinates')}</dt>
        <dd class="number">
          {latitude === null || longitude === null
            ? '–'
            : `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`}
        </dd>
        <dt>{t('altitude')}</dt>
        <dd>{decimals(position.altitudeM, 0, 'm')}</dd>
        <dt>{t('satellites')}</dt>
        <dd>{position.satellites ?? '–'}</dd>
        <dt>{t('told')}</dt>
        <dd>
          <TimeAgo at={position.at} />
        </dd>
      </dl>
    </>
  );
}

/** From what the configuration says of masters to the targets that streams are published to. */
import { performance } from 'node:perf_hooks';
import { redactUrl } from '../protocols/source-url.ts';
import type { Config, TargetConfig } from './config/schema.ts';
import { fillTemplate, uniqueName } from './names.ts';
import type { Target } from './proxypublish/proxypublish.ts';
import { RtmpPublisher } from './proxypublish/publisher.ts';
import { targetName } from './proxypublish/target-url.ts';
import { tlsTrust } from './tls-trust.ts';

export interface TargetsContext {
  readonly gatewayId: string;
  /** Masters are told which gateway a stream comes from. */
  readonly tellsGateway: boolean;
}

/** `before`: a target that is among them, but for the streams that it takes, stays that one and keeps its name. */
export function makeTargets(
  { proxypublish, limits }: Pick<Config, 'proxypublish' | 'limits'>,
  context: TargetsContext,
  before: readonly Target[] = [],
): Target[] {
  const free = new Set(before);
  const known = proxypublish.targets.map((target) => {
    const same = [...free].filter(({ identity }) => identity === identityOf(target));
    const found = same.find(sameStreams(target)) ?? same[0];
    if (found !== undefined) free.delete(found);
    return found;
  });
  const ids = new Set(known.flatMap((target) => target?.id ?? []));
  return proxypublish.targets.map((target, index) => {
    const found = known[index];
    const { localStreamName } = target;
    if (found !== undefined) return { ...found, localStreamName };
    const id = uniqueName(targetName(target.targetUri), (name) => ids.has(name));
    ids.add(id);
    return { ...newTarget(target, limits, context), id };
  });
}

function newTarget(
  target: TargetConfig,
  { queueMaxBytes, queueMaxMs }: Config['limits'],
  { gatewayId, tellsGateway }: TargetsContext,
): Omit<Target, 'id'> {
  return {
    identity: identityOf(target),
    url: redactUrl(target.targetUri),
    localStreamName: target.localStreamName,
    keepAlive: target.keepAlive,
    makePublisher: (stream, log) =>
      new RtmpPublisher(
        {
          ...target,
          ...tlsTrust(target),
          targetStreamName:
            target.streamKey ??
            fillTemplate(target.targetStreamName, { gateway: gatewayId, stream }),
          queueMaxBytes,
          queueMaxMs,
        },
        {
          log,
          now: () => performance.now(),
          gatewayId: tellsGateway ? gatewayId : undefined,
        },
      ),
  };
}

function identityOf({ localStreamName, ...rest }: TargetConfig): string {
  return JSON.stringify(rest);
}

function sameStreams({ localStreamName }: TargetConfig) {
  return (target: Target) => target.localStreamName === localStreamName;
}
